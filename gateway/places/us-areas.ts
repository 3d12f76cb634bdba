// Shapes of counties and states of the USA, offline: us-atlas, the Census Bureau's cartographic boundaries of 2017 at 1:10,000,000.
// Their grid is 400 m wide, which is enough for a map and not for a border dispute. Read when the first one is asked for; a shape is made each time it is, so that what stays in memory is the one packed table.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Topology, type TopologyObject, feature } from 'topojson-client'
import { type AreaGeometry, polygonsOf, rewound } from './geometry.ts'
import { stateLetters, stateNumbers } from './us-states.ts'

export interface Area {
  readonly by: 'county' | 'state' | 'zone'
  /** As a sentence may have it: "Travis, TX". */
  readonly name: string
  readonly geometry: AreaGeometry
}

export interface UsAreas {
  /** Undefined: the code names no county and no state that is known here. */
  find(scheme: string, code: string): Area | undefined
}

export function createUsAreas(): UsAreas {
  let tables: Tables | undefined
  return {
    find(scheme, code) {
      const number = areaNumber(scheme, code)
      if (number === undefined) return undefined
      tables ??= readTables()
      const { counties, states, nation } = tables
      if (number === wholeNation) return { by: 'state', name: 'USA', geometry: shapeOf(tables, nation) }
      if (number.endsWith('000')) {
        const shape = states.get(number.slice(0, 2))
        return shape && { by: 'state', name: nameOf(shape), geometry: shapeOf(tables, shape) }
      }
      const shape = counties.get(number)
      if (!shape) return undefined
      // Which part of the county a ninth is, no table says: all of it is drawn, and the words say that less is meant.
      const part = code.length === 6 && isPartCode(scheme) && !code.startsWith('0') ? ' (a part of it is meant)' : ''
      const name = `${nameOf(shape)}, ${stateLetters.get(number.slice(0, 2)) ?? ''}${part}`
      return { by: 'county', name, geometry: shapeOf(tables, shape) }
    },
  }
}

const wholeNation = '00000'
const isPartCode = (scheme: string): boolean => /^(SAME|FIPS6)$/i.test(scheme)
const nameOf = ({ properties }: TopologyObject): string => properties?.name ?? ''

/**
 * SAME and FIPS6 are PSSCCC, with P a part of the county, SS the state and CCC the county, 000 for all of it (47 CFR 11.31); a UGC is
 * SSCnnn for a county, and SSC000, SSCALL, SSZ000 or SSZALL for a state (NWS Directive 10-1702). Five digits of state and county.
 */
function areaNumber(scheme: string, code: string): string | undefined {
  const name = scheme.toUpperCase()
  if (isPartCode(scheme)) return /^\d{6}$/.test(code) ? code.slice(1) : undefined
  if (name === 'FIPS' || name === 'FIPS5') return /^\d{5}$/.test(code) ? code : undefined
  if (name !== 'UGC') return undefined
  const match = /^([A-Z]{2})(?:C(\d{3})|[CZ](000|ALL))$/.exec(code)
  const state = match && stateNumbers.get(match[1] ?? '')
  if (!state) return undefined
  return state + (match[3] === undefined ? (match[2] ?? '') : '000')
}

interface Tables {
  readonly topology: Topology
  readonly counties: ReadonlyMap<string, TopologyObject>
  readonly states: ReadonlyMap<string, TopologyObject>
  readonly nation: TopologyObject
}

const shapeOf = ({ topology }: Tables, shape: TopologyObject): AreaGeometry => ({
  type: 'MultiPolygon',
  coordinates: polygonsOf(feature(topology, shape).geometry).map(rewound),
})

function readTables(): Tables {
  const path = createRequire(import.meta.url).resolve('us-atlas/counties-10m.json')
  const topology = JSON.parse(readFileSync(path, 'utf8')) as Topology
  const byId = (name: string): ReadonlyMap<string, TopologyObject> =>
    new Map(topology.objects[name]!.geometries!.map((shape) => [shape.id ?? '', shape]))
  const nation = topology.objects['nation']!.geometries![0]!
  return { topology, counties: byId('counties'), states: byId('states'), nation }
}
