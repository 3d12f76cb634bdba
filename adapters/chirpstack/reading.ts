// Fields of a message as they come, whether JSON or protobuf wrote them: absent and zero are the same in proto3, enums are names or
// numbers, times are text or seconds and nanoseconds, bytes are base64 or bytes. What is of another type makes the reading fail.

import { type Decoded, type Fault, refused } from '../adapter.ts'
import type { Timestamp } from '../../proto/generated/types.ts'
import { type Int64, toNumber } from '../../proto/int64.ts'
import { parseRfc3339, timestamp } from '../../proto/time.ts'

export type Fields = Readonly<Record<string, unknown>>

/** What one frame's reading has found out beside its events. The first fault counts. */
export interface Reading {
  fault?: { readonly fault: Fault; readonly why: string }
  readonly warnings: Set<string>
}

export const createReading = (): Reading => ({ warnings: new Set() })

export function fail(reading: Reading, why: string, fault: Fault = 'syntax'): undefined {
  reading.fault ??= { fault, why }
}

export const refusalOf = ({ fault }: Reading): Decoded | undefined => fault && refused(fault.fault, fault.why)

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A message inside a message; undefined: absent. */
export function fieldsAt(reading: Reading, message: Fields, name: string): Fields | undefined {
  const value = message[name]
  if (value === undefined || value === null) return undefined
  return isFields(value) ? value : fail(reading, `${name} is not an object`)
}

export function listAt(reading: Reading, message: Fields, name: string): readonly Fields[] {
  const value = message[name]
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(isFields)) return value
  return fail(reading, `${name} is not a list of objects`) ?? []
}

/** Absent is ''. Ids of version 3 are also written as numbers. */
export function textAt(reading: Reading, message: Fields, name: string): string {
  const value = message[name]
  if (typeof value === 'string') return value.toWellFormed()
  if (value === undefined || value === null) return ''
  return typeof value === 'number' ? String(value) : (fail(reading, `${name} is not text`) ?? '')
}

/** ProtoJSON writes 64-bit numbers as text, and takes text for any number. */
export function numberAt(reading: Reading, message: Fields, name: string): number | undefined {
  const value = message[name]
  if (value === undefined || value === null) return undefined
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : fail(reading, `${name} is not a number`)
}

/** A whole number that proto3 leaves out when it is zero. */
export const countAt = (reading: Reading, message: Fields, name: string): number =>
  numberAt(reading, message, name) ?? 0

export function flagAt(reading: Reading, message: Fields, name: string): boolean {
  const value = message[name]
  if (typeof value === 'boolean') return value
  return value === undefined || value === null ? false : (fail(reading, `${name} is neither true nor false`) ?? false)
}

/** A name as the schema has it; a number that the schema does not have stays a number. */
export function nameAt(message: Fields, name: string, names: readonly string[]): string {
  const value = message[name] ?? 0
  return typeof value === 'number'
    ? (names[value] ?? String(value))
    : typeof value === 'string'
      ? value.toWellFormed()
      : ''
}

// google.protobuf.Timestamp: the years 1 to 9999.
const secondsMin = -62_135_596_800
const secondsMax = 253_402_300_799

export function timeAt(reading: Reading, message: Fields, name: string): Timestamp | undefined {
  const value = message[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') {
    const ns = parseRfc3339(value)
    return ns === undefined ? fail(reading, `${name} is no RFC 3339 time`) : timestamp(ns)
  }
  if (!isFields(value)) return fail(reading, `${name} is no time`)
  const [seconds, nanos] = [toNumber(value['seconds'] as Int64 | undefined), Number(value['nanos'] ?? 0)]
  const isTime = seconds >= secondsMin && seconds <= secondsMax && nanos >= 0 && nanos <= 999_999_999
  return isTime ? { seconds, nanos } : fail(reading, `${name} is not a time between the years 1 and 9999`, 'range')
}

const base64Form = /^[A-Za-z0-9+/_-]*={0,2}$/

/** Absent is no bytes. */
export function bytesAt(reading: Reading, message: Fields, name: string): Uint8Array {
  const value = message[name]
  if (value === undefined || value === null) return none
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string' && base64Form.test(value)) return Uint8Array.from(Buffer.from(value, 'base64'))
  return fail(reading, `${name} is not base64`) ?? none
}

const none = new Uint8Array()

/**
 * An address of so many bytes as lower-case hex digits. Version 4 writes hex, version 3 base64 or hex by its marshaler; the padding
 * or the length tells them apart. Undefined: absent.
 */
export function addressAt(reading: Reading, message: Fields, name: string, bytes: number): string | undefined {
  const value = message[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') {
    if (value.length === bytes * 2 && /^[0-9A-Fa-f]+$/.test(value)) return value.toLowerCase()
    const read = base64Form.test(value) ? Buffer.from(value, 'base64') : undefined
    if (read?.length === bytes) return read.toString('hex')
  }
  return fail(reading, `${name} is not an address of ${bytes} bytes in hex or base64`)
}

/** Protobuf's `float` as a person would write it, 9.2 and not 9.199999809265137, so that both marshalers say the same. */
export function shortFloat(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}
