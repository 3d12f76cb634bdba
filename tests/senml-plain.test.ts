// The short way through SenML answers what the long way answers, to the bit and the absent field, or leaves the pack to it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Decoded, Frame } from '../adapters/adapter.ts'
import { decodeExactly } from '../adapters/senml/codec.ts'
import { createPlainReader } from '../adapters/senml/plain.ts'
import { sensorsRememberedMax } from '../adapters/senml/plain-sensors.ts'
import { fixturesOf } from './adapters/fixtures.ts'
import { senml } from '../adapters/senml/codec.ts'

const receivedAt = 1_795_348_801_000_000_042n

const frameOf = (pack: string | Uint8Array, contentType?: string): Frame => ({
  bytes: typeof pack === 'string' ? Buffer.from(pack) : pack,
  receivedAt,
  channel: 'tocsin/in/senml/gauge-7',
  ...(contentType !== undefined && { contentType }),
})

type PlainReader = ReturnType<typeof createPlainReader>

/** What the short way said, after both ways were found to agree. */
function agreed(readPlain: PlainReader, frame: Frame): Decoded | undefined {
  const plain = readPlain(frame)
  if (plain) expect(plain).toStrictEqual(decodeExactly(frame))
  return plain
}

const oneOf = (...texts: readonly string[]) => fc.constantFrom(...texts)
const quoted = (texts: fc.Arbitrary<string>) => texts.map((text) => JSON.stringify(text))

const digits = (min: number, max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((each) => each.join(''))
const whole = fc.integer({ min: 0, max: 10 }).chain((length) => digits(length, length))
const plainNumber = fc
  .tuple(oneOf('', '', '', '-'), whole, fc.option(digits(1, 6)))
  .map(([sign, before, after]) => `${sign}${before.replace(/^0+/, '') || '0'}${after === null ? '' : `.${after}`}`)
const plainTime = fc
  .tuple(fc.integer({ min: 0, max: 4_294_967_295 }), fc.option(digits(1, 9)))
  .map(([seconds, after]) => `${seconds}${after === null ? '' : `.${after}`}`)
const shortTime = fc
  .tuple(oneOf('', '-'), oneOf('0', '1', '59', '3600', '86400.5', '0.001', '0.999999999'))
  .map((all) => all.join(''))
const names = quoted(
  oneOf('', 'temp', 'water-level', 'Soil-Moisture/1', 'battery', 'hum', 'lat', 'alt', 'a', 'x_1', '7'),
)
const bases = quoted(oneOf('', 'gauge-7:', 'gauge-8:', 'a/b/', 'urn:dev:ow:10e2073a01080063:', 'fe80::1/', '10e2073a'))
const units = quoted(oneOf('', 'm', 'Cel', '%RH', 'V', 'hPa', 'mm', 'dBm', '%', '/', 'ms', 'km/h', 'EL', 'count'))
const flags = oneOf('true', 'false')

/** What devices send. */
const plainRecord = (isFirst: boolean) =>
  fc
    .record(
      {
        ...(isFirst && { bn: bases, bt: plainTime, bu: units }),
        n: names,
        u: units,
        v: plainNumber,
        t: shortTime,
      },
      { requiredKeys: ['n', 'v'] },
    )
    .map((fields) => `{${Object.entries(fields).map(([label, text]) => `"${label}":${text}`)}}`)

const hostileNumber = fc.oneof(
  plainNumber,
  plainTime,
  shortTime,
  oneOf('-0', '-0.0', '0.0', '1e3', '1E+2', '1e999', '-1e-400', '2.50e0', '0.1e1', '1e-7', '0.0000001', '5e-324'),
  oneOf('9007199254740993', '9999999999999999', '123456789012345', '1234567890123456', '12345678901234567890'),
  oneOf('0.123456789012345', '0.30000000000000004', '99999999999999.9', '1795348800.1234567', '1795348800.1234567891'),
  oneOf('268435455', '268435455.999999999', '268435456', '-268435456', '253402300799.999999999', '253402300800'),
  oneOf('01', '1.', '.5', '-', '+1', '--1', 'NaN', 'Infinity', '0x1', '1_0', '1 2', '-62135596800', '-999999999999'),
)
const hostileText = fc.oneof(
  names,
  bases,
  units,
  quoted(fc.string({ maxLength: 12, unit: 'binary' })),
  quoted(
    oneOf(
      'lat',
      'lon',
      'Lat',
      'constructor',
      '__proto__',
      ' m',
      'ümlaut',
      'a b',
      '-a',
      'x'.repeat(70),
      'y'.repeat(300),
    ),
  ),
  oneOf('"\\u0061"', '"\\ud800"', '"a\\"', '"\t"', '"a', "'a'", 'a', '""""', '"\u007f"', '"a\\/b"'),
)
const hostileValue = fc.oneof(
  { weight: 6, arbitrary: hostileNumber },
  { weight: 4, arbitrary: hostileText },
  oneOf('true', 'false', 'null', 'tru', 'True', 'truex', '{}', '[]', '[1]', '{"v":1}', '', 'falsefalse'),
)
const labels = oneOf('bn', 'bt', 'bu', 'bv', 'bs', 'bver', 'n', 'u', 'v', 'vs', 'vb', 'vd', 's', 't', 'ut')
const hostileLabel = fc.oneof(
  { weight: 8, arbitrary: labels },
  oneOf('__proto__', 'constructor', 'x', 'must_', 'V', '', 'vv', 'nn', 'b', 'toString', '\\u0076', 'v\\', 'bn ', 'n"'),
)
// A Map, because "constructor" is a label here.
const kinds = new Map<string, fc.Arbitrary<string>>([
  ['bn', bases],
  ['n', names],
  ['u', units],
  ['bu', units],
  ['vs', names],
  ['vb', flags],
  ['bt', plainTime],
  ['t', shortTime],
  ['v', plainNumber],
  ['s', plainNumber],
  ['bv', plainNumber],
])
const field = hostileLabel.chain((label) =>
  fc
    .oneof({ weight: 9, arbitrary: kinds.get(label) ?? hostileValue }, { weight: 2, arbitrary: hostileValue })
    .map((value) => `"${label}":${value}`),
)
const blank = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  oneOf(' ', '\n', '\r\n\t', '\u00a0', '\v', ',', '\ufeff', '/**/'),
)
const usual = (text: string) =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(text) }, oneOf('', ',', '}', ']', '[', '{', ':', '\0'))
const hostileRecord = fc
  .tuple(usual('{'), fc.array(field, { maxLength: 6 }), blank, usual('}'), blank)
  .map(([open, fields, gap, close, after]) => `${open}${gap}${fields.join(`${gap},${gap}`)}${gap}${close}${after}`)
const hostilePack = fc
  .tuple(
    usual('['),
    fc.array(fc.oneof(plainRecord(true), hostileRecord), { maxLength: 5 }),
    usual(','),
    usual(']'),
    blank,
  )
  .map(([open, records, between, close, after]) => `${open}${records.join(between)}${close}${after}`)

/** Two sensors at twenty times, forth and back again. */
const history = Array.from({ length: 80 }, (_, at) => `{"n":"s${at & 1}","v":${at},"t":-${Math.abs(40 - at)}.5}`).join(
  ',',
)

describe('the short way through SenML', () => {
  test('takes what devices send, and reads it as the long way does', () => {
    const readPlain = createPlainReader()
    let taken = 0
    const runs = 2_000
    fc.assert(
      fc.property(plainRecord(true), fc.array(plainRecord(false), { maxLength: 5 }), (first, others) => {
        const frame = frameOf(`[${[first, ...others].join(',')}]`)
        if (agreed(readPlain, frame)) taken++
      }),
      { numRuns: runs },
    )
    expect(taken).toBeGreaterThan(runs / 3)
  })

  test('never reads a hostile pack in a way of its own', () => {
    const readPlain = createPlainReader()
    let taken = 0
    fc.assert(
      fc.property(hostilePack, (pack) => {
        if (agreed(readPlain, frameOf(pack))) taken++
      }),
      { numRuns: 6_000 },
    )
    // Packs that are all refused would show little.
    expect(taken).toBeGreaterThan(100)
  })

  test('never reads one hostile field among plain ones in a way of its own', () => {
    const readPlain = createPlainReader()
    const only = (label: string) => hostileValue.map((value) => `"${label}":${value}`)
    const one = fc.oneof(only('v'), only('t'), only('bt'), only('vs'), only('n'), field)
    fc.assert(
      fc.property(one, plainRecord(true), fc.boolean(), (hostile, plain, isNamed) => {
        agreed(readPlain, frameOf(`[{"n":"a","v":1},{${hostile}${isNamed ? ',"n":"a"' : ',"v":1'}},${plain}]`))
      }),
      { numRuns: 6_000 },
    )
  })

  test('never reads changed bytes in a way of its own', () => {
    const readPlain = createPlainReader()
    const change = fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(
        plainRecord(true),
        plainRecord(false),
        fc.array(change, { maxLength: 3 }),
        (first, second, changes) => {
          const bytes = Buffer.from(`[${first},${second}]`)
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          agreed(readPlain, frameOf(bytes))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  test.each(fixturesOf(senml))('reads the fixture "$name" as the long way does', ({ frame }) => {
    const readPlain = createPlainReader()
    agreed(readPlain, frame)
    // The second time it remembers the sensors.
    agreed(readPlain, frame)
  })

  test.each([
    ['zero below zero', '[{"n":"a","v":-0}]'],
    ['an exponent', '[{"n":"a","v":1e2}]'],
    ['sixteen digits', '[{"n":"a","v":9007199254740993}]'],
    ['a base value', '[{"bv":1,"n":"a","v":2}]'],
    ['a sum', '[{"n":"a","s":2}]'],
    ['half of a place', '[{"n":"a","u":"lat","v":2}]'],
    ['an escape', '[{"n":"\\u0061","v":2}]'],
    ['an escape in a text', '[{"n":"a","vs":"b\\nc"}]'],
    ['a nought before a number', '[{"n":"a","v":01}]'],
    ['a point without digits behind it', '[{"n":"a","v":1.}]'],
    ['a part of a nanosecond', '[{"n":"a","v":1,"bt":1795348800.0000000001}]'],
    ['the year 10000', '[{"n":"a","v":1,"bt":253402300799.999999999,"t":0.000000001}]'],
    ['a time before the year 1', '[{"n":"a","v":1,"t":-99999999999}]'],
    ['more records than a pack may have', `[${Array.from({ length: 4_097 }, () => '{"n":"a","v":1}').join(',')}]`],
    ['a label that stands twice', '[{"n":"a","v":1,"v":2}]'],
    ['a label that is no letter', '[{"n":"a","v":1,"__proto__":2}]'],
    ['two values', '[{"n":"a","v":1,"vb":true}]'],
    ['a time relative to now beside an absolute one', '[{"n":"a","v":1,"t":-5},{"bt":1795348800,"n":"a","v":1}]'],
    ['a comma behind the last record', '[{"n":"a","v":1},]'],
    ['a unit that nobody knows', '[{"n":"a","u":"furlong","v":1}]'],
  ])('leaves %s to the long way', (_about, pack) => {
    expect(createPlainReader()(frameOf(pack))).toBeUndefined()
  })

  test.each([
    ['microseconds', '[{"bn":"a:","bt":1795348800.123456,"n":"b","v":1}]'],
    ['nanoseconds', '[{"bn":"a:","bt":1795348800.123456789,"t":-0.987654321,"n":"b","v":1}]'],
    ['a sum of times that ends on a second', '[{"bn":"a:","bt":1795348800.75,"t":0.25,"n":"b","v":1}]'],
    ['a sum of times below its second', '[{"bn":"a:","bt":1795348800.25,"t":-0.75,"n":"b","v":1}]'],
    ['a sum of times a nanosecond below its second', '[{"bn":"a:","bt":1795348800.5,"t":-0.500000001,"n":"b","v":1}]'],
    ['no time', '[{"n":"level","u":"m","v":2.31}]'],
    ['a time relative to now', '[{"n":"level","u":"m","v":2.31,"t":-5.25}]'],
    ['a unit that is converted', '[{"bn":"a:","n":"pressure","u":"hPa","v":1013.250}]'],
    [
      'several devices and times',
      '[{"bn":"a:","n":"b","v":1,"bt":1795348800},{"bn":"c:","n":"b","v":1},{"n":"b","v":1,"t":1},{"bn":"a:","n":"d","v":1}]',
    ],
    ['a history', `[{"bn":"a:","bt":1795348800},${history}]`],
    ['one quantity twice', '[{"bn":"a:","n":"b","u":"V","v":1},{"n":"c","u":"V","v":1}]'],
    ['a URN', '[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1}]'],
    ['flags and texts', '[{"bn":"a:","n":"open","vb":true},{"n":"shut","vb":false},{"n":"word","vs":"yes"}]'],
    ['white space', ' \n[ { "n" : "b" ,\t"v" : 1 } ]\r\n'.trimStart()],
  ])('takes %s', (_about, pack) => {
    expect(agreed(createPlainReader(), frameOf(pack))).toMatchObject({ outcome: 'events' })
  })

  test('takes only the media type of JSON', () => {
    const readPlain = createPlainReader()
    const pack = '[{"n":"a","v":1}]'
    expect(agreed(readPlain, frameOf(pack, 'application/senml+json'))).toBeDefined()
    for (const type of ['application/sensml+json', 'application/senml+cbor', 'application/senml+xml', 'text/plain'])
      expect(readPlain(frameOf(pack, type))).toBeUndefined()
  })

  test('shares nothing between two events that could be changed', () => {
    const readPlain = createPlainReader()
    const pack = frameOf('[{"bn":"a:","bt":1795348800,"n":"b","u":"V","v":1},{"n":"c","v":1,"t":-1}]')
    const [one, other] = [readPlain(pack), readPlain(pack)]
    deepFreeze(one)
    expect(other).toStrictEqual(decodeExactly(pack))
    expect(isAnyFrozen(other)).toBe(false)
  })

  test('forgets sensors rather than grow, and reads on', () => {
    const readPlain = createPlainReader()
    for (let device = 0; device <= sensorsRememberedMax; device++)
      readPlain(frameOf(`[{"bn":"device-${device}:","n":"a","v":1}]`))
    const frame = frameOf('[{"bn":"device-7:","n":"a","u":"V","v":1},{"n":"b","v":2}]')
    expect(agreed(readPlain, frame)).toBeDefined()
    expect(agreed(readPlain, frame)).toBeDefined()
  })
})

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const child of Object.values(value)) deepFreeze(child)
}

function isAnyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.isFrozen(value) || Object.values(value).some(isAnyFrozen)
}
