// Numbers by their own digits: the reading of JSON with literals gives what JSON.parse with a reviver gives, for any JSON.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLiteral, literal } from '../adapters/decimal.ts'
import { parseLiterals } from '../adapters/json-literals.ts'

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown

/** Node hands the reviver the source text of each number. */
const expected = (text: string): unknown =>
  parseWithSource(text, (_key, value, { source }) => (typeof value === 'number' ? literal(source ?? '') : value))

function agree(text: string): void {
  expect(told(parseLiterals(text))).toEqual(told(expected(text)))
}

/** All that can be told of a value, the order of its keys and its prototype too, in arrays and texts alone. */
function told(value: unknown): unknown {
  if (isLiteral(value)) return ['literal', value.text]
  if (Array.isArray(value)) return ['array', value.map(told)]
  if (typeof value !== 'object' || value === null) return value
  const isPlain = Object.getPrototypeOf(value) === Object.prototype
  return [isPlain ? 'object' : 'other', Object.entries(value).map(([key, child]) => [key, told(child)])]
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ')
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('-0', '2.00', '1E+5', '1e-07', '0.10', '12345678901234567890', '-1.5e3', '1e999', '0'),
)
// No backslash in a key: V8 takes an escaped key, such as "\u0061", for a key "\" that it has seen at the same place before.
const keys = fc.oneof(
  fc.constantFrom('"a"', '"b"', '"__proto__"', '"constructor"', '"1"', '"0"', '"\\u0061"', '""', '"a\\"b"'),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text.replaceAll('\\', '/'))),
)
const { tree } = fc.letrec<{ tree: string }>((again) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(numbers, keys, fc.constantFrom('true', 'false', 'null', '[]', '{}', '[ ]', '{\n}')),
    fc
      .tuple(fc.array(again('tree'), { maxLength: 5 }), space)
      .map(([elements, gap]) => `[${gap}${elements.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(fc.array(fc.tuple(keys, again('tree')), { maxLength: 5 }), space)
      .map(([fields, gap]) => `{${gap}${fields.map(([key, value]) => `${key}${gap}:${gap}${value}`).join(`,${gap}`)}}`),
  ),
}))

test('any JSON reads as with a reviver', () => {
  fc.assert(
    fc.property(space, tree, (gap, text) => agree(`${gap}${text}${gap}`)),
    { numRuns: 3_000 },
  )
})

test.each([
  ['a number alone', '-12.50'],
  ['a text with escapes', '{"a":"\\"\\\\","b":"\\ud83d\\ude00\\/"}'],
  ['a key that stands twice', '{"a":1,"b":2,"a":{"c":3.0},"b":4.0}'],
  ['a key that is a prototype', '{"__proto__":{"v":1.0},"v":2}'],
  ['keys that are numbers', '{"b":1,"2":2,"1":3}'],
])('%s', (_about, text) => {
  agree(text)
})
