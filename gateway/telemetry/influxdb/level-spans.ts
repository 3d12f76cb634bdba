// Which series stand in levels only, and from which hour to which: what a list of series says of the time before the horizon.

import { tooLarge, valuesReadMax } from '../answers.ts'
import type { ListedSeries } from '../store.ts'
import type { QueryClient, Rows } from './client.ts'
import { identifier, literal, where, within } from './influxql.ts'
import { createLevelReader, levelFields, levelPolicies } from './level-rows.ts'
import { columnsOf, groupByTags, groupOf, isWhole, tags } from './rows.ts'
import { levelMs } from '../levels.ts'

export interface SpanQuestion {
  /** ` FROM …`, and conditions on tags. */
  readonly from: string
  readonly conditions: readonly (string | undefined)[]
  /** The condition of groups with a tag over its budget. */
  readonly overBudget: string
  readonly beforeMs: number
}

const policy = { policy: levelPolicies.hours }
const statementsAtOnce = 50

/** A series may be given more than once. */
export async function* levelSpans(
  client: QueryClient,
  database: string,
  { from, conditions, overBudget, beforeMs }: SpanQuestion,
): AsyncIterable<ListedSeries> {
  const before = within(Number.MIN_SAFE_INTEGER, beforeMs)
  let someOverBudget = false
  const more: string[] = []
  for (const way of ['first', 'last'] as const) {
    const select = `SELECT ${way}("exact") AS "exact", "variants"`
    for await (const rows of client.ask(
      database,
      [`${select}${from}${where(...conditions, before)}${groupByTags}`],
      policy,
    )) {
      if (!isWhole(groupOf(rows.tags))) someOverBudget = true
      else {
        yield* spansOf(rows)
        if (way === 'last') more.push(...othersOf(rows))
      }
    }
  }
  for (let at = 0; at < more.length; at += statementsAtOnce)
    for await (const rows of client.ask(database, more.slice(at, at + statementsAtOnce), policy)) yield* spansOf(rows)
  if (!someOverBudget) return
  // Many series stand behind one tag: only its rows tell them apart.
  const select = `SELECT ${columnsOf(levelFields)}${from}`
  let read = 0
  for await (const rows of client.ask(
    database,
    [`${select}${where(...conditions, before, overBudget)}${groupByTags}`],
    policy,
  )) {
    read += rows.values.length
    if (read > valuesReadMax) throw tooLarge()
    yield* spansOf(rows)
  }
}

function* spansOf(rows: Rows): Iterable<ListedSeries> {
  const reader = createLevelReader(rows, 'hours', new Map())
  for (const row of rows.values) {
    const atMs = reader.beginMs(row)
    for (const { key } of reader.parts(row)) yield { ...key, firstMs: atMs, lastMs: atMs }
  }
}

/** The whole of the last hour, where it has more series of these tags than stand in its last row. */
function othersOf(rows: Rows): string[] {
  const reader = createLevelReader(rows, 'hours', new Map())
  return rows.values
    .filter((row) => reader.variants(row) > reader.parts(row).length)
    .map((row) => {
      const atMs = reader.beginMs(row)
      const own = tags.map((tag) => `${identifier(tag)} = ${literal(rows.tags[tag] ?? '')}`)
      const hour = within(atMs, atMs + levelMs.hours)
      return `SELECT ${columnsOf(levelFields)} FROM ${identifier(rows.name)}${where(...own, hour)}${groupByTags}`
    })
}
