// Tells measurements of one event apart that would share a point: by the source's own index, or by the next free number. Values of one
// quantity at several times (SenML "t") share no point and need none. Every store of series uses it, so that a point is the same one
// in each.

import { statedIndexMax } from './cardinality.ts'

/** The index as the source states it, as text; empty: none that counts. */
export const statedIndex = (stated: number | undefined | null): string =>
  typeof stated === 'number' && stated < statedIndexMax ? String(stated) : ''

/** For the measurements of one event, in their order. Gives the index that makes the point (quantity, time, index) a new one. */
export function createPointIndexes(): (quantity: string, atMs: number, stated: string) => string {
  const taken = new Set<string>()
  const lastIndex = new Map<string, number>()
  return (quantity, atMs, stated) => {
    const point = `${atMs} ${quantity}`
    let index = stated
    for (let next = lastIndex.get(point) ?? 1; taken.has(`${index} ${point}`); next++) {
      index = String(next)
      lastIndex.set(point, next)
    }
    taken.add(`${index} ${point}`)
    return index
  }
}
