// What we use of topojson-client, which brings no types.

declare module 'topojson-client' {
  import type { AreaGeometry } from './geometry.ts'
  export interface TopologyObject {
    readonly type: string
    readonly id?: string
    readonly properties?: { readonly name?: string }
    readonly geometries?: readonly TopologyObject[]
  }
  export interface Topology {
    readonly type: 'Topology'
    readonly objects: Readonly<Record<string, TopologyObject>>
  }
  export function feature(topology: Topology, object: TopologyObject): { geometry: AreaGeometry }
}
