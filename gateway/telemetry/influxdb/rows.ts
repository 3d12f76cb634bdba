// Rows of the InfluxDB output as points of series: what gateway/outputs/influxdb/rows.ts writes, read back.

import { MessageStatus, Quality } from '../../../proto/generated/types.ts'
import { overBudget } from '../../outputs/influxdb/cardinality.ts'
import { qualityNames } from '../../outputs/influxdb/fields.ts'
import { decodeText } from '../../outputs/influxdb/line-protocol.ts'
import { statusNames } from '../../outputs/influxdb/rows.ts'
import { isUnsound } from '../aggregate.ts'
import type { Point, SeriesKey, Value } from '../store.ts'
import type { Cell, Rows } from './client.ts'
import { identifier } from './influxql.ts'

export const tags = ['quantity', 'device', 'agency', 'jurisdiction', 'device_class', 'status', 'index'] as const
export const groupByTags = ` GROUP BY ${tags.map((tag) => identifier(tag)).join(', ')}`

/** What is not the value: it tells series apart, or is the name that stood over the budget of its tag. */
export const keyFields = [
  'unit',
  'subject',
  'quantity_name',
  'device_name',
  'agency_name',
  'jurisdiction_name',
  'device_class_name',
] as const
export const valueFields = ['value', 'integer', 'flag', 'text', 'blob_bytes', 'quality'] as const

export const columnsOf = (fields: readonly string[]): string => fields.map((field) => identifier(field)).join(', ')

const statuses = new Map(Object.entries(statusNames).map(([status, name]) => [name, Number(status) as MessageStatus]))
const qualities = new Map([...qualityNames].map(([quality, name]) => [name, quality as Quality]))

/** What the rows of one group have in common. */
export interface Group {
  readonly status: MessageStatus
  readonly index: string
  /** Undefined: it was over budget, and each row has its own. */
  readonly quantity: string | undefined
  readonly device: string | undefined
  readonly owner: string | undefined
  readonly jurisdiction: string | undefined
  readonly deviceClass: string | undefined
}

export function groupOf(given: Rows['tags']): Group {
  const tag = (name: string): string | undefined =>
    given[name] === overBudget ? undefined : decodeText(given[name] ?? '')
  return {
    status: statuses.get(given['status'] ?? '') ?? MessageStatus.UNSPECIFIED,
    index: given['index'] ?? '',
    quantity: tag('quantity'),
    device: tag('device'),
    owner: tag('agency'),
    jurisdiction: tag('jurisdiction'),
    deviceClass: tag('device_class'),
  }
}

/** Whether tags alone say whose rows they are, but for unit and subject. */
export const isWhole = ({ quantity, device, owner, jurisdiction, deviceClass }: Group): boolean =>
  ![quantity, device, owner, jurisdiction, deviceClass].includes(undefined)

/** For the rows of one group: the series of these fields; `names` are what stood over the budget, in the order of `keyFields`. */
export function createKeys(given: Rows['tags'], known: Map<string, SeriesKey>) {
  const group = groupOf(given)
  const own = JSON.stringify(tags.map((tag) => given[tag] ?? ''))
  return (unit: string, subject: string, names: readonly string[]): SeriesKey => {
    const [quantityName = '', deviceName = '', agencyName = '', jurisdictionName = '', className = ''] = names
    const device = group.device ?? deviceName
    const key: SeriesKey = {
      quantity: group.quantity ?? quantityName,
      device,
      index: group.index,
      status: group.status,
      jurisdiction: group.jurisdiction ?? jurisdictionName,
      owner: group.owner ?? agencyName,
      deviceClass: group.deviceClass ?? className,
      unit,
      subject: subject || device,
    }
    const identity = `${own}${JSON.stringify(key)}`
    const found = known.get(identity)
    if (found) return found
    known.set(identity, key)
    return key
  }
}

export interface RowReader {
  atMs(row: readonly Cell[]): number
  /** 0 where times are microseconds. */
  counter(row: readonly Cell[]): number
  /** The same object for the same series, so that it can be told by identity. */
  key(row: readonly Cell[]): SeriesKey
  /** Undefined: a row without a value, which is no point. */
  point(row: readonly Cell[]): Point | undefined
}

/** For the rows of one group in one answer; `known` keeps keys between answers. */
export function createRowReader({ columns, tags: given }: Rows, known: Map<string, SeriesKey>): RowReader {
  const group = groupOf(given)
  const place = (name: string): number => columns.indexOf(name)
  const [value, integer, flag, text, blob, quality] = valueFields.map(place)
  const [unit, subject, ...names] = keyFields.map(place)
  const keyOf = createKeys(given, known)
  const textAt = (row: readonly Cell[], at: number | undefined): string => {
    const cell = row[at ?? -1]
    return typeof cell === 'string' ? decodeText(cell) : ''
  }
  let last: { unit: Cell; subject: Cell; key: SeriesKey } | undefined
  const isPlain = isWhole(group)

  function valueOf(row: readonly Cell[]): Value | undefined {
    const number = row[value!]
    // A large real number looks whole in JSON.
    if (typeof number === 'number' || typeof number === 'bigint') return { kind: 'number', value: Number(number) }
    const whole = row[integer!]
    if (typeof whole === 'number' || typeof whole === 'bigint') return { kind: 'integer', value: whole }
    const state = row[flag!]
    if (typeof state === 'boolean') return { kind: 'flag', value: state }
    const word = textAt(row, text)
    if (word !== '') return { kind: 'text', value: word }
    return typeof row[blob!] === 'number' ? { kind: 'blob' } : undefined
  }

  return {
    atMs: (row) => millisecondsOf(row[0]),
    counter: (row) => counterOf(row[0]),
    key(row) {
      const [unitCell, subjectCell] = [row[unit!] ?? null, row[subject!] ?? null]
      if (isPlain && last && last.unit === unitCell && last.subject === subjectCell) return last.key
      const overBudgetNames = names.map((at) => textAt(row, at))
      const key = keyOf(textAt(row, unit), textAt(row, subject), overBudgetNames)
      last = { unit: unitCell, subject: subjectCell, key }
      return key
    },
    point(row) {
      const found = valueOf(row)
      const how = qualityOf(row[quality!])
      if (!found && !isUnsound(how)) return undefined
      return { atMs: millisecondsOf(row[0]), counter: counterOf(row[0]), value: found, quality: how }
    },
  }
}

/** Microseconds as a number, nanoseconds as a bigint. */
function millisecondsOf(time: Cell | undefined): number {
  if (typeof time !== 'bigint') return Math.floor(Number(time) / 1_000)
  const ms = time / 1_000_000n
  return Number(ms * 1_000_000n > time ? ms - 1n : ms)
}

const counterOf = (time: Cell | undefined): number =>
  typeof time === 'bigint' ? Number(((time % 1_000_000n) + 1_000_000n) % 1_000_000n) : 0

function qualityOf(cell: Cell | undefined): Quality {
  if (typeof cell !== 'string') return Quality.UNSPECIFIED
  // The output writes a quality that the schema does not name as its number.
  return qualities.get(cell) ?? ((Number(cell) || Quality.UNSPECIFIED) as Quality)
}
