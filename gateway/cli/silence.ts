// What is not there, in sentences: a series that fell silent, one that has nothing, a store that is behind, an answer that was cut.
// Nobody may take the end of a table for the present.

import type { Answer, ShownPoint, ShownSeries } from './series-answer.ts'
import { spanText, stampText } from './time.ts'

/** A store that is this far behind is not told of: an answer takes as long. */
const behindMsMin = 2_000
/** A device that sends every second is not called silent for one lost message. */
const silentMsMin = 10_000
/** So many of its usual intervals. */
const silentIntervals = 3
const listedMax = 10
const pointsAimed = 1_000

/** Where what is asked for ends, as far as it is known. */
export const endMsOf = ({ toMs, askedMs, completeUntilMs }: Answer): number => Math.min(toMs, askedMs, completeUntilMs)

/** How long a series usually takes to say its next value; undefined for fewer than three points, which show no habit. */
export function usualMs(points: readonly ShownPoint[], windowMs?: number): number | undefined {
  if (points.length < 3) return undefined
  const betweenMs = median(points.slice(1).map(({ atMs }, at) => atMs - points[at]!.atMs))
  // Windows that follow each other hide the habit; how many values each has, tells it.
  return betweenMs === windowMs ? betweenMs / Math.max(median(points.map(({ count }) => count)), 1) : betweenMs
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

/** How long it has been silent at the end of the range; undefined: it has not, or it has no habit to judge by. */
export function silentMs({ points, truncated, lastMs }: ShownSeries, answer: Answer): number | undefined {
  const usual = usualMs(points, answer.windowMs)
  if (usual === undefined || truncated) return undefined
  const quietMs = endMsOf(answer) - lastMs
  return quietMs > Math.max(usual * silentIntervals, silentMsMin) ? quietMs : undefined
}

export function missingText(answer: Answer): string[] {
  return [...silentText(answer), ...behindText(answer), ...cutText(answer)]
}

function silentText(answer: Answer): string[] {
  const fallen = answer.shown.flatMap((each) => {
    const quietMs = silentMs(each, answer)
    if (quietMs === undefined) return []
    return [`${each.name}: SILENT for ${spanText(quietMs)}; its last value is of ${stampOf(each.lastMs)}`]
  })
  const none = answer.silent.map(({ name, firstMs, lastMs }) => {
    if (lastMs < answer.fromMs)
      return `${name}: SILENT in all of this range; its last value is of ${stampOf(lastMs)} (${spanText(answer.askedMs - lastMs)} ago)`
    if (firstMs >= answer.toMs) return `${name}: nothing in this range; its first value is of ${stampOf(firstMs)}`
    return `${name}: no value in this range that is sound (see --include-bad)`
  })
  const all = [...fallen, ...none]
  return all.length > listedMax ? [...all.slice(0, listedMax), `and ${all.length - listedMax} more such series`] : all
}

function behindText({ toMs, askedMs, completeUntilMs }: Answer): string[] {
  const behindMs = Math.min(toMs, askedMs) - completeUntilMs
  if (behindMs < behindMsMin) return []
  return [
    `The store has what was logged up to ${stampOf(completeUntilMs)}; of the last ${spanText(behindMs)} values may still be missing.`,
  ]
}

function cutText({ shown, truncated, fromMs, toMs }: Answer): string[] {
  const cut = shown.filter((each) => each.truncated)
  const texts = cut.slice(0, listedMax).map(({ name, points }) => {
    const last = points.at(-1)
    const reach = last ? ` and ends at ${stampOf(last.atMs)}` : ''
    return `${name}: TRUNCATED, it has more than these ${points.length} values${reach}`
  })
  if (cut.length > 0)
    texts.push(
      `Ask for a shorter range, for windows (--window ${windowFor(toMs - fromMs)}), or more with --max-points.`,
    )
  else if (truncated) texts.push('TRUNCATED: there are more series; name some with --device, or see --max-series.')
  return texts
}

const stampOf = (ms: number): string => stampText(BigInt(ms) * 1_000_000n).replace(/\.000$/, '')

/** The first length that people use which leaves about a thousand windows. */
export function windowFor(rangeMs: number): string {
  const lengths = [[1, 's'], [5, 's'], [15, 's'], [30, 's'], [1, 'm'], [5, 'm'], [15, 'm'], [30, 'm'], [1, 'h'], [6, 'h'], [1, 'd']] as const // prettier-ignore
  const unitMs = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 }
  const [count, unit] = lengths.find(([n, name]) => n * unitMs[name] * pointsAimed >= rangeMs) ?? lengths.at(-1)!
  return `${count}${unit}`
}
