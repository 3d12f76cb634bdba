// The corpora are not part of the project, so this runs only where they lie. Elsewhere it is skipped, and says so.

import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { corporaDefault, readCorpora, readers } from './corpus/main.ts'
import { parseLines } from './corpus/line-protocol.ts'
import { unexplained } from './corpus/report.ts'

const corpora = process.env['TOCSIN_CORPORA'] ?? corporaDefault
const isThere = existsSync(corpora)

for (const { format } of readers) {
  const title = `${format}: what the sources expect is what is read, but for differences that are explained`
  test.skipIf(!isThere)(isThere ? title : `${title} (skipped: no corpora in ${corpora})`, () => {
    const [report] = readCorpora(corpora, format)
    expect(report?.n).toBeGreaterThan(0)
    expect(unexplained(report!)).toEqual([])
    expect(report!.expected).toBe(report!.agree + report!.disagreements.length)
    expect(report!.n).toBe(report!.decoded + report!.ignored + report!.refused)
  })
}

test('a folder without corpora gives no reports, and no error', () => {
  expect(readCorpora('/nowhere')).toEqual([])
})

test('line protocol is read with its escapes, quotes and types', () => {
  const [line] = parseLines('a\\ b,t\\,ag=x\\=y n=5i,s="a \\"b\\", c",f=-1.5e3,u=7u 17\n')
  expect(line).toEqual({
    measurement: 'a b',
    tags: new Map([['t,ag', 'x=y']]),
    fields: new Map([
      ['n', '5'],
      ['s', 'a "b", c'],
      ['f', '-1.5e3'],
      ['u', '7'],
    ]),
    time: '17',
  })
})
