// Reads series out of InfluxDB, as the InfluxDB output writes them. Its promise: the answer is the one that every other store gives; the
// database finds and orders the rows, and what a window, a limit and a quality mean is said in ../aggregate.ts alone.

import { MessageStatus } from '../../../proto/generated/types.ts'
import { familyOf, measurementNames } from '../../outputs/influxdb/families.ts'
import { encodeTag } from '../../outputs/influxdb/line-protocol.ts'
import { statusNames } from '../../outputs/influxdb/rows.ts'
import { permitted, tooLarge, valuesReadMax } from '../answers.ts'
import { levelOf, levelRange } from '../levels.ts'
import { isWantedDevice, joined, listedOf } from '../listing.ts'
import { compareText } from '../store.ts'
import type { ListedSeries, SeriesReader } from '../store.ts'
import type { QueryClient, Rows } from './client.ts'
import { createFinding, isAnyOf, isWanted } from './finding.ts'
import { noHorizon } from './horizon.ts'
import { identifier, literal, tagIsAny, where, within } from './influxql.ts'
import { levelFields, levelPolicies } from './level-rows.ts'
import { levelSpans } from './level-spans.ts'
import { columnsOf, createRowReader, groupByTags, groupOf, isWhole, keyFields, valueFields } from './rows.ts'

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

/** To the counter of each value. */
const exactly = { precision: 'ns' } as const

/** `horizon`: before it levels answer; `noHorizon` where there are none. */
export function createInfluxdbReader(
  client: QueryClient,
  databases: () => Promise<Databases>,
  horizon: () => Promise<number> = async () => noHorizon,
): SeriesReader {
  return {
    async query(plan, permit) {
      const places = placesOf(await databases(), plan.statuses)
      const before = await horizon()
      const from = ` FROM ${identifier(familyOf(plan.quantity))}`
      const conditions = [
        tagIsAny('quantity', [plan.quantity]),
        // What InfluxDB has not removed yet, levels stand for.
        within(Math.max(plan.fromMs, before), plan.toMs),
      ]
      const level = levelOf(plan, before)
      const finding = createFinding(plan, permit)

      async function read(database: string, status: string, devices: string): Promise<void> {
        if (level) {
          const { fromMs, toMs } = levelRange(plan, level, before)
          const parts = `SELECT ${columnsOf(levelFields)}${from}${where(conditions[0], within(fromMs, toMs), status, devices)}`
          const policy = levelPolicies[level]
          for await (const rows of client.ask(database, [`${parts}${groupByTags}`], { policy }))
            await finding.addLevels(rows, level)
        }
        const select = `SELECT ${columnsOf([...valueFields, ...keyFields])}`
        const statement = `${select}${from}${where(...conditions, status, devices)}${groupByTags}`
        for await (const rows of client.ask(database, [statement])) await finding.add(rows)
      }

      const devices = new Set<string>()
      let someOverBudget = false
      const find = async (groups: AsyncIterable<Rows>): Promise<void> => {
        for await (const { tags } of groups) {
          const group = groupOf(tags)
          if (group.device !== undefined && isWanted(group, plan)) devices.add(group.device)
          if (group.device === undefined) someOverBudget = true
        }
      }
      for (const { database, status } of places) {
        const those = tagIsAny('device', plan.devices)
        const statements = marks.map(
          ([field, mark]) =>
            `SELECT last(${identifier(field)})${from}${where(...conditions, status, those, mark)}${groupByTags}`,
        )
        await find(client.ask(database, statements))
        if (!level) continue
        const { fromMs, toMs } = levelRange(plan, level, before)
        const parts = `SELECT last("variants")${from}${where(conditions[0], within(fromMs, toMs), status, those)}${groupByTags}`
        await find(client.ask(database, [parts], { policy: levelPolicies[level] }))
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
        const { firstMs: _first, lastMs: _last, lastCounter: _counter, ...key } = listed
        const text = JSON.stringify(key)
        found.set(text, joined(found.get(text), listed))
      }
      const families = [...new Set(plan.quantities.map((quantity) => familyOf(quantity)))]
      const from = ` FROM ${columnsOf(families.length > 0 ? families : measurementNames)}`
      const conditions = [tagIsAny('quantity', plan.quantities), tagIsAny('jurisdiction', plan.jurisdictions)]
      const before = await horizon()
      const since = before === noHorizon ? undefined : within(before, Number.MAX_SAFE_INTEGER)
      for (const database of Object.values(await databases())) {
        const levels = { from, conditions, overBudget: overBudgetTags, beforeMs: before }
        if (since) for await (const span of levelSpans(client, database, levels)) put(span)
        let someOverBudget = false
        for (const way of ['first', 'last'] as const) {
          const statements = marks.map(
            ([field, mark]) =>
              `SELECT ${way}(${identifier(field)}), ${columnsOf(keyFields)}${from}${where(...conditions, since, mark)}${groupByTags}`,
          )
          for await (const rows of client.ask(database, statements, exactly)) {
            if (!isWhole(groupOf(rows.tags))) someOverBudget = true
            else putSpans(rows, put)
          }
        }
        if (!someOverBudget) continue
        // Many series stand behind one tag: only its rows tell them apart.
        const select = `SELECT ${columnsOf([...valueFields, ...keyFields])}${from}`
        let read = 0
        const statement = `${select}${where(...conditions, since, overBudgetTags)}${groupByTags}`
        for await (const rows of client.ask(database, [statement], exactly)) {
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
    put({ ...reader.key(row), firstMs: atMs, lastMs: atMs, lastCounter: reader.counter(row) })
  }
}

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
