// Levels as rows of InfluxDB: one for each minute or hour of a series, in retention policies of their own, under the measurement and the
// tags of the values. Its promise: the same values give the same row, which is written over itself, and who reads it back has every
// digit.
//
// What tells series of the same tags apart (unit, subject, names over their budget) is a field, and makes the digits of the row's time
// below the begin of its minute. Should two have the same digits, both stand in one row: `exact` is a list. The gateway reads
// `exact`; the other fields are for charts, and of the first in the list.

import { crc32 } from 'node:zlib'
import type { Quality } from '../../../proto/generated/types.ts'
import { qualityNames } from '../../outputs/influxdb/fields.ts'
import { decodeText, type Lines } from '../../outputs/influxdb/line-protocol.ts'
import type { Summary } from '../aggregate.ts'
import { beginOf, type Level } from '../levels.ts'
import type { SeriesKey, Value } from '../store.ts'
import type { Cell, Rows } from './client.ts'
import { createKeys, groupOf, tags } from './rows.ts'

/** Retention policies (1.x); in versions 2 and 3 a bucket or database `<database>/<policy>`. */
export const levelPolicies: Readonly<Record<Level, string>> = { minutes: 'tocsin_minutes', hours: 'tocsin_hours' }

/** What a row is read by. `variants`: how many series of these tags have this minute or hour. */
export const levelFields = ['exact', 'variants'] as const

export interface Part {
  readonly key: SeriesKey
  readonly part: Summary
}

type Names = readonly string[]
type Exact = readonly [
  of: readonly [unit: string, subject: string, ...names: Names],
  count: number,
  quality: number,
  numbers: number,
  /** As text: JSON has no infinity. */
  sum: string,
  min: string | null,
  max: string | null,
  first: string | null,
  last: string | null,
]

/** Writes what stands for the minute or hour at `beginMs` of all series of one group of tags. Returns how many rows. */
export function writeLevelRows(
  lines: Lines,
  measurement: string,
  given: Rows['tags'],
  beginMs: number,
  parts: Iterable<Part>,
): number {
  const rows = new Map<number, Exact[]>()
  let variants = 0
  for (const { key, part } of parts) {
    if (part.count === 0) continue
    variants++
    const of = namesOf(key, given)
    const digits = crc32(JSON.stringify(of))
    const exact = exactOf(of, part)
    const row = rows.get(digits)
    if (row) row.push(exact)
    else rows.set(digits, [exact])
  }
  for (const [digits, exact] of rows) {
    const first = exact.length > 1 ? exact.toSorted(compareExact)[0]! : exact[0]!
    const [[unit, subject], count, quality, numbers, sum, min, max] = first
    lines.begin(measurement)
    for (const tag of tags) lines.tag(tag, decodeText(given[tag] ?? ''))
    lines.integer('count', count)
    lines.integer('numbers', numbers)
    lines.float('sum', Number(sum))
    if (min !== null) lines.float('min', chartNumber(min))
    if (max !== null) lines.float('max', chartNumber(max))
    lines.text('quality', qualityNames.get(quality) ?? String(quality))
    if (unit !== '') lines.text('unit', unit)
    lines.text('subject', subject)
    lines.integer('variants', variants)
    lines.text('exact', JSON.stringify(exact.length > 1 ? exact.toSorted(compareExact) : exact))
    // Below 4.3 s, so within the minute.
    lines.end(beginMs + Math.floor(digits / 1_000_000), digits % 1_000_000)
  }
  return rows.size
}

/** For the rows of one group in one answer; `known` keeps keys between answers, and with those of values. */
export function createLevelReader({ columns, tags: given }: Rows, level: Level, known: Map<string, SeriesKey>) {
  const exactAt = columns.indexOf('exact')
  const variantsAt = columns.indexOf('variants')
  const keyOf = createKeys(given, known)
  return {
    beginMs: (row: readonly Cell[]): number => beginOf(level, Math.floor(Number(row[0]) / 1_000)),
    variants: (row: readonly Cell[]): number => Number(row[variantsAt] ?? 0),
    parts(row: readonly Cell[]): Part[] {
      const cell = row[exactAt]
      if (typeof cell !== 'string') return []
      return (JSON.parse(decodeText(cell)) as readonly Exact[]).map((exact) => {
        const [unit, subject, ...names] = exact[0]
        return { key: keyOf(unit, subject, names), part: summaryOf(exact) }
      })
    },
  }
}

/** What the tags do not say of the series; names only where a tag was over its budget. */
function namesOf(key: SeriesKey, given: Rows['tags']): Exact[0] {
  const { quantity, device, owner, jurisdiction, deviceClass } = groupOf(given)
  const names = [
    quantity ?? key.quantity,
    device ?? key.device,
    owner ?? key.owner,
    jurisdiction ?? key.jurisdiction,
    deviceClass ?? key.deviceClass,
  ]
  const isOverBudget = [quantity, device, owner, jurisdiction, deviceClass].includes(undefined)
  return isOverBudget ? [key.unit, key.subject, ...names] : [key.unit, key.subject]
}

const compareExact = ([a]: Exact, [b]: Exact): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

function exactOf(of: Exact[0], { count, quality, numbers, sum, min, max, first, last }: Summary): Exact {
  return [of, count, quality, numbers, String(sum), textOf(min), textOf(max), textOf(first), textOf(last)]
}

function summaryOf([, count, quality, numbers, sum, min, max, first, last]: Exact): Summary {
  return {
    count,
    bad: 0,
    quality: quality as Quality,
    numbers,
    sum: Number(sum),
    min: valueOf(min),
    max: valueOf(max),
    first: valueOf(first),
    last: valueOf(last),
  }
}

/** A letter for the kind, then the value: "n21.5", "i7", "f1", "training", "b". */
function textOf(value: Value | undefined): string | null {
  switch (value?.kind) {
    case 'number':
      return Object.is(value.value, -0) ? 'n-0' : `n${value.value}`
    case 'integer':
      return `i${value.value}`
    case 'flag':
      return value.value ? 'f1' : 'f0'
    case 'text':
      return `t${value.value}`
    case 'blob':
      return 'b'
    default:
      return null
  }
}

function valueOf(text: string | null): Value | undefined {
  if (text === null) return undefined
  const rest = text.slice(1)
  switch (text[0]) {
    case 'n':
      return { kind: 'number', value: Number(rest) }
    case 'i': {
      const value = Number(rest)
      return { kind: 'integer', value: Number.isSafeInteger(value) ? value : BigInt(rest) }
    }
    case 'f':
      return { kind: 'flag', value: rest === '1' }
    case 't':
      return { kind: 'text', value: rest }
    default:
      return { kind: 'blob' }
  }
}

const chartNumber = (text: string): number => Number(text.slice(1))
