// Lines of rtl_433 as other projects keep them for their own tests. There are no expected values beside them; each value of the line
// must come out again, by its key's suffix, which is looked at here from the text alone.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rtl433 as adapter } from '../../adapters/rtl433/codec.ts'
import type { Measurement } from '../../proto/generated/types.ts'
import { parseRfc3339 } from '../../proto/time.ts'
import { type CorpusReader, type FormatReport, count, createReport } from './report.ts'

export const rtl433: CorpusReader = { format: 'rtl433', read }

/** Suffix → factor and what is added: by the definitions of the units, apart from the adapter's own table. */
const suffixes: readonly (readonly [RegExp, number, number])[] = [
  [/_C$/, 1, 0],
  [/_m_s$/, 1, 0],
  [/_km_h$/, 1 / 3.6, 0],
  [/_mi_h$/, 0.44704, 0],
  [/_mm$/, 0.001, 0],
  [/_in$/, 0.0254, 0],
  [/_hPa$/, 100, 0],
  [/_kPa$/, 1000, 0],
  [/_F$/, 5 / 9, -160 / 9],
  [/_(?:deg|lux)$|^(?:humidity|moisture|uvi)$/, 1, 0],
]

function read(folder: string): FormatReport {
  const report = createReport('rtl433')
  const receivedAt = parseRfc3339('2026-11-22T12:00:00Z')!
  const decoder = adapter.decoder!(adapter.options!.parse({}))
  for (const file of globSync('**/*.json', { cwd: folder }).toSorted()) {
    for (const [index, line] of readFileSync(join(folder, file), 'utf8').split('\n').entries()) {
      if (line.trim() === '') continue
      const decoded = decoder.decode({ bytes: Buffer.from(line), receivedAt, channel: 'rtl_433/corpus/events' })
      count(report, decoded)
      const place = `${file}:${index + 1}`
      if (decoded.outcome !== 'events') {
        report.refusals.push({ file: place, what: `${decoded.outcome}: ${decoded.why}` })
        continue
      }
      const found = decoded.events.flatMap((event) =>
        event.body === 'observation' ? (event.observation.measurements ?? []) : [],
      )
      const wanted = expectedOf(JSON.parse(line) as Record<string, unknown>)
      const missing = wanted.filter(([, value]) => !found.some((one) => isNear(one, value)))
      report.expected++
      report.values += wanted.length
      if (missing.length === 0) report.agree++
      else report.disagreements.push({ file: place, what: `not found: ${missing.map(([key]) => key).join(', ')}` })
    }
  }
  return report
}

function expectedOf(message: Readonly<Record<string, unknown>>): [string, number][] {
  return Object.entries(message).flatMap(([key, value]) => {
    const suffix = suffixes.find(([form]) => form.test(key))
    return suffix && typeof value === 'number' ? [[key, value * suffix[1] + suffix[2]] as [string, number]] : []
  })
}

const isNear = (measurement: Measurement, value: number): boolean =>
  measurement.value === 'number' && Math.abs(measurement.number - value) <= 1e-9 * Math.max(1, Math.abs(value))
