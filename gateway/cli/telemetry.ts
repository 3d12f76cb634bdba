// Moves series of values from one telemetry store into the other.

import { existsSync } from 'node:fs'
import { SystemEventType } from '../../proto/generated/types.ts'
import { rfc3339 } from '../../proto/time.ts'
import { systemClock } from '../clock.ts'
import { influxdbSettings } from '../outputs/configured-outputs.ts'
import { readSettings } from '../settings.ts'
import { createInfluxdbPoints } from '../telemetry/influxdb/points.ts'
import { openTouchedFile, touchedFile } from '../telemetry/influxdb/touched-file.ts'
import { type MovedLevels, moveTelemetry, type StoreName } from '../telemetry/move.ts'
import { noteInAudit } from './audit-note.ts'
import { type Command, UsageError } from './command.ts'
import { dataFolderOptions, existingFolderOf } from './data-folder.ts'
import { createProgress } from './progress.ts'
import { counted } from './terminal.ts'

export const telemetry: Command = {
  name: 'telemetry',
  usage: 'move --to influxdb|sqlite [options]',
  about: 'Moves series of values from one store into the other.',
  options: {
    to: { value: 'STORE', about: 'influxdb (that of influx.url) or sqlite (the file in the data folder).' },
    ...dataFolderOptions,
  },
  wordsMax: 1,
  examples: [
    [
      'tocsin telemetry move --to influxdb',
      'Interrupted, it goes on where it was; what is there already is not there twice.',
    ],
  ],
  async run(given, terminal) {
    if (given.words[0] !== 'move') throw new UsageError('say what to do: move')
    const to = given.text('to')
    if (to !== 'influxdb' && to !== 'sqlite') throw new UsageError('--to must be influxdb or sqlite')
    const { dataDir } = existingFolderOf(given)
    const settings = readSettings({
      file: given.text('settings') ?? process.env['TOCSIN_SETTINGS'],
      environment: process.env,
    })
    if (!settings['influx.url'])
      throw new UsageError('influx.url is not set, so that it is not known where InfluxDB is')
    const influxdb = influxdbSettings(settings)
    const file = touchedFile(dataDir)
    // Where there is none, a gateway that makes levels makes them of all that InfluxDB has.
    const touched = existsSync(file) ? openTouchedFile(file, influxdb) : undefined
    const keepMs = { minutes: settings['telemetry.keep_minutes'], hours: settings['telemetry.keep_hours'] }
    const moved = await withBars((parts) =>
      moveTelemetry({
        dataDir,
        to,
        influxdb: createInfluxdbPoints(influxdb, systemClock, { keepMs, ...(touched && { touched }) }),
        ...parts,
      }),
    )
    const details = { points: String(moved.points), series: String(moved.series) }
    const type = SystemEventType.SETTINGS_CHANGED
    noteInAudit(dataDir, { action: 'telemetry_move', type, outcome: 'done', object: to, details }, terminal)
    const before = moved.resumed > 0 ? ', some of it by an earlier move that was interrupted' : ''
    terminal.print(`${counted(moved.points, 'point')} of ${moved.series} series are in ${to}, counted there${before}`)
    if (moved.levels) terminal.print(levelsText(moved.levels, to))
    terminal.print(`set telemetry.store to ${to} and restart the gateway; ${other(to)} keeps what it has`)
    return 0
  },
}

const other = (to: StoreName): string => (to === 'sqlite' ? 'InfluxDB' : 'the file')

const levelsText = ({ rows, beforeMs }: MovedLevels, to: StoreName): string =>
  `before ${timeOf(beforeMs)}, ${to} answers with minutes and hours, as ${other(to)} does: ${counted(rows, 'row')} of them`

const timeOf = (ms: number): string => rfc3339(BigInt(ms) * 1_000_000n)

type Parts = Pick<Parameters<typeof moveTelemetry>[0], 'signal' | 'progress'>

/** Ctrl-C ends it between two batches; the next move goes on from there. */
async function withBars<Result>(work: (parts: Parts) => Promise<Result>): Promise<Result> {
  const over = new AbortController()
  const abort = (): void => over.abort(new UsageError('it was interrupted; the same command goes on where it was'))
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  const bars = { move: createProgress('moving', String), count: createProgress('counting', String) }
  try {
    return await work({ signal: over.signal, progress: (what, done, total) => bars[what].at(done, total) })
  } finally {
    bars.move.end()
    bars.count.end()
    process.off('SIGINT', abort)
    process.off('SIGTERM', abort)
  }
}
