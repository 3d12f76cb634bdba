// Times: inside, a bigint of nanoseconds since 1970-01-01 UTC; on the wire, google.protobuf.Timestamp. Exact both ways.

import type { Duration, Timestamp } from './generated/types.ts'
import { toNumber } from './int64.ts'

export const nsPerMs = 1_000_000n
export const nsPerSecond = 1_000_000_000n

// The latest, because one time of receipt is written several times for each message, and division of a bigint is slow.
let latestNs = 0n
let latestSeconds = 0
let latestNanos = 0

export function timestamp(ns: bigint): Timestamp {
  if (ns !== latestNs) {
    let seconds = ns / nsPerSecond
    let nanos = Number(ns - seconds * nsPerSecond)
    // Timestamp counts nanos forward from the second also before 1970 (timestamp.proto).
    if (nanos < 0) {
      seconds -= 1n
      nanos += 1_000_000_000
    }
    latestNs = ns
    latestSeconds = Number(seconds)
    latestNanos = nanos
  }
  return { seconds: latestSeconds, nanos: latestNanos }
}

export function timestampNs(value: Timestamp | undefined | null): bigint | undefined {
  if (!value) return undefined
  return BigInt(toNumber(value.seconds)) * nsPerSecond + BigInt(value.nanos ?? 0)
}

export function duration(ns: bigint): Duration {
  const seconds = ns / nsPerSecond
  return { seconds: Number(seconds), nanos: Number(ns - seconds * nsPerSecond) }
}

export function durationMs(value: Duration | undefined | null): number | undefined {
  if (!value) return undefined
  return toNumber(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6
}

/** RFC 3339 with the digits the time has: "2026-11-22T12:00:00Z", "….123456789Z". */
export function rfc3339(ns: bigint): string {
  const { seconds = 0, nanos = 0 } = timestamp(ns)
  const whole = new Date(toNumber(seconds) * 1000).toISOString().slice(0, 19)
  const fraction =
    nanos === 0
      ? ''
      : `.${String(nanos)
          .padStart(9, '0')
          .replace(/(000)+$/, '')}`
  return `${whole}${fraction}Z`
}

const rfc3339Form = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?(Z|z|[+-]\d{2}:?\d{2})?$/

/**
 * Nanoseconds of an RFC 3339 time, exact to the ninth digit; undefined when it is none. A time without a zone is read with
 * `zoneDefault`, and is none when that is absent.
 */
export function parseRfc3339(text: string, zoneDefault?: 'Z'): bigint | undefined {
  const match = rfc3339Form.exec(text)
  const zone = match?.[4] ?? zoneDefault
  if (!match || zone === undefined) return undefined
  const zoned = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()
  const ms = Date.parse(`${match[1]}T${match[2]}${zoned}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * nsPerMs + BigInt((match[3] ?? '').padEnd(9, '0') || '0')
}
