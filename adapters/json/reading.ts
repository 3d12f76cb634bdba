// One message being read by one mapping: evaluates expressions at their places, and remembers the first thing that went wrong, so
// that the steps above read straight on. After a fault nothing is evaluated any more.

import type { Fault } from '../adapter.ts'
import { type Literal, type Numeral, isLiteral, literal, numeralText } from '../decimal.ts'
import type { Answer, Expression, Repeat, Scope } from './expression.ts'

export interface Reading {
  readonly mapping: string
  fault: { readonly fault: Fault; readonly why: string } | undefined
  /** What was noticed and passed over. */
  readonly warnings: Set<string>
}

export const createReading = (mapping: string): Reading => ({ mapping, fault: undefined, warnings: new Set() })

/** The first fault stands; the message is refused for it. */
export function fail(reading: Reading, place: string, why: string, fault: Fault = 'syntax'): undefined {
  reading.fault ??= { fault, why: `${reading.mapping}.${place}: ${why}` }
}

/** Undefined for what is absent or null. */
export function valueAt(reading: Reading, place: string, expression: Expression, scope: Scope): unknown {
  return reading.fault ? undefined : answered(reading, place, expression.evaluate(scope))
}

/** As `valueAt`, numbers as literals where their digits are known. */
export function exactValueAt(reading: Reading, place: string, expression: Expression, scope: Scope): unknown {
  return reading.fault ? undefined : answered(reading, place, expression.evaluateExact(scope))
}

function answered(reading: Reading, place: string, answer: Answer): unknown {
  if ('why' in answer) return fail(reading, place, answer.why, 'unsupported')
  return answer.value === null ? undefined : answer.value
}

type Maybe = Expression | undefined

export function numberAt(reading: Reading, place: string, expression: Maybe, scope: Scope): number | undefined {
  const found = expression && valueAt(reading, place, expression, scope)
  if (found === undefined) return undefined
  const number = numberOf(found)
  if (number === undefined) return fail(reading, place, 'is not a number')
  const double = Number(numeralText(number))
  return Number.isFinite(double) ? double : fail(reading, place, 'is beyond all numbers', 'range')
}

export function flagAt(reading: Reading, place: string, expression: Maybe, scope: Scope): boolean | undefined {
  const found = expression && valueAt(reading, place, expression, scope)
  return found === undefined ? undefined : (flagOf(found) ?? fail(reading, place, 'is neither true nor false'))
}

export function textAt(
  reading: Reading,
  place: string,
  expression: Maybe,
  scope: Scope,
  bytesMax: number,
): string | undefined {
  const found = expression && valueAt(reading, place, expression, scope)
  if (found === undefined) return undefined
  const text = textOf(found)
  if (text === undefined) return fail(reading, place, 'is not a text')
  if (!text.isWellFormed()) return fail(reading, place, 'is not well-formed text')
  return Buffer.byteLength(text) > bytesMax ? fail(reading, place, `is longer than ${bytesMax} bytes`, 'length') : text
}

/** A text that is a number counts as one: many devices quote theirs. */
export function numberOf(value: unknown): Numeral | undefined {
  if (typeof value === 'number' || isLiteral(value)) return value as number | Literal
  if (typeof value === 'boolean') return value ? 1 : 0
  const text = typeof value === 'string' ? value.trim() : ''
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined
  const number = Number(text)
  return String(number) === text ? number : literal(text)
}

const flagWords: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  '1': true,
  false: false,
  off: false,
  no: false,
  '0': false,
}

export function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = isLiteral(value)
    ? value.text
    : typeof value === 'number' || typeof value === 'string'
      ? String(value)
      : ''
  return Object.hasOwn(flagWords, word.trim().toLowerCase()) ? flagWords[word.trim().toLowerCase()] : undefined
}

export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (isLiteral(value)) return value.text
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return undefined
}

/** −999, -999.0 and "-999" are the same sentinel. */
export function missingKey(value: unknown): string {
  const number =
    typeof value === 'string' || typeof value === 'number' || isLiteral(value) ? numberOf(value) : undefined
  return number === undefined ? String(value) : String(Number(numeralText(number)))
}

/** Each element of an array, or each entry of an object, as what `$` is. */
export function scopesOf(place: string, repeat: Repeat, scope: Scope, reading: Reading, max: number): readonly Scope[] {
  const found = valueAt(reading, `${place}${repeat.of}`, repeat.expression, scope)
  if (found === undefined) return []
  // JSONata makes no difference between one element and an array of one.
  const elements = repeat.of === 'each' && !Array.isArray(found) ? [found] : found
  if (typeof elements !== 'object' || elements === null || (repeat.of === 'entries' && Array.isArray(found))) {
    fail(reading, `${place}${repeat.of}`, 'is no object')
    return []
  }
  const entries = Object.entries(elements)
  if (entries.length > max) {
    fail(reading, `${place}${repeat.of}`, `has ${entries.length} elements, at most ${max}`, 'length')
    return []
  }
  const exact = Array.isArray(found) || repeat.of === 'entries' ? repeat.expression.exactAt(scope) : undefined
  return entries.map(([key, here], index) => ({
    ...scope,
    here,
    exactHere: isTree(exact) ? () => exact[key] : undefined,
    variables: { ...scope.variables, key: repeat.of === 'entries' ? key : undefined, index },
  }))
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !isLiteral(value)

/** The member of an enum, by its name in any case. */
export function wordOf<Members extends Record<string, number>>(
  members: Members,
  word: string,
): Members[keyof Members] | undefined {
  const name = word.trim().toUpperCase()
  return Object.hasOwn(members, name) ? members[name as keyof Members] : undefined
}
