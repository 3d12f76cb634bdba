// SenML records as they stand in a pack, from JSON or CBOR, each field checked for its type. Nothing is resolved here.

import { decode as decodeCbor } from 'cborg'
import { type Decoded, refused } from '../adapter.ts'
import { type Literal, type Numeral, isLiteral, literal, numeralText } from '../decimal.ts'
import { parseJson } from '../json-text.ts'

/** One record; fields by their labels (RFC 8428 §4.3). */
export interface SenmlRecord {
  bn?: string
  bt?: Numeral
  bu?: string
  bv?: Numeral
  bs?: Numeral
  bver?: number
  n?: string
  u?: string
  v?: Numeral
  vs?: string
  vb?: boolean
  vd?: Uint8Array
  s?: Numeral
  t?: Numeral
  ut?: Numeral
}

export interface Pack {
  readonly records: readonly SenmlRecord[]
  readonly warnings: readonly string[]
  /** The same records with each number's own digits, where the form has any. */
  exact?(): readonly SenmlRecord[]
}

// A pack is one MQTT message or CoAP block transfer; the largest seen in the field, of loggers after an outage, have 50 kB.
export const packBytesMax = 1_048_576
// A day of one channel every half minute. More is an archive, and belongs into several packs.
export const recordsMax = 4_096
// A pack is an array of flat records; what lies deeper can only stand in unknown fields.
const depthMax = 16
const textBytesMax = 4_096 // observation.proto, Measurement.text
const blobBytesMax = 65_536 // observation.proto, Measurement.blob

/** CBOR labels, RFC 8428 §6 Table 4. */
const cborLabels: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [-1, 'bver'],
  [-2, 'bn'],
  [-3, 'bt'],
  [-4, 'bu'],
  [-5, 'bv'],
  [-6, 'bs'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
])

export function readJson(bytes: Uint8Array, stream: boolean): Pack | Decoded {
  const parsed = parseJson(stream ? closed(bytes) : bytes, { bytesMax: packBytesMax, depthMax })
  if ('fault' in parsed) return refused(parsed.fault, parsed.why)
  const read = readRecords(parsed.long ? parsed.exact() : parsed.value)
  if ('outcome' in read) return read
  return { ...read, exact: () => (readRecords(parsed.exact()) as Pack).records }
}

/** A stream (SenSML, RFC 8428 §4.8) is an array that may never end: what has come is read as if it were closed. */
function closed(bytes: Uint8Array): Uint8Array {
  const open = Buffer.from(bytes).toString('latin1').trimEnd()
  return open.endsWith(']') ? bytes : Buffer.from(`${open.replace(/,$/, '')}]`, 'latin1')
}

export function readCbor(bytes: Uint8Array): Pack | Decoded {
  if (bytes.length > packBytesMax) return refused('length', `${bytes.length} bytes, at most ${packBytesMax}`)
  try {
    return readRecords(decodeCbor(bytes, cborOptions))
  } catch (error) {
    if (error instanceof RangeError) return refused('length', 'nested too deep')
    // The library's message names types and counts, but may quote a key.
    return refused('syntax', 'not CBOR')
  }
}

const cborOptions = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  // RFC 8949 §3.4.4: decimal fraction, [exponent, mantissa].
  tags: { 4: (content: () => unknown) => decimalFraction(content()) },
}

function decimalFraction(content: unknown): Literal {
  const [exponent, mantissa] = Array.isArray(content) ? (content as unknown[]) : []
  const isWhole = (part: unknown): boolean => typeof part === 'bigint' || Number.isSafeInteger(part)
  if (!isWhole(exponent) || !isWhole(mantissa)) throw new TypeError('not a decimal fraction')
  return literal(`${String(mantissa)}e${String(exponent)}`)
}

function readRecords(value: unknown): Pack | Decoded {
  if (!Array.isArray(value)) return refused('syntax', 'a pack is an array of records')
  if (value.length > recordsMax) return refused('length', `${value.length} records, at most ${recordsMax}`)
  const records: SenmlRecord[] = []
  const warnings: string[] = []
  for (let at = 0; at < value.length; at++) {
    const fields = fieldsOf((value as unknown[])[at])
    if (!fields) return refused('syntax', `record ${at + 1} is not a map of fields`)
    const record: SenmlRecord = {}
    for (const label of Object.keys(fields)) {
      const reader = readers[label as keyof SenmlRecord] as Reader | undefined
      const fault = reader ? reader(record, fields[label]) : unknownField(label)
      if (fault) return refused(fault.fault, `record ${at + 1}: ${fault.why}`)
      if (!reader) warnings.push(`record ${at + 1}: an unknown field was passed over`)
    }
    records.push(record)
  }
  return { records, warnings: warnings.length > warningsMax ? summed(warnings) : warnings }
}

// Warnings are kept with the frame; a pack of thousands of records says the same of each.
const warningsMax = 8
const summed = (warnings: readonly string[]): string[] => [
  ...warnings.slice(0, warningsMax),
  `and ${warnings.length - warningsMax} more`,
]

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value instanceof Map) {
    const named = Object.create(null) as Record<string, unknown>
    for (const [key, field] of value as Map<unknown, unknown>) named[cborLabels.get(key) ?? String(key)] = field
    return named
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLiteral(value)) return undefined
  return value as Readonly<Record<string, unknown>>
}

type FieldFault = { fault: 'syntax' | 'range' | 'length' | 'unsupported'; why: string }
const wrong = (why: string, fault: FieldFault['fault'] = 'syntax'): FieldFault => ({ fault, why })

// RFC 8428 §4.4: a receiver that does not know such a field must not read the pack.
const unknownField = (label: string): FieldFault | undefined =>
  label.endsWith('_') ? wrong('a field that must be understood and is not', 'unsupported') : undefined

type Reader = (record: SenmlRecord, field: unknown) => FieldFault | undefined

const readers: Readonly<Record<keyof SenmlRecord, Reader>> = Object.assign(Object.create(null) as object, {
  bn: text('bn'),
  bu: text('bu'),
  n: text('n'),
  u: text('u'),
  vs: text('vs'),
  bt: number('bt'),
  bv: number('bv'),
  bs: number('bs'),
  v: number('v'),
  s: number('s'),
  t: number('t'),
  ut: number('ut'),
  bver(record: SenmlRecord, field: unknown) {
    const version = isLiteral(field) ? Number(field.text) : field
    if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
      return wrong('bver is not a positive whole number')
    }
    record.bver = version
    return undefined
  },
  vb(record: SenmlRecord, field: unknown) {
    if (typeof field !== 'boolean') return wrong('vb is not true or false')
    record.vb = field
    return undefined
  },
  vd(record: SenmlRecord, field: unknown) {
    const bytes = typeof field === 'string' ? base64url(field) : field
    if (!(bytes instanceof Uint8Array)) return wrong('vd is not bytes')
    if (bytes.length > blobBytesMax) return wrong(`vd has ${bytes.length} bytes, at most ${blobBytesMax}`, 'length')
    record.vd = bytes
    return undefined
  },
})

function text(label: 'bn' | 'bu' | 'n' | 'u' | 'vs'): Reader {
  return (record, field) => {
    if (typeof field !== 'string') return wrong(`${label} is not a text`)
    // UTF-8 has at most three bytes for each UTF-16 unit, so most texts need no counting.
    if (field.length * 3 > textBytesMax && Buffer.byteLength(field) > textBytesMax)
      return wrong(`${label} is longer than ${textBytesMax} bytes`, 'length')
    // A half of a surrogate pair can be escaped in JSON, and has no UTF-8.
    if (!field.isWellFormed()) return wrong(`${label} is not well-formed text`)
    record[label] = field
    return undefined
  }
}

function number(label: 'bt' | 'bv' | 'bs' | 'v' | 's' | 't' | 'ut'): Reader {
  return (record, field) => {
    if (typeof field === 'number' || typeof field === 'bigint' || isLiteral(field)) record[label] = field
    else return wrong(`${label} is not a number`)
    // JSON has no infinity, but 1e999 reads as one.
    const double = typeof field === 'number' ? field : Number(numeralText(field))
    return Number.isFinite(double) ? undefined : wrong(`${label} is beyond all numbers`, 'range')
  }
}

/** RFC 8428 §5: base64 with the URL alphabet, padding omitted. Padding is let pass, as several libraries write it. */
function base64url(field: string): Uint8Array | undefined {
  const body = field.replace(/={1,2}$/, '')
  if (!/^[A-Za-z0-9_-]*$/.test(body) || body.length % 4 === 1) return undefined
  return Uint8Array.from(Buffer.from(body, 'base64url'))
}
