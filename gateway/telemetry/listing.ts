// A page of the list of series: which devices are meant, which series are listed as one, and in what order. One for every store.

import { compareListed, compareText, placeOf } from './store.ts'
import type { ListedSeries, ListPlace, ListPlan, SeriesKey } from './store.ts'

export const isWantedDevice = ({ devices }: ListPlan, device: string): boolean =>
  devices.length === 0 || devices.some((wanted) => matches(wanted, device))

const matches = (wanted: string, device: string): boolean =>
  wanted.endsWith('*') ? device.startsWith(wanted.slice(0, -1)) : device === wanted

/** One more than the page holds when there are more. `spanOf` is asked for no more series than that; undefined: none is kept. */
export function listedOf<Key extends SeriesKey>(
  series: readonly Key[],
  plan: ListPlan,
  spanOf: (group: readonly Key[]) => ListedSeries | undefined,
): ListedSeries[] {
  const listed: ListedSeries[] = []
  for (const group of groups(series)) {
    if (plan.after && comparePlaces(placeOf(group[0]!), plan.after) <= 0) continue
    const found = spanOf(group)
    if (!found || (plan.activeSinceMs !== undefined && found.lastMs < plan.activeSinceMs)) continue
    listed.push(found)
    if (listed.length > plan.size) break
  }
  return listed
}

/** Both as one, with the unit and subject of the newer. */
export function joined(a: ListedSeries | undefined, b: ListedSeries): ListedSeries {
  if (!a) return b
  const newer = (b.lastMs - a.lastMs || (b.lastCounter ?? 0) - (a.lastCounter ?? 0)) >= 0 ? b : a
  return { ...newer, firstMs: Math.min(a.firstMs, b.firstMs), lastMs: Math.max(a.lastMs, b.lastMs) }
}

/** Series that differ in nothing but unit and subject are listed as one; groups stand in order. */
function groups<Key extends SeriesKey>(series: readonly Key[]): Key[][] {
  const found = new Map<string, Key[]>()
  for (const each of series.toSorted(compareListed)) {
    const place = JSON.stringify(placeOf(each))
    const group = found.get(place)
    if (group) group.push(each)
    else found.set(place, [each])
  }
  return [...found.values()].toSorted((a, b) => comparePlaces(placeOf(a[0]!), placeOf(b[0]!)))
}

function comparePlaces([quantity, device, index, rest]: ListPlace, other: ListPlace): number {
  const number = (text: string): number => (text === '' ? -1 : Number(text))
  return (
    compareText(quantity, other[0]) ||
    compareText(device, other[1]) ||
    number(index) - number(other[2]) ||
    compareText(rest, other[3])
  )
}
