// One message being read by one mapping: evaluates expressions at their places, and remembers the first thing that went wrong, so
// that the steps above read straight on. After a fault nothing is evaluated any more.

import type { Fault } from '../adapter.ts'
import { type Literal, type Numeral, isLiteral, literal, numeralText } from '../decimal.ts'
import type { Expression, Repeat, Scope } from './expression.ts'

export interface Reading {
  readonly fault: { readonly fault: Fault; readonly why: string } | undefined
  fail(place: string, why: string, fault?: Fault): undefined
  /** Undefined for what is absent or null. */
  value(place: string, expression: Expression, scope: Scope): unknown
  /** As `value`, numbers as literals where their digits are known. */
  exactValue(place: string, expression: Expression, scope: Scope): unknown
  number(place: string, expression: Expression | undefined, scope: Scope): number | undefined
  flag(place: string, expression: Expression | undefined, scope: Scope): boolean | undefined
  text(place: string, expression: Expression | undefined, scope: Scope, bytesMax: number): string | undefined
  readonly warnings: Set<string>
}

export function createReading(mapping: string): Reading {
  let fault: Reading['fault']
  const warnings = new Set<string>()

  const fail: Reading['fail'] = (place, why, kind = 'syntax') => {
    fault ??= { fault: kind, why: `${mapping}.${place}: ${why}` }
    return undefined
  }

  const evaluated = (place: string, expression: Expression, scope: Scope, exact: boolean): unknown => {
    if (fault) return undefined
    const answer = exact ? expression.evaluateExact(scope) : expression.evaluate(scope)
    if ('why' in answer) return fail(place, answer.why, 'unsupported')
    return answer.value === null ? undefined : answer.value
  }

  const value: Reading['value'] = (place, expression, scope) => evaluated(place, expression, scope, false)
  return {
    get fault() {
      return fault
    },
    fail,
    warnings,
    value,
    exactValue: (place, expression, scope) => evaluated(place, expression, scope, true),
    number(place, expression, scope) {
      const found = expression && value(place, expression, scope)
      if (found === undefined) return undefined
      const number = numberOf(found)
      if (number === undefined) return fail(place, 'is not a number')
      const double = Number(numeralText(number))
      return Number.isFinite(double) ? double : fail(place, 'is beyond all numbers', 'range')
    },
    flag(place, expression, scope) {
      const found = expression && value(place, expression, scope)
      return found === undefined ? undefined : (flagOf(found) ?? fail(place, 'is neither true nor false'))
    },
    text(place, expression, scope, bytesMax) {
      const found = expression && value(place, expression, scope)
      if (found === undefined) return undefined
      const text = textOf(found)
      if (text === undefined) return fail(place, 'is not a text')
      if (!text.isWellFormed()) return fail(place, 'is not well-formed text')
      return Buffer.byteLength(text) > bytesMax ? fail(place, `is longer than ${bytesMax} bytes`, 'length') : text
    },
  }
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
  const found = reading.value(`${place}${repeat.of}`, repeat.expression, scope)
  if (found === undefined) return []
  // JSONata makes no difference between one element and an array of one.
  const elements = repeat.of === 'each' && !Array.isArray(found) ? [found] : found
  if (typeof elements !== 'object' || elements === null || (repeat.of === 'entries' && Array.isArray(found))) {
    reading.fail(`${place}${repeat.of}`, 'is no object')
    return []
  }
  const entries = Object.entries(elements)
  if (entries.length > max) {
    reading.fail(`${place}${repeat.of}`, `has ${entries.length} elements, at most ${max}`, 'length')
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
