// The language of JSON mappings: what is wrong with one is said before the first message, times are read exactly, and expressions
// stay within their box.

import jsonata from 'jsonata'
import { describe, expect, test } from 'vitest'
import { toBigInt } from '../proto/int64.ts'
import { json } from '../adapters/json/codec.ts'
import { compileExpression } from '../adapters/json/expression.ts'
import { compileJsonata } from '../adapters/json/jsonata-engine.ts'
import { faultsOf, jsonOptions } from '../adapters/json/mapping.ts'
import { patternFault, readTime } from '../adapters/written-time.ts'
import { rfc3339 } from '../proto/time.ts'

const limits = { depthMax: 200, timeMsMax: 50 }

function faultsIn(mapping: object): string[] {
  const read = jsonOptions.safeParse({
    mappings: [{ name: 'a', measurements: [{ quantity: 'level', value: 'v' }], ...mapping }],
  })
  return read.success ? [] : faultsOf(read.error)
}

describe('a wrong mapping is refused at start, with place and remedy', () => {
  test.each([
    ['a misspelt key', { topic: ['a'] }, 'mappings[0]: unknown key "topic"; did you mean "topics"?'],
    [
      'a misspelt key within',
      { measurements: [{ quantity: 'level', valeu: 'v', value: 'v' }] },
      'mappings[0].measurements[0]: unknown key "valeu"; did you mean "value"?',
    ],
    [
      'an unknown unit',
      { measurements: [{ quantity: 'level', value: 'v', unit: 'degf' }] },
      'mappings[0].measurements[0].unit: unknown unit "degf"; did you mean "degF"?',
    ],
    [
      'a broken expression',
      { when: 'a = ' },
      'mappings[0].when: Unexpected end of expression (JSONata, at position 4 of "a = ")',
    ],
    [
      'an unknown variable',
      { device: '=$topc[1]' },
      'mappings[0].device: "$topc" is not known; did you mean "$topic"?',
    ],
    [
      'a time format',
      { time: { path: 't', format: 'unixs' } },
      'mappings[0].time.format: unknown time format "unixs"; did you mean "unix_s"?',
    ],
    [
      'a time zone',
      { time: { path: 't', format: 'rfc3339', zone: 'Berlin' } },
      'mappings[0].time.zone: "Berlin" is no time zone; they look like "Europe/Berlin"',
    ],
    [
      'a pattern without a day',
      { time: { path: 't', format: '%Y-%m' } },
      'mappings[0].time.format: unknown time format "%Y-%m"; it needs a year, a month and a day',
    ],
    ['a status', { status: 'REAL' }, 'mappings[0].status: "REAL" is none of ACTUAL, EXERCISE, SYSTEM, TEST, DRAFT'],
    [
      'nothing to read',
      { measurements: undefined },
      'mappings[0]: a mapping needs measurements, a position or a device_status',
    ],
    [
      'both repetitions',
      { each: 'a', entries: 'b' },
      'mappings[0]: each (of an array) and entries (of an object) exclude one another',
    ],
    [
      'a filter',
      { topics: ['a/#/b'] },
      'mappings[0].topics[0]: no MQTT topic filter: "+" and "#" stand alone, "#" last',
    ],
  ])('%s', (_, mapping, fault) => {
    expect(faultsIn(mapping)).toEqual([fault])
  })

  test('several faults are all named at once', () => {
    expect(
      faultsIn({ topic: ['a'], when: '(', measurements: [{ quantity: 'Level', value: 'v', unit: 'x' }] }),
    ).toHaveLength(4)
  })
})

describe('times', () => {
  test.each([
    ['2026-11-22T12:59:30.123456789+01:00', 'rfc3339', undefined, '2026-11-22T11:59:30.123456789Z'],
    ['2026-11-22T12:59:30', 'rfc3339', 'Europe/Vienna', '2026-11-22T11:59:30Z'],
    ['2026-07-22 13:59:30', 'rfc3339', 'Europe/Vienna', '2026-07-22T11:59:30Z'],
    [1795348740.25, 'unix_s', undefined, '2026-11-22T11:59:00.250Z'],
    ['1795348740123', 'unix_ms', undefined, '2026-11-22T11:59:00.123Z'],
    ['1795348740123456789', 'unix_ns', undefined, '2026-11-22T11:59:00.123456789Z'],
    ['22.11.2026 12:59:30', '%d.%m.%Y %H:%M:%S', 'Europe/Vienna', '2026-11-22T11:59:30Z'],
    ['Nov 22 26 01:05:09 PM -0500', '%b %d %y %I:%M:%S %p %z', undefined, '2026-11-22T18:05:09Z'],
    ['22/11/26', '%d/%m/%y', 'UTC', '2026-11-22T00:00:00Z'],
    // The hour that comes twice: the first one. The hour that is skipped: as if the clock had not been moved.
    ['2026-10-25T02:30:00', 'rfc3339', 'Europe/Vienna', '2026-10-25T00:30:00Z'],
    ['2026-03-29T02:30:00', 'rfc3339', 'Europe/Vienna', '2026-03-29T01:30:00Z'],
    ['2026-01-01T00:00:00', 'rfc3339', 'Asia/Kathmandu', '2025-12-31T18:15:00Z'],
    ['2026-01-01T00:00:00', 'rfc3339', 'America/St_Johns', '2026-01-01T03:30:00Z'],
  ])('%s as %s in %s is %s', (value, format, zone, expected) => {
    expect(rfc3339(readTime(value, format, zone)!)).toBe(expected)
  })

  test.each([
    ['2026-11-22T12:59:30', 'rfc3339', undefined],
    ['31.02.2026 00:00:00', '%d.%m.%Y %H:%M:%S', 'UTC'],
    ['22.11.2026 25:00:00', '%d.%m.%Y %H:%M:%S', 'UTC'],
    ['yesterday', 'unix_s', undefined],
    ['', 'unix_s', undefined],
    [true, 'unix_s', undefined],
    [1e300, 'unix_s', undefined],
    [12, 'rfc3339', undefined],
  ])('%s as %s in %s is no time', (value, format, zone) => {
    expect(readTime(value, format, zone)).toBeUndefined()
  })

  test('a pattern says which letters it knows', () => {
    expect(patternFault('%d.%m.%Q')).toMatch(/^%Q is not known; known are %Y/)
  })
})

describe('expressions', () => {
  const document = {
    a: { b: [{ c: 1 }, { c: 2 }], d: null, 'x y': 'z', n: 0 },
    list: [
      { t: 'one', v: [1, 2] },
      { t: 'two', v: [3] },
    ],
    text: 'aaa',
    constructor: 5,
  }
  const scope = {
    here: document,
    exactHere: undefined,
    exactRoot: undefined,
    variables: { topic: ['p', 'q'], root: document },
  }

  test.each([
    'a.b[0].c',
    'a.b.c',
    '$.a.b[1].c',
    'a.d',
    'a.`x y`',
    'a.missing.deeper',
    'text.more',
    'list.v',
    'list[1].t',
    'a[0].n',
    '$topic[1]',
    '$root.text',
    'constructor',
    'toString',
    '$',
    'a.b[9]',
    'list[0].v[1]',
    'true',
    'text[0]',
    'list.t',
    '$sum(list.v)',
    'list[t="two"].v',
    'a.n + 1',
    '$count(a.b) > 1',
    'list.($t := t; v.{"t": $t})',
    '$uppercase(text)',
  ])('%s means what JSONata means', async (text) => {
    const compiled = compileExpression(text, limits)
    expect(compiled).toHaveProperty('evaluate')
    if (!('evaluate' in compiled)) return
    const theirs: unknown = await jsonata(text).evaluate(document, scope.variables)
    const ours = compiled.evaluate(scope)
    expect('value' in ours ? JSON.stringify(ours.value) : ours).toBe(JSON.stringify(theirs))
  })

  test.each([
    ['($f := function($n) { 1 + $f($n) }; $f(0))', 'it went deeper than 200'],
    ['($f := function($n) { $f($n + 1) }; $f(0))', 'it took longer than 50 ms'],
    ['$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)', 'it took longer than 50 ms'],
    ['[1..9999999]', 'it made a sequence longer than 10000'],
    ['$now()', '$now() has no place in a mapping'],
    ['$eval(text)', '$eval() has no place in a mapping'],
    ['text + 1', 'JSONata T2001 at position 6'],
  ])('%s is stopped: %s', (text, why) => {
    const compiled = compileJsonata(text, limits)
    const begin = performance.now()
    expect('evaluate' in compiled && compiled.evaluate(document, {})).toEqual({ why })
    expect(performance.now() - begin).toBeLessThan(1_000)
  })

  test('after one was stopped, the next is answered', () => {
    const hostile = compileJsonata('($f := function($n) { $f($n) }; $f(0))', limits)
    const sound = compileJsonata('a.b[1].c * 2', limits)
    if ('evaluate' in hostile) hostile.evaluate(document, {})
    expect('evaluate' in sound && sound.evaluate(document, {})).toEqual({ value: 4 })
  })

  test('what was stopped half way never goes on: not into the next answer, and not into the end of the process', async () => {
    const hostile = compileJsonata(
      '{"a": $number(text), "b": $sift(a, function($v) { $number($v) }), "c": $match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)}',
      limits,
    )
    const sound = compileJsonata('a.b[1].c * 2', limits)
    for (let i = 0; i < 3; i++) {
      expect('evaluate' in hostile && hostile.evaluate(document, {})).toHaveProperty('why')
      expect('evaluate' in sound && sound.evaluate(document, {})).toEqual({ value: 4 })
    }
    // A rejection that nobody hears is told after the turn; vitest fails a run that has one.
    await new Promise((resolve) => setTimeout(resolve, 20))
  })

  test('padding is bounded, so that a payload cannot fill the memory', () => {
    const compiled = compileJsonata('$length($pad("x", 1000000000))', limits)
    expect('evaluate' in compiled && compiled.evaluate(document, {})).toEqual({ value: 4096 })
  })
})

test('sixteen digits are kept, not rounded to what a double can hold', () => {
  const options = jsonOptions.parse({ mappings: [{ name: 'n', measurements: [{ quantity: 'count', value: 'n' }] }] })
  const decoded = json.decoder!(options).decode({
    bytes: Buffer.from('{"n": 9007199254740993}'),
    receivedAt: 0n,
    channel: 'a/b',
  })
  const [event] = decoded.outcome === 'events' ? decoded.events : []
  const [measurement] = event?.body === 'observation' ? (event.observation.measurements ?? []) : []
  expect(measurement?.value === 'integer' && toBigInt(measurement.integer)).toBe(9007199254740993n)
})

describe('reading', () => {
  const decode = (mapping: object, text: string, channel = 'a/b') =>
    json.decoder!(jsonOptions.parse({ mappings: [mapping] })).decode({
      bytes: Buffer.from(text),
      receivedAt: 0n,
      channel,
    })

  test.each([
    ['a/+', 'a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a.b', 'aXb', false],
    ['a/+', 'a/b/c', false],
  ])('the filter %s on the topic %s: %s', (filter, topic, isRead) => {
    const decoded = decode(
      { name: 'x', topics: [filter], measurements: [{ quantity: 'v', value: 'v' }] },
      '{"v":1}',
      topic,
    )
    expect(decoded.outcome).toBe(isRead ? 'events' : 'ignored')
  })

  test('one element is read as several are, though JSONata unwraps it', () => {
    const mapping = { name: 'x', each: 'list[k="t"]', measurements: [{ quantity: 'v', value: 'v' }] }
    for (const count of [1, 2, 3]) {
      const list = Array.from({ length: count }, (_, v) => ({ k: 't', v }))
      const decoded = decode(mapping, JSON.stringify({ list: [...list, { k: 'u' }] }))
      expect(decoded.outcome === 'events' && decoded.events.length).toBe(count)
    }
  })

  test('names of Object.prototype are no fields', () => {
    const decoded = decode({ name: 'x', measurements: [{ quantity: 'v', value: 'constructor' }] }, '{"a":1}')
    expect(decoded).toEqual({ outcome: 'ignored', why: 'x: nothing of what is mapped' })
  })
})
