// The parameters of a request, read by the route's own table: what it does not name, what comes twice and what is of another kind is
// refused with the parameter's name and what it may be. Values of a client are never quoted back.

import { GatewayError } from '../../proto/errors.ts'
import type { Box } from '../../proto/generated/types.ts'
import { nsPerMs, parseRfc3339 } from '../../proto/time.ts'
import { parseId } from '../ids.ts'
import { nearest } from '../nearest.ts'
import type { Parameter, Parameters, Route } from './route.ts'

export interface Given {
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  count(name: string): number | undefined
  flag(name: string): boolean
  /** Nanoseconds since 1970-01-01 UTC. */
  time(name: string): bigint | undefined
  spanMs(name: string): number | undefined
  id(name: string): Uint8Array
  /** What a page or a stream gave to go on from. */
  token(name: string): Uint8Array | undefined
  box(name: string): Box | undefined
  /** Of a route with an open query: all that is in it. */
  context(): ReadonlyMap<string, string>
}

type ParameterTable = Pick<Route, 'parameters' | 'openQuery'>

export interface RawValues {
  readonly path: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Throws GatewayError invalid_argument. `now` is what "15m" is counted back from. */
export function readParameters({ parameters: table, openQuery }: ParameterTable, raw: RawValues, now: bigint): Given {
  if (!openQuery) checkNames(table, raw.query)
  const values = new Map<string, readonly string[]>()
  for (const [name, parameter] of Object.entries(table)) {
    const found = valuesOf(name, parameter, raw)
    for (const value of found) check(name, parameter, value)
    if (found.length > valuesMax) throw invalid(name, `may come at most ${valuesMax} times`)
    if (found.length > 1 && !isMany(parameter)) throw invalid(name, 'may come only once')
    if (found.length === 0 && parameter.required) throw invalid(name, `is missing: ${parameter.about}`)
    values.set(name, found)
  }
  const first = (name: string): string | undefined => values.get(name)?.[0]
  const read = <Value>(name: string, as: (text: string, name: string) => Value): Value | undefined => {
    const text = first(name)
    return text === undefined ? undefined : as(text, name)
  }
  return {
    text: first,
    texts: (name) => values.get(name) ?? [],
    count: (name) => read(name, Number) ?? numberDefault(table[name]),
    flag: (name) => (first(name) ?? String(table[name]?.default ?? 'false')) === 'true',
    time: (name) => read(name, (text) => timeOf(text, name, now)),
    spanMs: (name) => read(name, spanMs),
    id: (name) => read(name, idOf) ?? new Uint8Array(),
    token: (name) => read(name, tokenOf),
    box: (name) => read(name, boxOf),
    context: () => contextOf(raw.query),
  }
}

function checkNames(table: Parameters, query: URLSearchParams): void {
  const known = Object.keys(table).filter((name) => table[name]?.in === 'query')
  for (const name of query.keys()) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const hint = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`
    const text = `The query has a parameter that this path does not take; ${near ? `did you mean ${near}?` : `${hint}.`}`
    throw new GatewayError('invalid_argument', text)
  }
}

function valuesOf(name: string, parameter: Parameter, { path, query, headers }: RawValues): readonly string[] {
  if (parameter.in === 'path') return path[name] === undefined ? [] : [path[name]]
  if (parameter.in === 'header') return [headers[name.toLowerCase()] ?? []].flat()
  const found = query.getAll(name)
  return parameter.kind === 'names' ? found.flatMap((value) => value.split(',')) : found
}

const isMany = ({ kind }: Parameter): boolean => kind === 'texts' || kind === 'names'

const textCharsMax = 1_024
const valuesMax = 1_000

function check(name: string, parameter: Parameter, value: string): void {
  if (value === '') throw invalid(name, 'is empty: leave it out, or say what is wanted')
  if (value.length > textCharsMax) throw invalid(name, `may have ${textCharsMax} characters; it has ${value.length}`)
  switch (parameter.kind) {
    case 'name':
    case 'names':
      return checkName(name, parameter.of ?? [], value)
    case 'count': {
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = parameter
      const isWhole = /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max
      if (!isWhole) throw invalid(name, `must be a whole number from ${min} to ${max}`)
      return
    }
    case 'flag':
      if (value !== 'true' && value !== 'false') throw invalid(name, 'must be true or false')
      return
    default:
  }
}

function checkName(name: string, of: readonly string[], value: string): void {
  if (of.includes(value)) return
  const near = nearest(value, of)
  throw invalid(name, near ? `is none that is known; did you mean ${near}?` : `may be ${of.join(', ')}`)
}

const numberDefault = (parameter: Parameter | undefined): number | undefined =>
  typeof parameter?.default === 'number' ? parameter.default : undefined

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const spanForm = /^(\d{1,9})(ms|s|m|h|d)$/

function spanMs(text: string, name: string): number {
  const [, digits, unit = ''] = spanForm.exec(text) ?? []
  const one = unitMs[unit]
  if (digits !== undefined && one !== undefined) return Number(digits) * one
  throw invalid(name, 'must be a time span such as 30s, 15m, 6h or 2d')
}

function timeOf(text: string, name: string, now: bigint): bigint {
  const at = parseRfc3339(text)
  if (at !== undefined) return at
  if (spanForm.test(text)) return now - BigInt(spanMs(text, name)) * nsPerMs
  throw invalid(
    name,
    'must be a time with its zone, such as 2026-11-22T12:00:00Z (write + as %2B), or so long ago, such as 15m or 2d',
  )
}

function idOf(text: string, name: string): Uint8Array {
  const id = parseId(text)
  if (id) return id
  throw invalid(name, 'must be an id such as 0199a4d2-7c1e-7a30-8000-0123456789ab')
}

function tokenOf(text: string, name: string): Uint8Array {
  if (/^[\w-]+$/.test(text)) return Buffer.from(text, 'base64url')
  throw invalid(name, 'must be given back exactly as it came')
}

export const tokenText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')

// The order of RFC 7946 §5 and OGC API Features: west, south, east, north.
function boxOf(text: string, name: string): Box {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const [west = Number.NaN, south = 0, east = Number.NaN, north = 0] = numbers
  if (numbers.length === 4 && numbers.every(Number.isFinite)) return { south, west, north, east }
  throw invalid(name, 'must be west,south,east,north in degrees, such as -121.9,38.2,-120.8,38.9')
}

function contextOf(query: URLSearchParams): ReadonlyMap<string, string> {
  const context = new Map<string, string>()
  for (const [name, value] of query) {
    if (context.has(name)) throw new GatewayError('invalid_argument', 'A parameter of the query comes twice.')
    context.set(name, value)
  }
  return context
}

const invalid = (name: string, text: string): GatewayError => new GatewayError('invalid_argument', `${name} ${text}.`)
