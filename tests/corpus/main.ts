// `npm run corpus`: every adapter over the real messages of the corpora, where they lie on this machine. They are not part of the
// project. Options: --corpora DIR (the same layout elsewhere), --json, --format NAME. Fails on a difference that nobody explained.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { capReader, edxlDeReader } from './cap.ts'
import { iotJson } from './iot-json.ts'
import { lorawanChirpstack } from './lorawan-chirpstack.ts'
import { type CorpusReader, type FormatReport, reportText, unexplained } from './report.ts'
import { rtl433 } from './rtl433.ts'
import { senml } from './senml.ts'

export const readers: readonly CorpusReader[] = [senml, iotJson, lorawanChirpstack, rtl433, capReader, edxlDeReader]

/** Where the corpora of this project lie beside it. */
export const corporaDefault = join(import.meta.dirname, '../../../shared/corpora')

export function readCorpora(corpora: string, format?: string): FormatReport[] {
  const wanted = readers.filter((reader) => format === undefined || reader.format === format)
  return wanted.flatMap((reader) => {
    const folder = join(corpora, reader.format)
    return existsSync(folder) ? [reader.read(folder)] : []
  })
}

function main(): number {
  const { values } = parseArgs({
    options: { corpora: { type: 'string' }, json: { type: 'boolean' }, format: { type: 'string' } },
  })
  const corpora = values.corpora ?? corporaDefault
  const formats = readers.map(({ format }) => format)
  if (values.format !== undefined && !formats.includes(values.format)) {
    process.stderr.write(`No reader for "${values.format}"; there are ${formats.join(', ')}.\n`)
    return 2
  }
  const reports = existsSync(corpora) ? readCorpora(corpora, values.format) : []
  const open = reports.flatMap((report) => unexplained(report))
  if (values.json) process.stdout.write(`${JSON.stringify({ corpora: reports.length > 0, reports }, null, 2)}\n`)
  else if (reports.length === 0) process.stdout.write(`There are no corpora in ${corpora}; nothing was read.\n`)
  else for (const report of reports) process.stdout.write(reportText(report))
  return open.length > 0 ? 1 : 0
}

if (import.meta.main) process.exitCode = main()
