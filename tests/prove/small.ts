// One row of the proof as npm test runs it: the gateway alone, its smallest size, a new seed each time, which is printed.

import type { Row } from './row.ts'
import { verdictOf } from './table.ts'

export async function provedSmall(row: Row): Promise<string> {
  const seed = Number(process.env['TOCSIN_SEED'] ?? Date.now() % 2 ** 31)
  const count = row.counts.test
  const lines: string[] = []
  const result = await row.run({ size: 'test', seed, count, peers: ['tocsin'], say: (line) => lines.push(line) })
  const { tocsin } = result.findings
  process.stdout.write(`${row.name}: ${tocsin?.text ?? result.notes?.join(' ')} (TOCSIN_SEED=${seed})\n`)
  if (tocsin?.met === false) process.stdout.write(`${[...lines, ...(tocsin.details ?? [])].join('\n')}\n`)
  return verdictOf(result)
}
