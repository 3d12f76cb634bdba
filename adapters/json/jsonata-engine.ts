// JSONata, whole and synchronous, in a time box. The library answers by promises, and a decoder must answer at once: so it runs in
// a context of its own whose microtasks are run to the end before the call returns (node:vm, microtaskMode). The box is three
// walls: steps and depth are counted by the library; a regular expression, which it cannot interrupt, is stopped by the
// engine's own watchdog; and sequences and padding have a length. Clock, chance and evaluation of payload text are closed off.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Script, createContext, runInContext } from 'node:vm'

export interface JsonataLimits {
  /** A mapping that people can read is ten deep; recursion beyond this has gone astray. */
  readonly depthMax: number
  /** One evaluation; a sound one takes a tenth of a millisecond. */
  readonly timeMsMax: number
}

export interface Jsonata {
  evaluate(input: unknown, variables: Readonly<Record<string, unknown>>): Evaluated
}
export type Evaluated = { readonly value: unknown } | { readonly why: string }
export type Compiled = Jsonata | { readonly why: string; readonly position: number }

// An evaluation that makes more elements than a frame can have measurements has gone astray.
const sequenceMax = 10_000
const padMax = 4_096

interface Shared {
  compile?: (text: string, limits: object) => JsonataExpression
  expression?: JsonataExpression
  input?: unknown
  variables?: Readonly<Record<string, unknown>>
  answer?: unknown
  fault?: unknown
}
interface JsonataExpression {
  evaluate(input: unknown, variables: unknown): Promise<unknown>
  ast(): unknown
  registerFunction(name: string, implementation: (...args: never[]) => unknown, signature?: string): void
}

interface Engine {
  readonly shared: Shared
  run(timeMsMax: number | undefined): void
}

let engine: Engine | undefined
/** Of every context there has been: tells their promises from everybody else's. */
const promisePrototypes = new WeakSet<object>()

/**
 * One for the process: expressions keep nothing from one evaluation to the next. Loaded when first needed, in 10 ms, and anew after
 * the watchdog stopped one: what that left half done must never go on.
 */
function engineOf(): Engine {
  if (engine) return engine
  if (!isGuarded) guardProcess()
  const shared: Shared = {}
  const context = createContext({ shared }, { microtaskMode: 'afterEvaluate', name: 'jsonata' })
  const source = readFileSync(createRequire(import.meta.url).resolve('jsonata'), 'utf8')
  runInContext(`{ const exports = {}, module = { exports }; ${source}\n; shared.compile = module.exports }`, context)
  promisePrototypes.add(runInContext('Promise.prototype', context) as object)
  const step = new Script(
    `shared.expression.evaluate(shared.input, shared.variables)
      .then((answer) => { shared.answer = answer }, (fault) => { shared.fault = fault ?? {} })`,
  )
  const run = (timeMsMax: number | undefined) =>
    step.runInContext(context, timeMsMax === undefined ? {} : { timeout: timeMsMax })
  engine = { shared, run }
  return engine
}

let isGuarded = false

/**
 * Where the watchdog strikes between the making of a promise and its being awaited, a rejection has nobody left to hear it. It says
 * nothing that the time-out has not said; any other unheard rejection ends the process, as it would without this.
 */
function guardProcess(): void {
  isGuarded = true
  process.on('unhandledRejection', (reason, promise) => {
    if (!promisePrototypes.has(Object.getPrototypeOf(promise) as object)) throw reason
  })
}

export function compileJsonata(text: string, limits: JsonataLimits): Compiled {
  const { depthMax, timeMsMax } = limits
  let compiledBy = engineOf()
  let expression: JsonataExpression
  try {
    expression = compile(compiledBy, text, limits)
  } catch (error) {
    const { message = '', position = 0 } = error as { message?: string; position?: number }
    return { why: message, position }
  }
  // The watchdog costs a thread for each call, so only those have it who need it.
  const watchdogMs = hasRegex(expression.ast()) ? timeMsMax + watchdogAfterMs : undefined

  function finishes(input: unknown, variables: Readonly<Record<string, unknown>>): boolean {
    const current = engineOf()
    if (current !== compiledBy) expression = compile((compiledBy = current), text, limits)
    Object.assign(current.shared, { expression, input, variables, answer: undefined, fault: undefined })
    try {
      current.run(watchdogMs)
    } catch {
      engine = undefined
      return false
    }
    return (current.shared.fault as { code?: string } | undefined)?.code !== timeoutCode
  }

  return {
    evaluate(input, variables) {
      for (let attempt = 1; ; attempt++) {
        const before = cpuMs()
        if (finishes(input, variables)) break
        // The library's clock is the wall's. A sound message is not refused because a busy machine took the time.
        if (attempt === attemptsMax || cpuMs() - before >= timeMsMax * ownTimeShare) {
          return { why: `it took longer than ${timeMsMax} ms` }
        }
      }
      const { shared } = compiledBy
      return shared.fault === undefined ? { value: shared.answer } : { why: faultText(shared.fault, depthMax) }
    },
  }
}

function compile({ shared }: Engine, text: string, { depthMax, timeMsMax }: JsonataLimits): JsonataExpression {
  const expression = shared.compile!(text, { stack: depthMax, timeout: timeMsMax, sequence: sequenceMax })
  close(expression)
  return expression
}

/** What this thread has computed. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** An expression that had this much of its time to itself is slow by itself. */
const ownTimeShare = 0.8
/** A machine that is this busy refuses the message; it stays in quarantine and can be replayed. */
const attemptsMax = 5
// Later than the library's own clock, whose answer is the better one.
const watchdogAfterMs = 10

const timeoutCode = 'D1012'

/** The same bytes must always be read alike, and text of a payload is no program. */
function close(expression: JsonataExpression): void {
  for (const name of ['now', 'millis', 'random', 'shuffle', 'eval']) {
    expression.registerFunction(name, () => {
      throw Object.assign(new Error(`$${name}() has no place in a mapping`), { code: closedCode })
    })
  }
  expression.registerFunction(
    'pad',
    (text: string, width: number, filler = ' ') => pad(text, width, filler),
    '<s-ns?:s>',
  )
}

const closedCode = 'closed'

function pad(text: string, width: number, filler: string): string {
  const length = Math.min(Math.abs(width), padMax)
  return width < 0 ? text.padStart(length, filler) : text.padEnd(length, filler)
}

function hasRegex(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  if ('type' in node && node.type === 'regex') return true
  return Object.values(node).some((child) => !(child instanceof RegExp) && hasRegex(child))
}

/** The library's messages may quote the payload; its codes do not. */
function faultText(fault: unknown, depthMax: number): string {
  const { code = '', position, message = '' } = fault as { code?: string; position?: number; message?: string }
  if (code === 'D1011') return `it went deeper than ${depthMax}`
  if (code === 'D2015' || code === 'D2014') return `it made a sequence longer than ${sequenceMax}`
  if (code === closedCode) return message
  const place = position === undefined ? '' : ` at position ${position}`
  return code === '' ? `JSONata failed${place}` : `JSONata ${code}${place}`
}
