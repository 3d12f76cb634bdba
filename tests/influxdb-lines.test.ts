// Lines for InfluxDB: read back by a reader that this test has written from the published grammar, they say what went in.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLines, decodeText } from '../gateway/outputs/influxdb/line-protocol.ts'

type FieldValue =
  | { type: 'float'; value: number }
  | { type: 'integer'; value: bigint }
  | { type: 'flag'; value: boolean }
  | { type: 'text'; value: string }

interface Point {
  readonly measurement: string
  readonly tags: readonly (readonly [string, string])[]
  readonly fields: readonly (readonly [string, FieldValue])[]
  readonly ms: number
  readonly restNs: number
}

// Names and values as a hostile device would choose them.
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\n',
      '\r',
      '"',
      '\\',
      ',',
      ' ',
      '=',
      '\0',
      '\t',
      '%',
      '0',
      'A',
      '#',
      '\u007f',
      '\u0085',
      '\u2028',
      'é',
      '水',
      '🚒',
      '-',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 24,
})
const name = hostile.filter((text) => text !== '')
const fieldValue: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.double().map((value) => ({ type: 'float', value }) as const),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ type: 'integer', value }) as const),
  fc.boolean().map((value) => ({ type: 'flag', value }) as const),
  hostile.map((value) => ({ type: 'text', value }) as const),
)
const point: fc.Arbitrary<Point> = fc.record({
  measurement: name,
  tags: fc.array(fc.tuple(name, hostile), { maxLength: 4 }),
  fields: fc.array(fc.tuple(name, fieldValue), { minLength: 1, maxLength: 5 }),
  ms: fc.oneof(
    fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }),
    fc.constantFrom(0, 1, -1, 1_700_000_000_123),
  ),
  restNs: fc.integer({ min: 0, max: 999_999 }),
})

describe('a line', () => {
  test('read back, is what was written, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 6 }), (points) => {
        const lines = createLines(16)
        for (const each of points) write(lines, each)
        const text = lines.bytes().toString('utf8')
        const read = text === '' ? [] : text.slice(0, -1).split('\n').map(readLine)
        expect(read).toEqual(points.map(expected).filter((each) => each !== undefined))
        expect(lines.count).toBe(read.length)
      }),
      { numRuns: 600 },
    )
  })

  test('of two different texts, two different ones are made', () => {
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        fc.pre(a.toWellFormed() !== b.toWellFormed() && a !== '' && b !== '')
        expect(tagged(a)).not.toBe(tagged(b))
      }),
      { numRuns: 2_000 },
    )
    expect(tagged('a\nb')).not.toBe(tagged('a%0Ab'))
    expect(tagged('a%0Ab')).not.toBe(tagged('a%250Ab'))
  })

  test('shows control characters and backslashes, and keeps what is harmless as it is', () => {
    expect(tagged('x\ninjected,pwn=1 v=1')).toBe('m,t=x%0Ainjected\\,pwn\\=1\\ v\\=1 v=1i 0\n')
    expect(tagged('ends with \\')).toBe('m,t=ends\\ with\\ %5C v=1i 0\n')
    expect(tagged('100%')).toBe('m,t=100% v=1i 0\n')
    expect(tagged('"quoted"')).toBe('m,t="quoted" v=1i 0\n')
    const lines = createLines()
    lines.begin('#not a comment')
    lines.text('say "hi"', 'C:\\dir "x"\nnext\0')
    lines.end(0, 0)
    expect(lines.bytes().toString()).toBe('%23not\\ a\\ comment say\\ "hi"="C:\\\\dir \\"x\\"%0Anext%00" 0\n')
  })

  test('has every int64 to its last digit, and nothing beyond', () => {
    const lines = createLines()
    lines.begin('m')
    for (const value of [2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n])
      expect(lines.integer('i', value)).toBe(true)
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 10n ** 30n]) expect(lines.integer('i', value)).toBe(false)
    lines.end(1, 5)
    expect(lines.bytes().toString()).toBe(
      'm i=9223372036854775807i,i=-9223372036854775808i,i=9007199254740993i 1000005\n',
    )
  })

  test('is not written when no field is left', () => {
    const lines = createLines()
    lines.begin('m')
    for (const value of [Number.NaN, Infinity, -Infinity]) expect(lines.float('f', value)).toBe(false)
    expect(lines.end(0, 0)).toBe(false)
    expect(lines.length).toBe(0)
  })

  test('that was begun and left open does not show in the next', () => {
    const lines = createLines()
    lines.begin('abandoned')
    lines.tag('t', 'x')
    lines.flag('f', true)
    lines.begin('m')
    lines.flag('f', false)
    lines.end(7, 42)
    expect(lines.bytes().toString()).toBe('m f=false 7000042\n')
    expect(lines.line(0).toString()).toBe('m f=false 7000042\n')
  })
})

type Lines = ReturnType<typeof createLines>

function write(lines: Lines, each: Point): void {
  lines.begin(each.measurement)
  for (const [key, value] of each.tags) lines.tag(key, value)
  for (const [key, field] of each.fields) {
    if (field.type === 'float') lines.float(key, field.value)
    if (field.type === 'integer') lines.integer(key, field.value)
    if (field.type === 'flag') lines.flag(key, field.value)
    if (field.type === 'text') lines.text(key, field.value)
  }
  lines.end(each.ms, each.restNs)
}

function tagged(value: string): string {
  const lines = createLines()
  lines.begin('m')
  lines.tag('t', value)
  lines.integer('v', 1)
  lines.end(0, 0)
  return lines.bytes().toString('utf8')
}

/** What line protocol can say of a point: no empty tags, no number that is none, no lone surrogates. */
function expected({ measurement, tags, fields, ms, restNs }: Point) {
  const left = fields.filter(([, field]) => field.type !== 'float' || Number.isFinite(field.value))
  if (left.length === 0) return undefined
  return {
    measurement: measurement.toWellFormed(),
    tags: tags.filter(([, value]) => value !== '').map(([key, value]) => [key.toWellFormed(), value.toWellFormed()]),
    fields: left.map(([key, field]) => [
      key.toWellFormed(),
      field.type === 'text' ? { type: 'text', value: field.value.toWellFormed() } : field,
    ]),
    time: BigInt(ms) * 1_000_000n + BigInt(restNs),
  }
}

// The reader. A backslash before a comma, space or equals sign of a name makes it part of the name; any other is itself. In a text
// in quotes it does so before a quote or a backslash.
function readLine(line: string) {
  let at = 0
  const measurement = readName(', ')
  const tags: [string, string][] = []
  while (line[at] === ',') {
    at++
    const key = readName('=')
    at++
    tags.push([key, readName(', ')])
  }
  const fields: [string, FieldValue][] = []
  do {
    at++
    const key = readName('=')
    at++
    fields.push([key, readValue()])
  } while (line[at] === ',')
  expect(line[at]).toBe(' ')
  expect(line.slice(at + 1)).toMatch(/^-?\d+$/)
  return { measurement, tags, fields, time: BigInt(line.slice(at + 1)) }

  function readName(ends: string): string {
    let text = ''
    for (; at < line.length && !ends.includes(line[at]!); at++) {
      if (line[at] === '\\' && ', ='.includes(line[at + 1] ?? 'x')) at++
      text += line[at]
    }
    expect(text).not.toBe('')
    return decodeText(text)
  }

  function readValue(): FieldValue {
    if (line[at] === '"') return { type: 'text', value: readText() }
    const start = at
    while (at < line.length && line[at] !== ',' && line[at] !== ' ') at++
    const text = line.slice(start, at)
    if (text === 'true' || text === 'false') return { type: 'flag', value: text === 'true' }
    if (text.endsWith('i')) return { type: 'integer', value: BigInt(text.slice(0, -1)) }
    expect(text).toMatch(/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/)
    return { type: 'float', value: Number(text) }
  }

  function readText(): string {
    let text = ''
    for (at++; line[at] !== '"'; at++) {
      if (line[at] === '\\') at++
      expect(at).toBeLessThan(line.length)
      text += line[at]
    }
    at++
    return decodeText(text)
  }
}
