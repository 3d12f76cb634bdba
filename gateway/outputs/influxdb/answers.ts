// What InfluxDB's answer to a write means, for its versions 1, 2 and 3. Its promise: only an answer that speaks of the lines
// themselves lets a line be refused; everything else is trouble of the surroundings, and nothing is given up for it.

import { GatewayError } from '../../../proto/errors.ts'

export type Answer =
  | { outcome: 'stored' }
  /** More than the server takes at once. */
  | { outcome: 'too_large' }
  /** Some of the lines are refused, the others are stored, or nothing is (v2 400, v3 without partial writes). */
  | LinesRefused

export interface LinesRefused {
  readonly outcome: 'refused'
  /** Reasons by line, from 0, where the answer numbers them (v3). */
  readonly lines?: ReadonlyMap<number, string>
  /** How many were refused, where the answer says so (v1, v2); 0: not said. */
  readonly dropped: number
  /** In our own words: InfluxDB quotes the lines. */
  readonly why: string
  /** Whether the answer is known to speak of lines; a 400 may also come from a wrong setting or from a proxy. */
  readonly known: boolean
}

export interface HttpAnswer {
  readonly status: number
  /** Header values by lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly body: string
}

export type FailureClass =
  | 'timeout'
  | 'connection'
  | 'server_error'
  | 'too_many_requests'
  | 'unavailable'
  | 'not_authenticated'
  | 'not_allowed'
  | 'not_found'
  | 'other_refusal'

export class WriteFailure extends GatewayError {
  readonly failure: FailureClass
  /** How long the server asks to be left alone; 0: it does not say. */
  readonly retryAfterMs: number

  constructor(failure: FailureClass, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(isRefusal(failure) ? 'peer_refused' : 'peer_unreachable', message, { cause: options.cause })
    this.failure = failure
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

const isRefusal = (failure: FailureClass): boolean =>
  failure === 'not_authenticated' || failure === 'not_allowed' || failure === 'not_found' || failure === 'other_refusal'

/** A server that asks for longer is asked again all the same: its clock or its configuration may be wrong. */
const retryAfterMsMax = 5 * 60_000

/** Throws a WriteFailure for every answer that is not about the lines. `nowMs` is UTC. */
export function readAnswer(answer: HttpAnswer, database: string, nowMs: number): Answer {
  const { status } = answer
  if (status >= 200 && status < 300) return { outcome: 'stored' }
  if (status === 413) return { outcome: 'too_large' }
  if (status === 400 || status === 422) return readRefusal(answer)
  const at = `InfluxDB answers ${status} to a write to "${database}"`
  if (status === 401) throw new WriteFailure('not_authenticated', `${at}: check the token, or user name and password`)
  if (status === 403) throw new WriteFailure('not_allowed', `${at}: the token or user may not write there`)
  // 1.x answers 500 where a retention policy is missing.
  if (status === 404 || (status === 500 && answer.body.includes('retention policy not found')))
    throw new WriteFailure('not_found', `${at}: make the database (bucket, retention policy), or correct its name`)
  const retryAfterMs = readRetryAfter(answer, nowMs)
  if (status === 429) throw new WriteFailure('too_many_requests', `${at}: it asks for patience`, { retryAfterMs })
  if (status === 503) throw new WriteFailure('unavailable', `${at}: it is overloaded or starting`, { retryAfterMs })
  if (status >= 500) throw new WriteFailure('server_error', `${at}: an error of its own`, { retryAfterMs })
  if (status === 408) throw new WriteFailure('timeout', `${at}: it did not get the whole request in time`)
  throw new WriteFailure('other_refusal', `${at}: check the address in the settings`)
}

/** RFC 9110 §10.2.3: seconds, or a date, which is measured by the server's own clock where it shows it. */
export function readRetryAfter({ header }: HttpAnswer, nowMs: number): number {
  const text = header('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, retryAfterMsMax)
  const date = Date.parse(text)
  if (text === '' || Number.isNaN(date)) return 0
  const serverNow = Date.parse(header('date') ?? '')
  return Math.min(Math.max(0, date - (Number.isNaN(serverNow) ? nowMs : serverNow)), retryAfterMsMax)
}

function readRefusal({ body }: HttpAnswer): LinesRefused {
  const parsed = parseJson(body)
  const numbered = readNumbered(parsed)
  if (numbered) return { outcome: 'refused', lines: numbered, dropped: 0, why: 'refused by InfluxDB', known: true }
  const said = messageOf(parsed) ?? body
  const why = whyOf(said)
  const dropped = Number(/\bdropped=(\d+)/.exec(said)?.[1] ?? 0)
  if (why !== undefined) return { outcome: 'refused', dropped, why, known: true }
  // v2 and v3 number the first line that cannot be read ("line", "data.line_number"); only the fact is used.
  const speaksOfALine = isRecord(parsed) && (typeof parsed.line === 'number' || isRecord(parsed.data))
  return {
    outcome: 'refused',
    dropped,
    why: 'InfluxDB gives a reason that this gateway does not know',
    known: speaksOfALine,
  }
}

/** v3: {"error": "partial write of line protocol occurred", "data": [{"line_number": 2, "error_message": …, "original_line": …}]}. */
function readNumbered(parsed: unknown): Map<number, string> | undefined {
  if (!isRecord(parsed) || !Array.isArray(parsed.data)) return undefined
  const lines = new Map<number, string>()
  for (const each of parsed.data as unknown[]) {
    if (!isRecord(each) || typeof each.line_number !== 'number' || each.line_number < 1) return undefined
    lines.set(each.line_number - 1, whyOf(String(each.error_message)) ?? 'the line cannot be read')
  }
  return lines.size > 0 ? lines : undefined
}

// v1 and v2 say it in one sentence; names of measurements and fields are ours, all else may be a device's and is not repeated.
const reasons: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [
    /field type conflict: input field "(\w{1,64})" on measurement "(\w{1,64})" is type (\w+), already exists as type (\w+)/,
    ([, field, measurement, is, was]) =>
      `field type conflict: "${field}" of "${measurement}" is ${is} and was ${was} before`,
  ],
  [
    /invalid column type for column '(\w{1,64})', expected ([\w:]+), got ([\w:]+)/,
    ([, column, was, is]) => `field type conflict: "${column}" is ${is} and was ${was} before`,
  ],
  [/field type conflict/, () => 'field type conflict'],
  [
    /beyond retention policy|outside retention policy|outside of the retention period/,
    () => 'older than the retention policy keeps',
  ],
  [
    /max-series-per-database limit exceeded/,
    () => 'the database has as many series as its max-series-per-database allows',
  ],
  [/max-values-per-tag limit exceeded/, () => 'a tag has as many values as max-values-per-tag allows'],
  [
    /time outside range|value out of range|timestamp.{0,40}(?:out of range|overflow)/i,
    () => 'its time is outside of what InfluxDB can hold',
  ],
  [
    /unable to parse|failed to parse line protocol|parsing failed|line protocol parsing/,
    () => 'the line cannot be read',
  ],
  [/partial write/, () => 'partial write'],
]

function whyOf(said: string): string | undefined {
  for (const [pattern, words] of reasons) {
    const match = pattern.exec(said)
    if (match) return words(match)
  }
  return undefined
}

/** v1 {"error": …}, v2 {"code": …, "message": …}, v3 {"error": …}. */
function messageOf(parsed: unknown): string | undefined {
  if (!isRecord(parsed)) return undefined
  if (typeof parsed.message === 'string') return parsed.message
  return typeof parsed.error === 'string' ? parsed.error : undefined
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
