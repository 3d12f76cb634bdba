// The HTTP side of the InfluxDB output: one request, its answer as a value, its failure by class. Never retries by itself: the loop of
// outputs does, with the same lines, and InfluxDB puts a point that is written again over itself.

import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Clock } from '../../clock.ts'
import { readAnswer, WriteFailure } from './answers.ts'
import type { Answer, HttpAnswer } from './answers.ts'
import { authorization, createEndpoint, versionOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { InfluxdbSettings, InfluxdbVersion } from './settings.ts'
import { createTransport } from './transport.ts'

export interface Client {
  write(database: string, lines: Buffer, signal: AbortSignal): Promise<Answer>
  /** The server's version, asked once and kept. */
  version(signal: AbortSignal): Promise<InfluxdbVersion>
  close(): Promise<void>
}

export interface ClientParts {
  readonly clock: Clock
  /** Bytes of each request as sent, after gzip. */
  readonly sent: (bytes: number) => void
}

/** Two keep InfluxDB busy while the next lines are made; more would only wait there. */
export const requestsInFlight = 2
/** v3 repeats each refused line; 5,000 lines of 2 kB. What is longer is cut, and the lines are found by halves. */
const answerBytesMax = 10 << 20
/** Below this the header of a gzip stream and the thread hop cost more than they save. */
const gzipBytesMin = 1_024
/** Reused connections idle out before usual servers and proxies close them, so that a write does not meet a closed one. */
const keepAliveMs = 4_000

const compress = promisify(gzip)

export function createClient(settings: InfluxdbSettings, { clock, sent }: ClientParts): Client {
  const transport = createTransport(settings, {
    connections: requestsInFlight,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    headersTimeout: settings.timeoutMs,
    bodyTimeout: settings.timeoutMs,
  })
  let endpoint: Endpoint | undefined =
    settings.version === 'auto' ? undefined : createEndpoint(settings, settings.version)

  async function request(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: Buffer | null,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const timeout = AbortSignal.timeout(settings.timeoutMs)
    try {
      const answer = await transport.request({
        method,
        path,
        headers,
        body,
        signal: AbortSignal.any([signal, timeout]),
      })
      const header = (name: string) => {
        const value = answer.headers[name]
        return Array.isArray(value) ? value[0] : value
      }
      return { status: answer.statusCode, header, body: await bounded(answer.body) }
    } catch (cause) {
      if (signal.aborted) throw cause
      throw failureOf(cause, timeout.aborted, settings)
    }
  }

  async function ask(signal: AbortSignal): Promise<Endpoint> {
    const base = new URL(settings.url).pathname.replace(/\/$/, '')
    // v3 wants a token also for /ping, and takes it as Bearer only; v1 and v2 do not look at it.
    const secret = authorization(settings, 'v3')
    const headers: Record<string, string> = secret === undefined ? {} : { authorization: secret }
    const answer = await request('GET', `${base}/ping`, headers, null, signal)
    if (answer.status >= 500 || answer.status === 429) readAnswer(answer, settings.database, nowMs())
    const version = versionOf(answer.header('x-influxdb-version'))
    if (version === undefined) {
      throw new WriteFailure(
        'other_refusal',
        `InfluxDB answers ${answer.status} to /ping and does not tell its version: set it in the settings`,
      )
    }
    return createEndpoint(settings, version)
  }

  const nowMs = () => Number(clock.now() / 1_000_000n)

  return {
    async write(database, lines, signal) {
      endpoint ??= await ask(signal)
      const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' }
      const secret = authorization(settings, endpoint.version)
      if (secret !== undefined) headers.authorization = secret
      let body = lines
      if (settings.gzip && lines.length >= gzipBytesMin) {
        body = await compress(lines, { level: constants.Z_BEST_SPEED })
        headers['content-encoding'] = 'gzip'
      }
      sent(body.length)
      return readAnswer(await request('POST', endpoint.writePath(database), headers, body, signal), database, nowMs())
    },
    async version(signal) {
      endpoint ??= await ask(signal)
      return endpoint.version
    },
    close: () => transport.destroy(),
  }
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > answerBytesMax) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function failureOf(cause: unknown, late: boolean, settings: InfluxdbSettings): WriteFailure {
  const { host } = new URL(settings.url)
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  if (late || code.includes('TIMEOUT')) {
    const text = `InfluxDB at ${host} did not answer within ${settings.timeoutMs} ms; what it has stored is written over itself`
    return new WriteFailure('timeout', text, { cause })
  }
  return new WriteFailure('connection', `InfluxDB at ${host} cannot be reached (${code})`, { cause })
}
