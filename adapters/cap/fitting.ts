// An event has a limit of bytes that an alert with pictures and the borders of a country can reach. Then what stands in it twice or is
// a file goes, with a warning; the frame has all of it. The words of an alert are never cut.

import { encodeEvent } from '../../proto/generated/encode.ts'
import type { AlertInfo, AlertResource, Event, Polygon } from '../../proto/generated/types.ts'

/** Below the gateway's 512 KiB, with room for what it adds. */
const eventBytesMax = 500 * 1024
/** A pair "1,1 " of a polygon takes 20 bytes, and stands in the body and in the location. */
const growthMax = 10

export function fitting(event: Event, frameBytes: number): { event: Event; warnings: readonly string[] } {
  if (frameBytes * growthMax <= eventBytesMax || sizeOf(event) <= eventBytesMax) return { event, warnings: [] }
  const warnings: string[] = []
  let fitted = event
  let size = sizeOf(event)
  for (const { without, warning } of steps) {
    fitted = without(fitted)
    const smaller = sizeOf(fitted)
    if (smaller < size) warnings.push(warning)
    size = smaller
    if (size <= eventBytesMax) break
  }
  return { event: fitted, warnings }
}

const sizeOf = (event: Event): number => encodeEvent(event).length

const steps: readonly { without: (event: Event) => Event; warning: string }[] = [
  { without: withoutContent, warning: 'the files sent along are too large for an event; only the frame has them' },
  {
    without: withoutRepeated,
    warning: 'the polygons of an area are too large to stand once more in each language; only the first has them',
  },
  {
    without: withoutPolygons,
    warning: 'the polygons are too large to stand twice; location is without them, the areas have them',
  },
]

function withoutContent(event: Event): Event {
  if (event.body !== 'alert') return event
  const infos = (event.alert.infos ?? []).map((info): AlertInfo => {
    if (!info.resources) return info
    const resources = info.resources.map((resource): AlertResource => {
      const { content: _, ...rest } = resource
      return rest
    })
    return { ...info, resources }
  })
  return { ...event, alert: { ...event.alert, infos } }
}

function withoutRepeated(event: Event): Event {
  if (event.body !== 'alert') return event
  const seen = new Set<string>()
  const infos = (event.alert.infos ?? []).map((info): AlertInfo => {
    if (!info.areas) return info
    const areas = info.areas.map((area) => {
      const { polygons, ...rest } = area.location ?? {}
      const key = polygons?.map(textOf).join(' ')
      if (key === undefined || !seen.has(key)) {
        if (key !== undefined) seen.add(key)
        return area
      }
      const { location: _, ...bare } = area
      return Object.keys(rest).length > 0 ? { ...bare, location: rest } : bare
    })
    return { ...info, areas }
  })
  return { ...event, alert: { ...event.alert, infos } }
}

const textOf = ({ points = [] }: Polygon): string =>
  points.map(({ latitude, longitude }) => `${latitude},${longitude}`).join(';')

function withoutPolygons(event: Event): Event {
  if (!event.location) return event
  const { polygons: _, ...location } = event.location
  return { ...event, location }
}
