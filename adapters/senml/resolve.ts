// RFC 8428 §4.6: records with base fields → records that stand alone, with absolute times. All arithmetic is decimal and exact.

import { type Decoded, refused } from '../adapter.ts'
import {
  type Decimal,
  type Numeral,
  addDecimals,
  decimal,
  decimalNumber,
  decimalText,
  literal,
  nanoseconds,
  wholeMicros,
  wholeSecondsNs,
} from '../decimal.ts'
import { isSame, senmlUnits } from '../units.ts'
import type { SenmlRecord } from './records.ts'

export interface Resolved {
  /** The base name in force, and the record's own name; together the sensor's name. */
  readonly base: string
  readonly rest: string
  readonly unit: string
  /** Nanoseconds UTC. */
  readonly time: bigint
  /** Whether the source gave it, not the gateway's clock. */
  readonly absolute: boolean
  readonly value?: Numeral | string | boolean | Uint8Array
  readonly isText?: boolean
  readonly sum?: Numeral
  readonly updateTime?: Numeral
}

// RFC 8428 §4.4: the version of that document.
const versionMax = 10
// RFC 9100 §2: version 10 with the bit of feature 4, secondary units.
const versionWithSecondaryUnits = 26
const versionDefault = 10

// RFC 8428 §4.5.1: letters, digits and - : . / _, the first a letter or digit.
export const nameForm = /^[A-Za-z0-9][-A-Za-z0-9:./_]*$/

// RFC 8428 §4.5.3: below 2^28 seconds a time is relative to now.
export const relativeSecondsMax = 268_435_456
const relativeNsMax = BigInt(relativeSecondsMax) * 1_000_000_000n
// google.protobuf.Timestamp: the years 1 to 9999.
export const timeNsMin = -62_135_596_800_000_000_000n
export const timeNsMax = 253_402_300_799_999_999_999n

type Base = Pick<SenmlRecord, 'bn' | 'bt' | 'bu' | 'bv' | 'bs'>

export function resolve(
  records: readonly SenmlRecord[],
  receivedAt: bigint,
  exact?: () => readonly SenmlRecord[],
): readonly Resolved[] | Decoded {
  const version = versionOf(records)
  if (typeof version === 'object') return version
  const base: Base = {}
  const clock: Clock = { receivedAt, t: undefined, bt: undefined, time: { time: receivedAt, absolute: false } }
  const resolved: Resolved[] = []
  const read = exact && needsDigits(records) ? exact() : records
  for (let at = 0; at < read.length; at++) {
    const record = read[at]!
    if (record.bn !== undefined) base.bn = record.bn
    if (record.bt !== undefined) base.bt = record.bt
    if (record.bu !== undefined) base.bu = record.bu
    if (record.bv !== undefined) base.bv = record.bv
    if (record.bs !== undefined) base.bs = record.bs
    if (!saysSomething(record)) continue
    const one = resolveOne(record, base, clock)
    if (isFault(one)) return refused(one.fault, `record ${at + 1}: ${one.why}`)
    resolved.push(one)
  }
  return resolved
}

type Time = Pick<Resolved, 'time' | 'absolute'>

/** The latest time that was made out, and of what: most records of a pack share one. */
interface Clock {
  readonly receivedAt: bigint
  t: Numeral | undefined
  bt: Numeral | undefined
  time: Time
}

/** RFC 8428 §4.4: a pack is of one version. */
function versionOf(records: readonly SenmlRecord[]): number | Decoded {
  let version: number | undefined
  for (const { bver } of records) {
    if (bver === undefined) continue
    if (version !== undefined && bver !== version) return refused('syntax', 'records of different versions in one pack')
    if (bver > versionMax && bver !== versionWithSecondaryUnits) return refused('unsupported', `version ${bver}`)
    version = bver
  }
  return version ?? versionDefault
}

/** A value in a unit that we convert is kept with the digits that the source wrote. */
function needsDigits(records: readonly SenmlRecord[]): boolean {
  return records.some(({ u, bu }) => isConverted(u) || isConverted(bu))
}

const isConverted = (unit: string | undefined): boolean => {
  const known = unit === undefined ? undefined : senmlUnits.get(unit)
  return known !== undefined && !isSame(known)
}

/** Whether there is more to it than base fields. */
const saysSomething = ({ n, u, v, vs, vb, vd, s, t, ut }: SenmlRecord): boolean =>
  v !== undefined ||
  n !== undefined ||
  u !== undefined ||
  vs !== undefined ||
  vb !== undefined ||
  vd !== undefined ||
  s !== undefined ||
  t !== undefined ||
  ut !== undefined

type Fault = { fault: 'syntax' | 'range'; why: string }

function resolveOne(record: SenmlRecord, base: Base, clock: Clock): Resolved | Fault {
  const { bn = '', bu = '' } = base
  const { n = '', u = bu } = record
  if (!nameForm.test(bn + n)) return { fault: 'syntax', why: nameFault(bn + n) }
  const value = valueOf(record, base)
  if (value !== undefined && isFault(value)) return value
  if (value === undefined && record.s === undefined) return { fault: 'syntax', why: 'neither a value nor a sum' }
  const time = timeOf(record.t, base.bt, clock)
  if (isFault(time)) return time
  const sum = added(record.s, base.bs)
  if (sum !== undefined && isFault(sum)) return sum
  return {
    base: bn,
    rest: n,
    unit: u,
    time: time.time,
    absolute: time.absolute,
    ...(value !== undefined && { value, isText: record.vs !== undefined }),
    ...(sum !== undefined && { sum }),
    ...(record.ut !== undefined && { updateTime: record.ut }),
  }
}

const nameFault = (name: string): string =>
  name === ''
    ? 'no name and no base name'
    : 'the name has other than letters, digits and -:./_, or begins with one of these'

const isFault = (value: unknown): value is Fault => typeof value === 'object' && value !== null && 'fault' in value

/** RFC 8428 §4.2: exactly one of v, vs, vb, vd, or none beside a sum. */
function valueOf(record: SenmlRecord, base: Base): Resolved['value'] | Fault {
  const { v, vs, vb, vd } = record
  const others = Number(vs !== undefined) + Number(vb !== undefined) + Number(vd !== undefined)
  if (others + Number(v !== undefined) > 1) return { fault: 'syntax', why: 'more than one value' }
  return v === undefined ? (vs ?? vb ?? vd) : added(v, base.bv)
}

/** RFC 8428 §4.5.4: of the two, a missing one counts as zero; with neither there is none. */
function added(own: Numeral | undefined, base: Numeral | undefined): Numeral | undefined | Fault {
  if (base === undefined) return own
  if (own === undefined) return base
  const sum = addedDecimals(own, base)
  if (!sum || !Number.isFinite(decimalNumber(sum)))
    return { fault: 'range', why: 'base and value add up beyond all numbers' }
  return literal(decimalText(sum))
}

function addedDecimals(a: Numeral, b: Numeral): Decimal | undefined {
  const [one, other] = [decimal(a), decimal(b)]
  return one && other && addDecimals(one, other)
}

function addedNs(t: Numeral, bt: Numeral): bigint {
  if (Number.isSafeInteger(t) && Number.isSafeInteger(bt))
    return wholeSecondsNs(t as number) + wholeSecondsNs(bt as number)
  const [microsT, microsBt] = [wholeMicros(t), wholeMicros(bt)]
  if (microsT !== undefined && microsBt !== undefined) return BigInt(microsT + microsBt) * 1000n
  return nanoseconds(addedDecimals(t, bt) ?? zero)
}

const zero: Decimal = { digits: 0n, exponent: 0 }

function timeOf(t: Numeral | undefined, bt: Numeral | undefined, clock: Clock): Time | Fault {
  if (t === clock.t && bt === clock.bt) return clock.time
  const ns = addedNs(t ?? 0, bt ?? 0)
  const time = ns < relativeNsMax ? clock.receivedAt + ns : ns
  if (time < timeNsMin || time > timeNsMax) return { fault: 'range', why: 'a time beyond the years 1 to 9999' }
  clock.t = t
  clock.bt = bt
  clock.time = { time, absolute: ns >= relativeNsMax }
  return clock.time
}
