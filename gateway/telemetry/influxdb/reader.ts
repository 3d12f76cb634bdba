// Reads series out of InfluxDB, as the InfluxDB output writes them. Its promise: the answer is the one that every other store gives; the
// database finds and orders the rows, and what a window, a limit and a quality mean is said in ../aggregate.ts alone.

import { MessageStatus } from '../../../proto/generated/types.ts'
import { familyOf, measurementNames } from '../../outputs/influxdb/families.ts'
import { encodeTag } from '../../outputs/influxdb/line-protocol.ts'
import { statusNames } from '../../outputs/influxdb/rows.ts'
import { createSeriesBuilder, type SeriesBuilder } from '../aggregate.ts'
import { createMeter, type Gathered, permitted, queryAnswer, tooLarge, valuesReadMax } from '../answers.ts'
import { isWantedDevice, joined, listedOf } from '../listing.ts'
import { compareText } from '../store.ts'
import type { ListedSeries, Permit, QueryPlan, SeriesKey, SeriesReader } from '../store.ts'
import type { QueryClient, Rows } from './client.ts'
import { identifier, literal, tagIsAny, where, within } from './influxql.ts'
import { columnsOf, createRowReader, type Group, groupByTags, groupOf, keyFields, valueFields } from './rows.ts'

export interface Databases {
  /** ACTUAL. */
  readonly main: string
  /** EXERCISE, TEST and SYSTEM. */
  readonly exercise: string
}

/** Devices asked for at once; the next are asked for when these have not filled the answer. */
const devicesAtOnce = 10

/** A point is a row with one of these; what else there is says nothing of when a series began. */
const marks: readonly (readonly [field: string, condition?: string])[] = [
  ['value'],
  ['integer'],
  ['flag'],
  ['blob_bytes'],
  ['text', `"text" != ''`],
  ['quality', `("quality" = 'bad' OR "quality" = 'missing')`],
]

export function createInfluxdbReader(client: QueryClient, databases: () => Promise<Databases>): SeriesReader {
  return {
    async query(plan, permit) {
      const places = placesOf(await databases(), plan.statuses)
      const from = ` FROM ${identifier(familyOf(plan.quantity))}`
      const conditions = [tagIsAny('quantity', [plan.quantity]), within(plan.fromMs, plan.toMs)]
      const finding = createFinding(plan, permit)

      async function read(database: string, status: string, devices: string): Promise<void> {
        const select = `SELECT ${columnsOf([...valueFields, ...keyFields])}`
        const statement = `${select}${from}${where(...conditions, status, devices)}${groupByTags}`
        for await (const rows of client.ask(database, [statement])) await finding.add(rows)
      }

      const devices = new Set<string>()
      let someOverBudget = false
      for (const { database, status } of places) {
        const those = tagIsAny('device', plan.devices)
        const statements = marks.map(
          ([field, mark]) =>
            `SELECT last(${identifier(field)})${from}${where(...conditions, status, those, mark)}${groupByTags}`,
        )
        for await (const { tags } of client.ask(database, statements)) {
          const group = groupOf(tags)
          if (group.device !== undefined && isWanted(group, plan)) devices.add(group.device)
          if (group.device === undefined) someOverBudget = true
        }
      }
      // Devices beyond the budget may stand anywhere in the order, so they are read before it is followed.
      if (someOverBudget) {
        for (const { database, status } of places) await read(database, status, overBudgetDevices)
      }
      const ordered = [...devices].toSorted(compareText)
      for (let at = 0; at < ordered.length; at += devicesAtOnce) {
        const some = ordered.slice(at, at + devicesAtOnce)
        for (const { database, status } of places) await read(database, status, devicesIn(some))
        if (finding.seriesUpTo(some.at(-1)!) > plan.seriesMax) return finding.answer(true)
        finding.weigh()
      }
      return finding.answer(false)
    },

    async list(plan, permit) {
      const found = new Map<string, ListedSeries>()
      const put = (listed: ListedSeries): void => {
        const { firstMs: _first, lastMs: _last, ...key } = listed
        const text = JSON.stringify(key)
        found.set(text, joined(found.get(text), listed))
      }
      const families = [...new Set(plan.quantities.map((quantity) => familyOf(quantity)))]
      const from = ` FROM ${columnsOf(families.length > 0 ? families : measurementNames)}`
      const conditions = [tagIsAny('quantity', plan.quantities), tagIsAny('jurisdiction', plan.jurisdictions)]
      for (const database of Object.values(await databases())) {
        let someOverBudget = false
        for (const way of ['first', 'last'] as const) {
          const statements = marks.map(
            ([field, mark]) =>
              `SELECT ${way}(${identifier(field)}), ${columnsOf(keyFields)}${from}${where(...conditions, mark)}${groupByTags}`,
          )
          for await (const rows of client.ask(database, statements)) {
            if (isOverBudget(groupOf(rows.tags))) someOverBudget = true
            else putSpans(rows, put)
          }
        }
        if (!someOverBudget) continue
        // Many series stand behind one tag: only its rows tell them apart.
        const select = `SELECT ${columnsOf([...valueFields, ...keyFields])}${from}`
        let read = 0
        for await (const rows of client.ask(database, [
          `${select}${where(...conditions, overBudgetTags)}${groupByTags}`,
        ])) {
          read += rows.values.length
          if (read > valuesReadMax) throw tooLarge()
          putSpans(rows, put, (reader, row) => reader.point(row) !== undefined)
        }
      }
      const wanted = [...found.values()].filter(
        ({ quantity, jurisdiction, device }) =>
          isWantedDevice(plan, device) &&
          isAnyOf(plan.quantities, quantity) &&
          isAnyOf(plan.jurisdictions, jurisdiction),
      )
      return listedOf(await permitted(wanted, permit), plan, (group) =>
        group.reduce<ListedSeries | undefined>((span, each) => joined(span, each), undefined),
      )
    },

    close: () => client.close(),
  }
}

function putSpans(
  rows: Rows,
  put: (listed: ListedSeries) => void,
  isPoint: (reader: ReturnType<typeof createRowReader>, row: Rows['values'][number]) => boolean = () => true,
): void {
  const reader = createRowReader(rows, new Map())
  for (const row of rows.values) {
    if (!isPoint(reader, row)) continue
    const atMs = reader.atMs(row)
    put({ ...reader.key(row), firstMs: atMs, lastMs: atMs })
  }
}

/** Gathers the rows of one question into series. */
function createFinding(plan: QueryPlan, permit: Permit) {
  const known = new Map<string, SeriesKey>()
  /** Null: not for this reader, or not asked for. */
  const builders = new Map<SeriesKey, SeriesBuilder | null>()
  const full = new Set<SeriesKey>()
  const meter = createMeter()
  const weighed = new Set<SeriesKey>()
  let read = 0

  function gathered(): Gathered[] {
    const found: Gathered[] = []
    for (const [key, builder] of builders) if (builder) found.push({ key, ...builder.finish() })
    return found
  }

  return {
    async add(rows: Rows): Promise<void> {
      const reader = createRowReader(rows, known)
      const keys = new Set<SeriesKey>()
      for (const row of rows.values) {
        const key = reader.key(row)
        if (!builders.has(key)) keys.add(key)
      }
      const unknown = [...keys]
      const may = unknown.length > 0 ? await permit(unknown) : []
      for (const [at, key] of unknown.entries())
        builders.set(key, may[at] && isWanted(key, plan) ? createSeriesBuilder(plan) : null)
      for (const row of rows.values) {
        const key = reader.key(row)
        const builder = builders.get(key)
        if (!builder || full.has(key)) continue
        const point = reader.point(row)
        if (!point) continue
        if (++read > valuesReadMax) throw tooLarge()
        if (!builder.add(point)) full.add(key)
      }
    },
    seriesUpTo(device: string): number {
      let count = 0
      for (const [key, builder] of builders)
        if (builder && builder.finish().points.length > 0 && compareText(key.device, device) <= 0) count++
      return count
    },
    /** Throws too_large as soon as it is. */
    weigh(): void {
      for (const { key, points } of gathered()) {
        if (!weighed.has(key)) meter.add(points)
        weighed.add(key)
      }
    },
    answer(more: boolean) {
      const answer = queryAnswer(gathered(), plan, more)
      const whole = createMeter()
      for (const { points = [] } of answer.series ?? []) whole.add(points)
      return answer
    },
  }
}

const isAnyOf = (wanted: readonly string[], value: string): boolean => wanted.length === 0 || wanted.includes(value)

/** What the conditions of InfluxQL leave open: names over their budgets, the index, and the subject, which is a field. */
function isWanted(of: Group | SeriesKey, plan: QueryPlan): boolean {
  return (
    (of.quantity === undefined || of.quantity === plan.quantity) &&
    (of.device === undefined || isAnyOf(plan.devices, of.device)) &&
    (plan.index === undefined || of.index === plan.index) &&
    plan.statuses.includes(of.status) &&
    (!('subject' in of) || isAnyOf(plan.subjects, of.subject))
  )
}

const isOverBudget = ({ quantity, device, owner, jurisdiction, deviceClass }: Group): boolean =>
  [quantity, device, owner, jurisdiction, deviceClass].includes(undefined)

const overBudgetDevices = `"device" = '(over budget)'`
const overBudgetTags = `(${['quantity', 'device', 'agency', 'jurisdiction', 'device_class']
  .map((tag) => `${identifier(tag)} = '(over budget)'`)
  .join(' OR ')})`

const devicesIn = (devices: readonly string[]): string =>
  `(${devices.map((device) => `"device" = ${literal(encodeTag(device))}`).join(' OR ')})`

/** Where these statuses are, and the condition that leaves out others. */
function placesOf({ main, exercise }: Databases, statuses: readonly MessageStatus[]) {
  const others = statuses.filter((status) => status !== MessageStatus.ACTUAL)
  const anyOf = others.map((status) => `"status" = ${literal(statusNames[status])}`).join(' OR ')
  return [
    ...(statuses.includes(MessageStatus.ACTUAL) ? [{ database: main, status: `"status" = 'actual'` }] : []),
    ...(others.length > 0 ? [{ database: exercise, status: `(${anyOf})` }] : []),
  ]
}
