// The axes of a plot: round numbers at the left, round times of this machine's zone below.

import { numberText } from './event-summary.ts'

export interface ValueAxis {
  readonly least: number
  readonly greatest: number
  readonly ticks: readonly { readonly value: number; readonly text: string }[]
}

/** Beyond it there is no room left between two numbers to compute with. */
const valueMax = 1e300
/** Nearer to zero than this is zero, for the same reason. */
const valueMin = 1e-300
/** Nearer to each other than this, numbers are the same for a plot. */
const sameWithin = 1e-9

/** From a round number at or below the values to one at or above them, by steps of 1, 2 or 5 times a power of ten. */
export function valueAxis(values: readonly number[], stepsMax: number): ValueAxis {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    const bounded = Math.abs(value) < valueMin ? 0 : Math.min(Math.max(value, -valueMax), valueMax)
    if (bounded < least) least = bounded
    if (bounded > greatest) greatest = bounded
  }
  if (least > greatest) [least, greatest] = [0, 1]
  const size = Math.max(Math.abs(least), Math.abs(greatest))
  if (greatest - least <= size * sameWithin) {
    const room = size === 0 ? 1 : size * 0.1
    ;[least, greatest] = [least - room, greatest + room]
  }
  const step = roundStep((greatest - least) / stepsMax)
  const [first, last] = [Math.floor(least / step + sameWithin), Math.ceil(greatest / step - sameWithin)]
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + sameWithin))
  const isPlain = step >= 1e-4 && last * step < 1e7 && first * step > -1e7
  return {
    least: first * step,
    greatest: last * step,
    ticks: Array.from({ length: last - first + 1 }, (_, at) => {
      const value = (first + at) * step
      return { value, text: isPlain ? value.toFixed(decimals) : numberText(value) }
    }),
  }
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * (1 - sameWithin)) ?? 10
  return factor * power
}

export interface TimeTick {
  readonly atMs: number
  readonly text: string
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const stepsMs = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hourMs),
  ...[1, 2, 7, 14, 30, 60, 180, 365, 3_650].map((days) => days * dayMs),
]

/** At most `ticksMax` and one, at round times of the day here; the date stands where a day begins. */
export function timeTicks(fromMs: number, toMs: number, ticksMax: number): TimeTick[] {
  const stepMs = stepsMs.find((each) => (toMs - fromMs) / each <= ticksMax) ?? stepsMs.at(-1)!
  const from = new Date(fromMs)
  const [year, month, day] = [from.getFullYear(), from.getMonth(), from.getDate()]
  const midnightMs = new Date(year, month, day).getTime()
  const ticks: TimeTick[] = []
  // Hours are counted by the calendar, so that they stay round when the clocks change.
  const timeAt = (count: number): number =>
    stepMs < hourMs ? midnightMs + count * stepMs : new Date(year, month, day, (count * stepMs) / hourMs).getTime()
  for (let count = Math.max(0, Math.floor((fromMs - midnightMs) / stepMs) - 1); timeAt(count) < toMs; count++) {
    if (timeAt(count) >= fromMs) ticks.push({ atMs: timeAt(count), text: tickText(new Date(timeAt(count)), stepMs) })
  }
  return ticks
}

function tickText(at: Date, stepMs: number): string {
  const [month, day] = [two(at.getMonth() + 1), two(at.getDate())]
  if (stepMs >= 180 * dayMs) return `${at.getFullYear()}-${month}`
  const isDayBegin = at.getHours() + at.getMinutes() + at.getSeconds() === 0
  if (stepMs >= dayMs || isDayBegin) return `${month}-${day}`
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`
  return stepMs < minuteMs ? `${clock}:${two(at.getSeconds())}` : clock
}

const two = (value: number): string => String(value).padStart(2, '0')
