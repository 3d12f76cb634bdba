// Asks InfluxDB by HTTP: `/query` of version 1, which versions 2 and 3 have for it as well. Its promise: rows are handed on as they
// arrive, a few thousand at a time, so that a long answer costs time and not memory.

import { GatewayError } from '../../../proto/errors.ts'
import type { Clock } from '../../clock.ts'
import { createClient } from '../../outputs/influxdb/client.ts'
import { authorization } from '../../outputs/influxdb/endpoint.ts'
import type { InfluxdbSettings, InfluxdbVersion } from '../../outputs/influxdb/settings.ts'
import { createTransport } from '../../outputs/influxdb/transport.ts'

export interface Rows {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: readonly (readonly Cell[])[]
}

/** Whole numbers beyond 2^53 come as bigint. */
export type Cell = number | bigint | string | boolean | null

/** What `time` is counted in: microseconds, which are numbers until 2255, or nanoseconds, which are bigint. */
export type Precision = 'us' | 'ns'

export interface AskOptions {
  readonly precision?: Precision
  /** The retention policy, else that of the settings. Versions 2 and 3 read it from the bucket or database `<database>/<policy>`. */
  readonly policy?: string
}

export interface QueryClient {
  /** Rows of each statement, series by series, in order of time. A database, or a policy, that is not there has none. */
  ask(database: string, statements: readonly string[], options?: AskOptions): AsyncIterable<Rows>
  version(): Promise<InfluxdbVersion>
  close(): Promise<void>
}

interface Chunk {
  readonly results?: readonly { readonly series?: readonly Partial<Rows>[]; readonly error?: string }[]
  readonly error?: string
}

const rowsAtOnce = 5_000
const connections = 4
const lineFeed = 0x0a

export function createQueryClient(settings: InfluxdbSettings, clock: Clock): QueryClient {
  const url = new URL(settings.url)
  const base = url.pathname.replace(/\/$/, '')
  const writing = createClient(settings, { clock, sent() {} })
  const transport = createTransport(settings, {
    connections,
    // A question may take long to begin; while it is answered there is always something.
    headersTimeout: Math.max(settings.timeoutMs, 60_000),
    bodyTimeout: Math.max(settings.timeoutMs, 60_000),
  })
  const version = () => writing.version(new AbortController().signal)

  async function* ask(database: string, statements: readonly string[], options: AskOptions = {}) {
    const { precision = 'us', policy = settings.retentionPolicy } = options
    const secret = authorization(settings, await version())
    const query = new URLSearchParams({
      db: database,
      epoch: precision === 'us' ? 'u' : 'ns',
      chunked: 'true',
      chunk_size: String(rowsAtOnce),
    })
    if (policy !== undefined) query.set('rp', policy)
    const answer = await transport
      .request({
        method: 'POST',
        path: `${base}/query?${query}`,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          ...(secret !== undefined && { authorization: secret }),
        },
        body: String(new URLSearchParams({ q: statements.join(';') })),
      })
      .catch((cause: unknown) => {
        throw unreachable(cause)
      })
    try {
      if (answer.statusCode === 404) return
      if (answer.statusCode !== 200) throw refusal(answer.statusCode)
      for await (const line of linesOf(answer.body)) yield* rowsOf(line, precision)
    } catch (cause) {
      throw cause instanceof GatewayError ? cause : unreachable(cause)
    } finally {
      // Whoever stops asking has no use for the rest.
      answer.body.on('error', () => {}).destroy()
    }
  }

  return {
    ask,
    version,
    async close() {
      await writing.close()
      await transport.destroy()
    },
  }
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncIterable<string> {
  let parts: Buffer[] = []
  for await (const chunk of body) {
    let from = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      parts.push(chunk.subarray(from, end))
      from = end + 1
      const line = Buffer.concat(parts)
      parts = []
      if (line.length > 0) yield line.toString('utf8')
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8')
}

function* rowsOf(line: string, precision: Precision): Iterable<Rows> {
  const { results = [], error } = parse(line, precision)
  const failed = error ?? results.find((result) => result.error !== undefined)?.error
  if (failed !== undefined) {
    if (/^(?:database|retention policy) not found/.test(failed)) return
    throw new GatewayError('store_failed', 'InfluxDB says that it cannot answer this question; its own log says more')
  }
  for (const { series = [] } of results)
    for (const { name = '', tags = {}, columns = [], values = [] } of series) yield { name, tags, columns, values }
}

/** Plain JSON is four times as fast as exact, and whole numbers beyond 2^53 are rare: it is read again when there may be one. */
function parse(line: string, precision: Precision): Chunk {
  try {
    const isPlain = precision === 'us' && !longNumber.test(line)
    return (isPlain ? JSON.parse(line) : JSON.parse(line, exact)) as Chunk
  } catch (cause) {
    throw new GatewayError('store_failed', 'what answers at the address of InfluxDB does not speak as InfluxDB does', {
      cause,
    })
  }
}

/** 2^53 has sixteen digits, and so have microseconds, but the time is the first of its row. */
const longNumber = /,-?\d{16}/

function exact(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isWhole = typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source)
  return isWhole && !Number.isSafeInteger(value) ? BigInt(source) : value
}

const unreachable = (cause: unknown): GatewayError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  return new GatewayError('peer_unreachable', `InfluxDB does not answer (${code}); try again`)
}

function refusal(status: number): GatewayError {
  if (status === 401 || status === 403)
    return new GatewayError(
      'peer_refused',
      `InfluxDB answers ${status} to a question: check token or user, and its right to read`,
    )
  return status >= 500
    ? new GatewayError('peer_unreachable', `InfluxDB answers ${status} to a question; try again`)
    : new GatewayError('store_failed', `InfluxDB answers ${status} to a question`)
}
