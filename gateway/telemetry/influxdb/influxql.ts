// Questions in InfluxQL as the database's own text. Its promise: whatever a caller names, it stays a value; and what is compared is the
// text as the output wrote it (line-protocol.ts), which has neither line breaks nor backslashes in tags.

import { encodeTag } from '../../outputs/influxdb/line-protocol.ts'
import { overBudget } from '../../outputs/influxdb/cardinality.ts'

/** InfluxDB's own limits of time, in nanoseconds. */
const nsMin = -9_223_372_036_854_775_806n
const nsMax = 9_223_372_036_854_775_806n

export const identifier = (name: string): string => `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`

export const literal = (text: string): string =>
  `'${text.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}'`

/** The tag has one of these values, or had one beyond its budget. Undefined: any will do. */
export function tagIsAny(tag: string, values: readonly string[]): string | undefined {
  if (values.length === 0) return undefined
  const wanted = [...values.map((value) => encodeTag(value)), overBudget]
  return `(${wanted.map((value) => `${identifier(tag)} = ${literal(value)}`).join(' OR ')})`
}

/** From `fromMs` on, before `toMs`. */
export function within(fromMs: number, toMs: number): string {
  return `time >= ${nanoseconds(fromMs)} AND time < ${nanoseconds(toMs)}`
}

function nanoseconds(ms: number): bigint {
  const ns = BigInt(ms) * 1_000_000n
  return ns < nsMin ? nsMin : ns > nsMax ? nsMax : ns
}

export const where = (...conditions: readonly (string | undefined)[]): string => {
  const set = conditions.filter((condition) => condition !== undefined && condition !== '')
  return set.length === 0 ? '' : ` WHERE ${set.join(' AND ')}`
}
