// Runs the benchmarks and prints what they found: `npm run bench -- [row …] [--pairs 5] [--messages N] [--json] [--profile]`. Every
// server is a real process that is started here and ended here; nothing is left behind.

import { parseArgs } from 'node:util'

import { debian } from '../tests/tools/debian.ts'
import { manyDevices, pipelined } from './ingest.ts'
import { machine } from './machine.ts'
import { profileIngest } from './profile-ingest.ts'
import { resultText } from './report.ts'
import { rows } from './rows.ts'

const pairsDefault = 5

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      pairs: { type: 'string', default: String(pairsDefault) },
      messages: { type: 'string' },
      json: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  })
  const wanted = positionals.length === 0 ? rows : rows.filter(({ name }) => positionals.includes(name))
  const unknown = positionals.filter((name) => !rows.some((row) => row.name === name))
  if (values.help || unknown.length > 0) {
    for (const name of unknown) process.stderr.write(`bench: there is no row "${name}"\n`)
    process.stderr.write(helpText())
    return unknown.length > 0 ? 2 : 0
  }
  if (!debian.isUnpacked()) {
    process.stderr.write('bench: mosquitto and InfluxDB are not there yet; run "npm run tools" first\n')
    return 1
  }
  const options = {
    pairs: Math.max(1, Number(values.pairs)),
    ...(values.messages !== undefined && { messages: Number(values.messages) }),
    say: (line: string) => void process.stderr.write(`  ${line}\n`),
  }
  const about = machine()
  if (!values.json) process.stdout.write(`${about}\n`)
  if (values.profile) {
    process.stdout.write(await profileIngest(positionals.includes('2') ? manyDevices : pipelined, options))
    return 0
  }
  const results: Record<string, unknown> = {}
  for (const row of wanted) {
    if (!values.json) process.stdout.write(`\nrow ${row.name}: ${row.about}\n`)
    const result = await row.run(options)
    results[row.name] = { about: row.about, ...result }
    if (!values.json) process.stdout.write(resultText(result))
  }
  if (values.json)
    process.stdout.write(`${JSON.stringify({ machine: about, pairs: options.pairs, rows: results }, undefined, 2)}\n`)
  return 0
}

function helpText(): string {
  return [
    'npm run bench -- [row …] [--pairs 5] [--messages N] [--json] [--profile]',
    ...rows.map(({ name, about }) => `  ${name.padEnd(8)}${about}`),
    '  --profile  where the time of row 1 (or 2) goes, by stage and function, for each thread',
    '',
  ].join('\n')
}

process.exitCode = await main()
