// All points that the InfluxDB output has written, to be moved from; and points moved into its databases, as rows of the same identity.
// What a store of series does not keep (event, sequence, place) is not in rows that were moved in.

import { MessageStatus } from '../../../proto/generated/types.ts'
import { GatewayError } from '../../../proto/errors.ts'
import type { Clock } from '../../clock.ts'
import { createInfluxdbAdmin } from '../../outputs/influxdb/admin.ts'
import { createClient } from '../../outputs/influxdb/client.ts'
import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import { familyOf, measurementNames } from '../../outputs/influxdb/families.ts'
import { qualityNames } from '../../outputs/influxdb/fields.ts'
import { createLines, type Lines } from '../../outputs/influxdb/line-protocol.ts'
import { makeDatabases } from '../../outputs/influxdb/prepare.ts'
import { statusNames } from '../../outputs/influxdb/rows.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import { beginOf } from '../levels.ts'
import type { KeyedPoint, Points } from '../move.ts'
import type { SeriesKey } from '../store.ts'
import { createQueryClient } from './client.ts'
import { identifier, where, within } from './influxql.ts'
import { createInfluxdbLevelPoints } from './level-points.ts'
import type { LevelKeepMs } from './level-policies.ts'
import { columnsOf, createRowReader, groupByTags, keyFields, valueFields } from './rows.ts'
import type { Touch, TouchedFile } from './touched-file.ts'

export type InfluxdbPoints = Points

const dayMs = 86_400_000

export interface InfluxdbPointsOptions {
  /** How long levels are kept. */
  readonly keepMs: LevelKeepMs
  /** The file of a gateway that makes levels here, so that what is moved in comes to stand in them. */
  readonly touched?: TouchedFile
}

export function createInfluxdbPoints(
  settings: InfluxdbSettings,
  clock: Clock,
  { keepMs, touched }: InfluxdbPointsOptions,
): InfluxdbPoints {
  const client = createQueryClient(settings, clock)
  const writing = createClient(settings, { clock, sent() {} })
  const lines = createLines()
  const levels = createInfluxdbLevelPoints(settings, keepMs, client, clock)
  let names: readonly [main: string, exercise: string] | undefined
  let made = false

  const databases = async () =>
    (names ??= [mainDatabase(settings, await client.version()), settings.exerciseDatabase] as const)

  return {
    /** A measurement of a database, day by day. */
    async pieces() {
      const pieces: string[] = []
      for (const database of await databases()) {
        for (const name of measurementNames) {
          const times: number[] = []
          for (const way of ['first', 'last'] as const) {
            const statements = valueFields.map(
              (field) => `SELECT ${way}(${identifier(field)}) FROM ${identifier(name)}`,
            )
            for await (const { values } of client.ask(database, statements))
              for (const row of values) times.push(Math.floor(Number(row[0]) / 1_000))
          }
          if (times.length === 0) continue
          const end = Math.max(...times)
          for (let day = Math.floor(Math.min(...times) / dayMs); day * dayMs <= end; day++)
            pieces.push(JSON.stringify([database, name, day]))
        }
      }
      return pieces
    },

    async *read(piece) {
      const [database, name, day] = JSON.parse(piece) as [string, string, number]
      const known = new Map<string, SeriesKey>()
      const select = `SELECT ${columnsOf([...valueFields, ...keyFields])} FROM ${identifier(name)}`
      // What InfluxDB has not removed yet, levels stand for.
      const horizon = (await levels.horizon()) ?? -Infinity
      const begin = Math.max(day * dayMs, horizon)
      if (begin >= (day + 1) * dayMs) return
      const statement = `${select}${where(within(begin, (day + 1) * dayMs))}${groupByTags}`
      for await (const rows of client.ask(database, [statement], { precision: 'ns' })) {
        const reader = createRowReader(rows, known)
        const points: KeyedPoint[] = []
        for (const row of rows.values) {
          const point = reader.point(row)
          if (point) points.push({ key: reader.key(row), point })
        }
        if (points.length > 0) yield points
      }
    },

    async write(points) {
      const [main, exercise] = await databases()
      if (!made && settings.manage && (await client.version()) === 'v1')
        await makeDatabases(createInfluxdbAdmin(settings), [main, exercise])
      made = true
      for (const [database, isMain] of [
        [main, true],
        [exercise, false],
      ] as const) {
        lines.clear()
        for (const each of points) if ((each.key.status === MessageStatus.ACTUAL) === isMain) writePoint(lines, each)
        if (lines.count === 0) continue
        const answer = await writing.write(database, Buffer.from(lines.bytes()), new AbortController().signal)
        if (answer.outcome === 'stored') continue
        const why = answer.outcome === 'refused' ? answer.why : 'the batch is too large for it'
        throw new GatewayError('peer_refused', `InfluxDB takes not all that is moved into "${database}": ${why}`)
      }
      touched?.touch(hoursOf(points), Number(clock.now() / 1_000_000n))
    },

    levels,

    async close() {
      await levels.close()
      await client.close()
      await writing.close()
      touched?.close()
    },
  }
}

function hoursOf(points: readonly KeyedPoint[]): Iterable<Touch> {
  const hours = new Map<string, Touch>()
  for (const { key, point } of points) {
    const target = key.status === MessageStatus.ACTUAL ? 'main' : 'exercise'
    const touch: Touch = {
      target,
      measurement: familyOf(key.quantity),
      hourMs: beginOf('hours', point.atMs),
      device: key.device,
    }
    hours.set(`${target}\n${touch.measurement}\n${touch.hourMs}\n${touch.device}`, touch)
  }
  return hours.values()
}

function writePoint(lines: Lines, { key, point }: KeyedPoint): void {
  lines.begin(familyOf(key.quantity))
  lines.tag('quantity', key.quantity)
  lines.tag('device', key.device)
  lines.tag('agency', key.owner)
  lines.tag('jurisdiction', key.jurisdiction)
  lines.tag('device_class', key.deviceClass)
  lines.tag('status', statusNames[key.status])
  lines.tag('index', key.index)
  const { value, quality } = point
  if (value?.kind === 'number') lines.float('value', value.value)
  else if (value?.kind === 'integer') lines.integer('integer', value.value)
  else if (value?.kind === 'flag') lines.flag('flag', value.value)
  else if (value?.kind === 'text') lines.text('text', value.value)
  // How many there were is not in a store of series.
  else if (value?.kind === 'blob') lines.integer('blob_bytes', 0)
  if (key.unit !== '') lines.text('unit', key.unit)
  if (quality) lines.text('quality', qualityNames.get(quality) ?? String(quality))
  if (key.subject !== key.device) lines.text('subject', key.subject)
  lines.end(point.atMs, point.counter)
}
