// The water of the story: rain over a valley, and what it makes of a river. A minute goes in, a value comes out, always the same; a
// gauge further down sees the same wave later and lower.

/** Millimetres an hour over the hills: a thunderstorm that stands still for half an hour. */
export function rainMmPerHour(minute: number): number {
  return 0.4 + 61 * bell(minute, 13, 7) + 22 * bell(minute, 27, 5)
}

/** Millimetres since the hour began. */
export function rainMm(minute: number): number {
  let sum = 0
  for (let at = 0; at < minute; at++) sum += rainMmPerHour(at) / 60
  return sum
}

export interface Reach {
  /** Metres on the gauge before the rain. */
  readonly baseM: number
  /** How long the water needs from the hills. */
  readonly delayMin: number
  /** How long half of it needs to run off again. */
  readonly halfLifeMin: number
  /** Metres for each millimetre that is on its way, below a power that stands for the widening bed. */
  readonly gain: number
}

/** A reservoir that rain fills and that empties in proportion to what it holds; the bed widens, so the level rises less and less. */
export function levelM({ baseM, delayMin, halfLifeMin, gain }: Reach, minute: number): number {
  const kept = 0.5 ** (1 / halfLifeMin)
  let storedMm = 0
  for (let at = 0; at <= minute; at++) storedMm = storedMm * kept + rainMmPerHour(at - delayMin) / 60
  return baseM + gain * storedMm ** 0.6
}

/** Between 0 and 1, 1 at the middle. */
const bell = (minute: number, middle: number, width: number): number => Math.exp(-(((minute - middle) / width) ** 2))
