// Expressions of a mapping. A plain path (`a.b[0]`, `$.a`, `$topic[2]`, `` `switch:0`.output ``) is walked by ourselves, in well
// under a microsecond and with the number's own digits; everything else is JSONata. A plain path means what JSONata means by it:
// where it meets an array on its way, JSONata answers.

import { isLiteral } from '../decimal.ts'
import { type Jsonata, type JsonataLimits, compileJsonata } from './jsonata-engine.ts'

/** What an expression sees. */
export interface Scope {
  /** The element that is read: `$`. */
  readonly here: unknown
  /** The same with each number as its literal text, for those who need its digits; undefined where there is none. */
  readonly exactHere: (() => unknown) | undefined
  /** The whole message in that form. */
  readonly exactRoot: (() => unknown) | undefined
  readonly variables: Readonly<Record<string, unknown>>
}

export interface Expression {
  readonly text: string
  evaluate(scope: Scope): Answer
  /** As `evaluate`, but a number comes as a literal where the source's digits are known. */
  evaluateExact(scope: Scope): Answer
  /** What a plain path leads to in the document of literals; undefined for any other expression. */
  exactAt(scope: Scope): unknown
}
export type Answer = { readonly value: unknown } | { readonly why: string }
export type CompiledExpression = Expression | { readonly why: string; readonly position: number }

/** What is read again and again: the elements of an array, or the entries of an object. */
export interface Repeat {
  readonly of: 'each' | 'entries'
  readonly expression: Expression
}

type Step = string | number

/** The names that an expression can use beside the payload's own. */
export const variableNames = ['topic', 'root', 'key', 'index'] as const

export function compileExpression(text: string, limits: JsonataLimits): CompiledExpression {
  const path = parsePath(text)
  const jsonata = compileJsonata(text, limits)
  if ('why' in jsonata) return jsonata
  const evaluate = (scope: Scope): Answer => (path && plainAnswer(path, scope)) ?? fullAnswer(jsonata, scope)
  const exactAt = (scope: Scope): unknown => {
    const document =
      path?.variable === 'root' ? scope.exactRoot : path?.variable === undefined ? scope.exactHere : undefined
    return path && document && walk(path.steps, document())?.value
  }
  return {
    text,
    evaluate,
    exactAt,
    evaluateExact(scope) {
      const exact = exactAt(scope)
      return holdsLiteral(exact) ? { value: exact } : evaluate(scope)
    },
  }
}

/** A number, or an array of which one is a number. */
const holdsLiteral = (value: unknown): boolean =>
  isLiteral(value) || (Array.isArray(value) && value.some((element) => isLiteral(element)))

interface Path {
  /** Undefined: the path begins at the element. */
  readonly variable: string | undefined
  readonly steps: readonly Step[]
}

const pathForm =
  /^(?:\$(\w*)|(?=[A-Za-z_`]))((?:^|\.)?(?:[A-Za-z_]\w*|`[^`]+`)|\[\d+\])?((?:\.(?:[A-Za-z_]\w*|`[^`]+`)|\[\d+\])*)$/
const stepForm = /`([^`]+)`|\[(\d+)\]|([A-Za-z_]\w*)/g

// Words of JSONata that look like names.
const reserved: ReadonlySet<string> = new Set(['true', 'false', 'null', 'and', 'or', 'in', 'function'])

/** Undefined for what is more than a path. */
export function parsePath(text: string): Path | undefined {
  const match = pathForm.exec(text)
  if (!match || reserved.has(text)) return undefined
  const [, variable, first = '', others = ''] = match
  // "$name" needs a dot or bracket before the next step, a path without "$" must not have one.
  if (variable !== undefined && first !== '' && !/^[.[]/.test(first)) return undefined
  const steps = [...(first + others).matchAll(stepForm)].map(
    ([, quoted, index, name]): Step => quoted ?? name ?? Number(index),
  )
  return { variable: variable === '' ? undefined : variable, steps }
}

/** Undefined where JSONata has to answer. */
function plainAnswer({ variable, steps }: Path, { here, variables }: Scope): Answer | undefined {
  return walk(steps, variable === undefined ? here : variables[variable])
}

function walk(steps: readonly Step[], from: unknown): { value: unknown } | undefined {
  let value = from
  for (const step of steps) {
    if (value === undefined || value === null || isLiteral(value)) return { value: undefined }
    if (Array.isArray(value)) {
      if (typeof step === 'string') return undefined
      value = (value as unknown[])[step]
    } else if (typeof value === 'object') {
      // JSONata reads what is no array as an array of one.
      if (typeof step === 'number') return undefined
      value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined
    } else return typeof step === 'number' ? undefined : { value: undefined }
  }
  return { value }
}

const fullAnswer = (jsonata: Jsonata, { here, variables }: Scope): Answer => jsonata.evaluate(here, variables)
