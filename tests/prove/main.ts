// `npm run prove`: puts every promise of the gate to the test, the gateway beside mosquitto, and prints one table. Exit code 1: a
// promise is not kept.

import { parseArgs } from 'node:util'
import { machine } from '../../bench/machine.ts'
import { debian } from '../tools/debian.ts'
import { peerNames } from './peer.ts'
import { found, type Row, type RowContext, type RowResult } from './row.ts'
import { rows } from './rows.ts'
import { isMet, notesText, type Proven, tableText } from './table.ts'

const seedMax = 2 ** 31

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      night: { type: 'boolean', default: false },
      test: { type: 'boolean', default: false },
      count: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: process.env['TOCSIN_SEED'] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  })
  const unknown = positionals.filter((name) => !rows.some((row) => row.name === name))
  const peers = peerNames.filter((name) => values.only === undefined || values.only === name)
  if (values.help || unknown.length > 0 || peers.length === 0) {
    for (const name of unknown) process.stderr.write(`prove: there is no row "${name}"\n`)
    process.stderr.write(helpText())
    return values.help ? 0 : 2
  }
  if (!debian.isUnpacked()) {
    process.stderr.write('prove: mosquitto and InfluxDB are not there yet; run "npm run tools" first\n')
    return 2
  }
  const size = values.night ? 'night' : values.test ? 'test' : 'proof'
  const seed = values.seed === undefined ? Math.floor(Math.random() * seedMax) : Number(values.seed)
  const wanted = positionals.length === 0 ? rows : rows.filter(({ name }) => positionals.includes(name))
  process.stdout.write(`${machine()}\nTOCSIN_SEED=${seed} npm run prove -- … shows the same again\n`)
  const proven: Proven[] = []
  for (const row of wanted) {
    const count = values.count === undefined ? row.counts[size] : Number(values.count)
    process.stderr.write(`\n${row.name}: ${row.promise} (${count.toLocaleString('en')} ${row.unit})\n`)
    const say = (line: string): void => void process.stderr.write(`  ${line}\n`)
    const began = performance.now()
    const result = await attempt(row, { size, seed, count, peers, say })
    proven.push({ row, result, seconds: (performance.now() - began) / 1_000 })
  }
  process.stdout.write(values.json ? `${JSON.stringify({ seed, proven }, null, 2)}\n` : `\n${tableText(proven)}\n`)
  process.stdout.write(notesText(proven))
  return proven.every(({ result }) => isMet(result) !== false) ? 0 : 1
}

async function attempt(row: Row, context: RowContext): Promise<RowResult> {
  let result: RowResult | undefined
  const failure = await found(async () => {
    result = await row.run(context)
    return { text: '' }
  })
  return result ?? { findings: { tocsin: failure } }
}

function helpText(): string {
  return [
    'npm run prove -- [row …] [--night] [--count N] [--seed N] [--only tocsin|mosquitto] [--json]',
    ...rows.map(({ name, promise, counts, unit }) => {
      const sizes = `${counts.proof.toLocaleString('en')} ${unit}, at night ${counts.night.toLocaleString('en')}`
      return `  ${name.padEnd(12)}${promise} (${sizes})`
    }),
    '',
  ].join('\n')
}

process.exitCode = await main()
