// An InfluxDB of version 1, 2 or 3 as far as a writer can see: its addresses, its answers and its errors, word for word as their
// documents and sources have them. It keeps points as InfluxDB does, one for each measurement, tags and time, and can be
// told to refuse lines, to be slow, to store and keep silent, or to answer as a test says.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'

export type Version = 'v1' | 'v2' | 'v3'

export interface ContractServer extends AsyncDisposable {
  readonly url: string
  /** Every request that came, also those that were not answered. */
  readonly requests: readonly Request[]
  /** Points of a database: the line up to its fields and time, and its fields. */
  points(database: string): ReadonlyMap<string, string>
  readonly behaviour: Behaviour
  /** Answers for the next requests to write, instead of storing. */
  answerNext(...answers: readonly CannedAnswer[]): void
}

export interface Request {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly gzip: boolean
  readonly body: string
}

export interface CannedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Behaviour {
  /** Lines that are refused for a field type conflict. */
  refuses: (line: string) => boolean
  /** Requests left that are stored and never answered. */
  silentAfterStoring: number
  /** Bytes of a body, unpacked; more is answered with 413. */
  bytesMax: number
  delayMs: number
  /** Exactly what must stand in Authorization; undefined: anybody may write. */
  authorization: string | undefined
  databases: Set<string>
  /** What a statement is answered with: the result as JSON; undefined: as by an empty database. */
  answers: (statements: string, database: string, policy: string | undefined) => object | undefined
}

const versions: Readonly<Record<Version, string>> = { v1: '1.8.10', v2: 'v2.7.12', v3: '3.0.1' }

export async function startContractServer(version: Version): Promise<ContractServer> {
  const requests: Request[] = []
  const stored = new Map<string, Map<string, string>>()
  const canned: CannedAnswer[] = []
  const behaviour: Behaviour = {
    refuses: () => false,
    silentAfterStoring: 0,
    bytesMax: Infinity,
    delayMs: 0,
    authorization: undefined,
    databases: new Set(['tocsin', 'tocsin_exercise']),
    answers: () => undefined,
  }
  const server = createServer((message, response) => void serve(message, response))

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(message)
    requests.push(request)
    if (request.url.pathname === '/ping') return ping(request, response)
    if (request.url.pathname === '/query') return query(request, response)
    if (behaviour.delayMs > 0) await sleep(behaviour.delayMs)
    const next = canned.shift()
    if (next) return void response.writeHead(next.status, next.headers).end(next.body ?? '')
    const answer = write(request)
    if (behaviour.silentAfterStoring > 0 && behaviour.silentAfterStoring--) return
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body ?? '')
  }

  function ping(request: Request, response: ServerResponse): void {
    // Version 3 asks for a token here too.
    const refused =
      version === 'v3' && behaviour.authorization !== undefined && request.authorization !== behaviour.authorization
    if (refused) return void response.writeHead(401).end()
    response
      .writeHead(version === 'v3' ? 200 : 204, { 'X-Influxdb-Version': versions[version], 'X-Influxdb-Build': 'OSS' })
      .end()
  }

  function write(request: Request): CannedAnswer {
    const { url, body } = request
    const database = url.searchParams.get(version === 'v2' ? 'bucket' : 'db') ?? ''
    const path = { v1: '/write', v2: '/api/v2/write', v3: '/api/v3/write_lp' }[version]
    const precision = { v1: 'ns', v2: 'ns', v3: 'nanosecond' }[version]
    if (url.pathname !== path) return { status: 404, body: '404 page not found\n' }
    if (url.searchParams.get('precision') !== precision) return { status: 400, body: '{"error":"invalid precision"}' }
    if (behaviour.authorization !== undefined && request.authorization !== behaviour.authorization)
      return notAuthorized[version]
    if (!behaviour.databases.has(database)) return notFound(version, database)
    if (Buffer.byteLength(body) > behaviour.bytesMax) return tooLarge[version]
    const points = stored.get(database) ?? new Map<string, string>()
    stored.set(database, points)
    const refused: number[] = []
    const lines = body.split('\n').slice(0, -1)
    lines.forEach((line, index) => {
      if (behaviour.refuses(line)) refused.push(index)
      else keep(points, line)
    })
    return refused.length === 0 ? { status: 204 } : partial(version, lines, refused)
  }

  function query({ url, body }: Request, response: ServerResponse): void {
    const asked = new URLSearchParams(body).get('q') ?? url.searchParams.get('q') ?? ''
    const policy = url.searchParams.get('rp') ?? undefined
    const result = behaviour.answers(asked, url.searchParams.get('db') ?? '', policy)
    const answer = { results: [{ statement_id: 0, ...result }] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer)}\n`)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system named no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    points: (database) => stored.get(database) ?? new Map<string, string>(),
    behaviour,
    answerNext: (...answers) => void canned.push(...answers),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Point identity: measurement, tags and time; a later line puts its fields over the earlier ones. */
function keep(points: Map<string, string>, line: string): void {
  const [key = '', rest = ''] = splitAtSpace(line)
  const time = rest.slice(rest.lastIndexOf(' ') + 1)
  points.set(`${key} ${time}`, rest.slice(0, rest.lastIndexOf(' ')))
}

function splitAtSpace(line: string): [string, string] {
  let at = 0
  while (at < line.length && line[at] !== ' ') at += line[at] === '\\' ? 2 : 1
  return [line.slice(0, at), line.slice(at + 1)]
}

const notAuthorized: Readonly<Record<Version, CannedAnswer>> = {
  v1: { status: 401, body: '{"error":"authorization failed"}\n' },
  v2: { status: 401, body: '{"code":"unauthorized","message":"unauthorized access"}' },
  v3: { status: 401, body: '' },
}

const tooLarge: Readonly<Record<Version, CannedAnswer>> = {
  v1: { status: 413, body: '{"error":"Request Entity Too Large"}\n' },
  v2: { status: 413, body: '{"code":"request too large","message":"cannot read data: points batch is too large"}' },
  v3: { status: 413, body: '' },
}

const notFound = (version: Version, database: string): CannedAnswer => ({
  status: 404,
  body:
    version === 'v2'
      ? JSON.stringify({ code: 'not found', message: `bucket "${database}" not found` })
      : JSON.stringify({ error: `database not found: "${database}"` }),
})

function partial(version: Version, lines: readonly string[], refused: readonly number[]): CannedAnswer {
  const conflict = `field type conflict: input field "value" on measurement "temperature" is type float, already exists as type integer`
  if (version === 'v1') {
    return {
      status: 400,
      body: `${JSON.stringify({ error: `partial write: ${conflict} dropped=${refused.length}` })}\n`,
    }
  }
  if (version === 'v2') {
    const message = `failure writing points to database: partial write: ${conflict} dropped=${refused.length}`
    return { status: 422, body: JSON.stringify({ code: 'unprocessable entity', message }) }
  }
  const data = refused.map((index) => ({
    original_line: lines[index],
    line_number: index + 1,
    error_message:
      "invalid column type for column 'value', expected iox::column_type::field::integer, got iox::column_type::field::float",
  }))
  return { status: 400, body: JSON.stringify({ error: 'partial write of line protocol occurred', data }) }
}

async function read(message: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const gzip = message.headers['content-encoding'] === 'gzip'
  const bytes = Buffer.concat(chunks)
  return {
    method: message.method ?? '',
    url: new URL(message.url ?? '/', 'http://127.0.0.1'),
    authorization: message.headers.authorization,
    gzip,
    body: (gzip ? gunzipSync(bytes) : bytes).toString('utf8'),
  }
}
