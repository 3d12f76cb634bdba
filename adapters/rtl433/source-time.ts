// `time` as rtl_433 writes it, by its option -M time: local or with offset, with a T or a space, seconds since 1970, or the place in
// a recording. A local time is one only in the zone that the site declares; the place in a recording is none at all.

import { readTime } from '../written-time.ts'

export interface SourceTime {
  /** UTC; undefined: the message does not say when. */
  readonly ns: bigint | undefined
  /** What tells two messages of one source apart in time, from whatever beginning. */
  readonly stampNs: bigint | undefined
}

const unknown: SourceTime = { ns: undefined, stampNs: undefined }

// -M time:unix, and with :usec six digits after the point. Programs between us and rtl_433 also write milliseconds and microseconds.
const unix = /^\d{9,11}(?:\.\d{1,9})?$/
const unixFormats: readonly (readonly [RegExp, string])[] = [
  [unix, 'unix_s'],
  [/^\d{13}$/, 'unix_ms'],
  [/^\d{16}$/, 'unix_us'],
]
/** "@0.123456s": so far into the recording that was played. */
const inRecording = /^@(\d{1,9}(?:\.\d{1,9})?)s$/

export function readSourceTime(value: unknown, zone: string | undefined): SourceTime {
  if (typeof value !== 'string' && typeof value !== 'number') return unknown
  const text = String(value)
  for (const [form, format] of unixFormats) {
    if (form.test(text)) return absolute(readTime(text, format, undefined))
  }
  const [, offset = ''] = inRecording.exec(text) ?? []
  if (offset !== '') return { ns: undefined, stampNs: readTime(offset, 'unix_s', undefined) }
  const ns = readTime(text, 'rfc3339', zone)
  return ns === undefined ? { ns, stampNs: readTime(text, 'rfc3339', 'UTC') } : absolute(ns)
}

const absolute = (ns: bigint | undefined): SourceTime => ({ ns, stampNs: ns })
