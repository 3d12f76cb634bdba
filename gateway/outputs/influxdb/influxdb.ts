// The InfluxDB output: a reader of the log that writes telemetry as rows. Its promise: a record counts as delivered when each of its
// rows is stored in InfluxDB or kept, with the reason, in the quarantine; an outage is a bookmark that lags.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError } from '../../../proto/errors.ts'
import type { Event } from '../../../proto/generated/types.ts'
import { codec } from '../../../proto/wire.ts'
import type { Alarms } from '../../alarms.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../logger.ts'
import type { Missing, Lane, StoredRecord } from '../../log/log.ts'
import { labelsMask } from '../../record-header.ts'
import type { Output } from '../output.ts'
import { createInfluxdbAdmin } from './admin.ts'
import { WriteFailure } from './answers.ts'
import { createTagBudget, tagLimits } from './cardinality.ts'
import type { TagBudget, TagLimits } from './cardinality.ts'
import { createClient, requestsInFlight } from './client.ts'
import { checkSettings, mainDatabase } from './endpoint.ts'
import { createDelivery } from './delivery.ts'
import type { Batch, Delivery } from './delivery.ts'
import { newMetrics, tally } from './metrics.ts'
import type { InfluxdbMetrics } from './metrics.ts'
import { makeDatabases, seedBudgets } from './prepare.ts'
import type { LineRefusal, Quarantine } from './quarantine.ts'
import { createRowTemplates } from './row-templates.ts'
import type { RowTemplate } from './row-templates.ts'
import { deviceTagOf, newRowCounts, rowsMostOf, targetOf, writeRows } from './rows.ts'
import type { RowCounts, RowParts, Target } from './rows.ts'
import { settle } from './settle.ts'
import { batchBytesMax, batchRowsMax } from './settings.ts'
import type { InfluxdbSettings } from './settings.ts'
import type { Touched } from './touched.ts'

export interface InfluxdbOutput extends Output {
  metrics(): Readonly<InfluxdbMetrics>
}

export interface InfluxdbParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly alarms: Alarms
  /** Where refused lines go; see createQuarantine. */
  readonly quarantine: Quarantine
  /** Other than `tagLimits`, for tests and large sites. */
  readonly tagLimits?: TagLimits
  /** Who makes levels of what is written, and shortens the policies when they are made. */
  readonly touched?: Touched
}

/** How long more is waited for, after the first record: half of it is what a row waits on average (goal: 30 ms to the row). */
const gatherMs = 20
/** Rows of one event at most; a batch is closed before one that might not fit. */
const eventLinesBytesMax = 4 << 20
/** What a server that answers 413 is still sent at once. */
const batchBytesMin = 64 << 10
/** Records between two turns of the event loop: about a millisecond, so that acknowledgements do not wait for rows. */
const recordsPerTurn = 200
/** Appends of refused lines at once; enough for one group commit. */
const quarantineAtOnce = 256
/** How often the values of tags are asked for before rows are written without. */
const seedFailuresMax = 3
/** Refused lines are an alarm until none has come for so long. */
const refusalAlarmNs = 10n * 60n * 1_000_000_000n

const eventCodec = codec('tocsin.v1.Event')

/** Throws GatewayError settings_invalid. */
export function createInfluxdbOutput(settings: InfluxdbSettings, parts: InfluxdbParts): InfluxdbOutput {
  checkSettings(settings)
  const metrics = newMetrics()
  const client = createClient(settings, { clock: parts.clock, sent: (bytes) => (metrics.bytes += bytes) })
  const include = new Set(settings.include)
  const batchRows = Math.min(Math.max(1, settings.batchRows), batchRowsMax)
  const budgets: Readonly<Record<Target, TagBudget>> = { main: budgetOf('main'), exercise: budgetOf('exercise') }
  const touchedIn = { main: touchedOf('main'), exercise: touchedOf('exercise') }
  const free: Batch[] = []
  const templates = createRowTemplates()
  /** Refused lines that a delivery has put away before it failed: not again with the next try. */
  const putAway = new Set<string>()
  let databases: Readonly<Record<Target, string>> | undefined
  let bytesMax = batchBytesMax - eventLinesBytesMax
  let refusedAt = 0n
  let seeded = false
  let seedFailures = 0

  async function deliver(records: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    const names = (databases ??= await prepareDatabases(signal))
    const counts = newRowCounts()
    const refusals: LineRefusal[] = []
    const delivery = createDelivery({
      free,
      rowsMax: batchRows,
      bytesMax: () => bytesMax,
      send: (batch) => sendBatch(batch, names[batch.target], signal, refusals),
    })
    try {
      for (const [index, record] of records.entries()) {
        if (index % recordsPerTurn === recordsPerTurn - 1) await nextTurn()
        if (delivery.failed()) break
        const template = record.removed ? undefined : templates.find(record.event)
        if (!template) {
          await writeLong(record, delivery, counts)
          continue
        }
        const room = delivery.room(template.target, template.rows.length)
        if (room) await room
        writeShort(template, record, delivery, counts)
      }
    } finally {
      await delivery.finish()
    }
    await parts.touched?.flush()
    await putAwayAll(refusals, signal)
    putAway.clear()
    tally(metrics, counts, refusals.length, parts.clock.now())
    watchRefusals(refusals)
  }

  /** The event that was found last. */
  function writeShort(template: RowTemplate, record: StoredRecord, delivery: Delivery, counts: RowCounts): void {
    const { target, families, device } = template
    templates.write(template, delivery.lines(target), record.sequence)
    delivery.wrote(record, target, families.length)
    counts.rows += families.length
    for (const family of families) touchedIn[target]?.touched?.(family, templates.atMs, device)
  }

  async function writeLong(record: StoredRecord, delivery: Delivery, counts: RowCounts): Promise<void> {
    const event = readEvent(record)
    const target = event && targetOf(event, include, counts)
    if (!event || !target) return
    const { sequence } = record
    const [budget, touched, overBudget] = [budgets[target], touchedIn[target], counts.overBudget]
    await delivery.room(target, rowsMostOf(event))
    const lines = delivery.lines(target)
    const written = writeRows(event, { lines, budget, include, counts, sequence, ...touched })
    delivery.wrote(record, target, written)
    // What is over a budget says so in fields of its own.
    if (written === 0 || counts.overBudget > overBudget) return
    templates.learn(record.event, event, { target, device: deviceTagOf(event, { budget }), lines, written, sequence })
  }

  async function prepareDatabases(signal: AbortSignal): Promise<Readonly<Record<Target, string>>> {
    return counted(async () => {
      const version = await client.version(signal)
      const names = { main: mainDatabase(settings, version), exercise: settings.exerciseDatabase }
      if (version === 'v1') await prepareV1(names)
      return names
    })
  }

  async function prepareV1(names: Readonly<Record<Target, string>>): Promise<void> {
    const admin = createInfluxdbAdmin(settings)
    if (settings.manage)
      await makeDatabases(admin, Object.values(names), settings, { mayShorten: parts.touched === undefined })
    if (seeded) return
    try {
      await seedBudgets(admin, names, budgets)
      seeded = true
    } catch (error) {
      // A user that may only write, or a database of millions of series: rows are worth more than an exact budget.
      const refused = error instanceof GatewayError && error.code === 'peer_refused'
      if (!refused && ++seedFailures < seedFailuresMax) throw error
      seeded = true
      parts.logger.warn(
        { reason: String(error) },
        'the tag values that InfluxDB holds cannot be read; the budget begins empty',
      )
    }
  }

  async function sendBatch(
    batch: Batch,
    database: string,
    signal: AbortSignal,
    refusals: LineRefusal[],
  ): Promise<void> {
    if (batch.lines.count === 0) return
    const refused = await settle(batch.lines, (lines) =>
      counted(async () => {
        metrics.requests++
        const answer = await client.write(database, lines, signal)
        if (answer.outcome === 'too_large') {
          metrics.tooLarge++
          bytesMax = Math.max(batchBytesMin, Math.min(bytesMax, lines.length >> 1))
        }
        if (answer.outcome === 'refused') metrics.partial++
        return answer
      }),
    )
    for (const { index, why } of refused) refusals.push(refusalOf(batch, database, index, why))
  }

  /** Failures are counted by class; a database that has gone is made anew the next time. */
  async function counted<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act()
    } catch (error) {
      if (error instanceof WriteFailure) metrics.failures[error.failure]++
      else if (error instanceof GatewayError)
        metrics.failures[error.code === 'peer_refused' ? 'other_refusal' : 'connection']++
      if (error instanceof WriteFailure && error.failure === 'not_found') databases = undefined
      throw error
    }
  }

  function refusalOf(batch: Batch, database: string, index: number, why: string): LineRefusal {
    const record = batch.records[index]!
    const event = eventCodec.decode(record.event)
    return {
      database,
      // A copy: the buffer is used again before this is on disk.
      line: Buffer.from(batch.lines.line(index)),
      why,
      place: { lane: record.lane, sequence: record.sequence },
      eventId: event.id ?? new Uint8Array(16),
      labels: labelsMask(event.handling?.labels),
    }
  }

  async function putAwayAll(refusals: readonly LineRefusal[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < refusals.length; at += quarantineAtOnce) {
      signal.throwIfAborted()
      await Promise.all(refusals.slice(at, at + quarantineAtOnce).map((refusal) => putAwayOnce(refusal)))
    }
  }

  async function putAwayOnce(refusal: LineRefusal): Promise<void> {
    const key = `${refusal.database}\n${refusal.line.toString('latin1')}`
    if (putAway.has(key)) return
    await parts.quarantine(refusal)
    putAway.add(key)
  }

  function watchRefusals(refusals: readonly LineRefusal[]): void {
    const now = parts.clock.monotonic()
    const last = refusals.at(-1)
    if (last) {
      refusedAt = now
      const text = `InfluxDB refuses lines; ${metrics.refused} are in quarantine so far, the last: ${last.why}. All others are stored.`
      parts.alarms.raise('output_refused', 'influxdb', text)
    } else if (refusedAt !== 0n && now - refusedAt > refusalAlarmNs) {
      refusedAt = 0n
      parts.alarms.clear('output_refused', 'influxdb')
    }
  }

  /** Undefined when there is nothing to write, and `metrics` says why. */
  function readEvent(record: StoredRecord): Event | undefined {
    if (record.removed) {
      metrics.removed++
      return undefined
    }
    try {
      return eventCodec.decode(record.event)
    } catch (error) {
      // The log has checked these bytes; nobody will ever read them better, and what follows must not wait for them.
      metrics.unreadable++
      parts.logger.error(
        { err: error, lane: record.lane, sequence: record.sequence },
        'an event cannot be read for InfluxDB',
      )
      return undefined
    }
  }

  function touchedOf(target: Target): Pick<RowParts, 'touched'> | undefined {
    const { touched } = parts
    return touched && { touched: (measurement, atMs, device) => touched.add(target, measurement, atMs, device) }
  }

  function budgetOf(target: Target): TagBudget {
    return createTagBudget(parts.tagLimits ?? tagLimits, (tag, limit) => {
      const text = `The tag "${tag}" has ${limit} values in the ${target} database; rows with new ones are tagged "(over budget)" and keep the value in a field.`
      parts.alarms.raise('cardinality_exceeded', `influxdb ${target} ${tag}`, text)
    })
  }

  return {
    name: 'influxdb',
    start: 'earliest',
    batch: { records: batchRows * requestsInFlight, bytes: batchBytesMax, gatherMs },
    deliver,
    missed(_lane: Lane, missing: Missing) {
      metrics.missed += missing.to - missing.from + 1
    },
    metrics: () => metrics,
    close: () => client.close(),
  }
}
