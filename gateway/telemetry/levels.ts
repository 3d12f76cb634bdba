// Levels: what stands for a minute or an hour of a series when its values are no longer kept. What every store agrees on: which level
// answers a question, and for which part of it. Its promise: before the horizon levels answer, from it on values do, in whole
// hours, so that no value counts in both.

import type { QueryPlan } from './store.ts'

export const minuteMs = 60_000
export const hourMs = 3_600_000
export type Level = 'minutes' | 'hours'
export const levelMs: Readonly<Record<Level, number>> = { minutes: minuteMs, hours: hourMs }

/** Values are kept from here on; whole hours, so that an hour is made of all its values or of none. */
export const horizonAt = (nowMs: number, keepMs: number): number => beginOf('hours', nowMs - keepMs)

export const beginOf = (level: Level, atMs: number): number => Math.floor(atMs / levelMs[level]) * levelMs[level]

/** Which level answers for the time before `horizon`; undefined: none can, or none need. */
export function levelOf({ windowMs, includeBad, fromMs }: QueryPlan, horizon: number): Level | undefined {
  if (windowMs === undefined || includeBad || fromMs >= horizon) return undefined
  if (windowMs % hourMs === 0) return 'hours'
  return windowMs % minuteMs === 0 ? 'minutes' : undefined
}

/** The parts that it answers with: of a part that the range cuts, nothing is known. */
export function levelRange({ fromMs, toMs }: QueryPlan, level: Level, horizon: number) {
  const unit = levelMs[level]
  return { fromMs: Math.ceil(fromMs / unit) * unit, toMs: Math.min(beginOf(level, toMs), horizon) }
}
