// Server-sent events against a real gateway: all that is stored comes once, in order, whatever is cut off in between; a reader that
// stops costs disk.

import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../gateway/grpc/cursor.ts'
import { codec } from '../proto/wire.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { tempFolder } from './tools/temp-folder.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

interface Message {
  readonly name: string
  readonly id: string
  readonly json: { readonly [name: string]: unknown }
}

interface Stream {
  readonly status: number
  readonly type: string
  readonly messages: Message[]
  /** Of the last message that had one: what a browser sends when it comes again. */
  readonly lastId: string
  readonly ended: boolean
  readonly body: IncomingMessage
  close(): void
}

/** Reads as WHATWG HTML §9.2.6 says, as far as the gateway writes it. */
function open(http: string, query = '', headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const call = get(`${http}/v1/stream${query}`, { headers, agent: false }, (body) => {
      const stream = {
        status: body.statusCode ?? 0,
        type: body.headers['content-type'] ?? '',
        messages: [] as Message[],
        lastId: '',
        ended: false,
        body,
        close: () => void call.destroy(),
      }
      let rest = ''
      body.setEncoding('utf8')
      body.on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const fields = new Map(
            block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
          )
          stream.lastId = fields.get('id') ?? stream.lastId
          const data = fields.get('data')
          if (data === undefined) continue
          const json = JSON.parse(data) as Message['json']
          stream.messages.push({ name: fields.get('event') ?? 'message', id: fields.get('id') ?? '', json })
        }
      })
      body.on('end', () => (stream.ended = true))
      body.on('error', () => (stream.ended = true))
      resolve(stream)
    })
    call.on('error', reject)
  })
}

async function send(http: string, device: string, value: number): Promise<void> {
  const body = JSON.stringify([{ n: 'level', u: 'm', v: value }])
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${http}/v1/ingest/senml/${device}`, { method: 'POST', body, headers })
  expect(status).toBe(201)
}

async function sendAlert(http: string, device: string, text: string): Promise<void> {
  const event = { subject: `urn:text:${text}`, messageStatus: 1, body: 'message', message: { text } } as const
  const body = new Uint8Array(codec('tocsin.v1.Event').encode(event))
  const headers = { 'content-type': 'application/octet-stream' }
  const { status } = await fetch(`${http}/v1/ingest/tocsin/${device}`, { method: 'POST', body, headers })
  expect(status).toBe(201)
}

interface Shown {
  readonly event: { readonly observation?: { readonly measurements: { readonly number?: number }[] } }
}
const valuesIn = ({ messages }: Stream): number[] =>
  messages
    .filter(({ name }) => name === 'message')
    .map(({ json }) => (json as unknown as Shown).event.observation?.measurements[0]?.number ?? 0)
async function comes(isThere: () => boolean): Promise<void> {
  await expect.poll(isThere, { timeout: 8_000 }).toBe(true)
}

describe('a stream', () => {
  test('gives what comes from now on, each with a cursor as its id, and says when it has caught up', async () => {
    await send(gateway.http, 'live-1', 1)
    const stream = await open(gateway.http, '?device=live-1')
    expect([stream.status, stream.type]).toEqual([200, 'text/event-stream'])
    await comes(() => stream.messages.some(({ name }) => name === 'caught_up'))
    await send(gateway.http, 'live-1', 2)
    await send(gateway.http, 'live-2', 3)
    await send(gateway.http, 'live-1', 4)
    await comes(() => valuesIn(stream).length === 2)
    expect(valuesIn(stream)).toEqual([2, 4])
    const ids = stream.messages.map(({ id }) => id)
    expect(new Set(ids).size).toBe(3)
    expect(ids).not.toContain('')
    stream.close()
  })

  test('begins where it is asked to: with all that is kept, a time, or the current state of each subject', async () => {
    for (const value of [1, 2, 3]) await send(gateway.http, 'start-1', value)
    const starts = [
      ['start=earliest', [1, 2, 3]],
      ['from=1h', [1, 2, 3]],
      ['start=current', [3]],
    ] as const
    for (const [start, values] of starts) {
      const stream = await open(gateway.http, `?device=start-1&${start}`)
      await comes(() => stream.messages.some(({ name }) => name === 'caught_up'))
      expect([start, valuesIn(stream)]).toEqual([start, values])
      stream.close()
    }
  })

  test('goes on after any one event, also inside a batch and over both lanes, with nothing twice and nothing missing', async () => {
    for (const value of [1, 2, 3, 4]) await send(gateway.http, 'resume-1', value)
    for (const text of ['one', 'two']) await sendAlert(gateway.http, 'resume-1', text)
    const whole = await open(gateway.http, '?topic=tocsin/in/%2B/resume-1&start=earliest')
    await comes(() => whole.messages.some(({ name }) => name === 'caught_up'))
    whole.close()
    const places = (stream: Stream): string[] =>
      stream.messages.filter(({ name }) => name === 'message').map(({ json }) => `${json['lane']} ${json['sequence']}`)
    expect(places(whole).map((place) => place.split(' ')[0])).toEqual([
      ...Array.from({ length: 2 }, () => 'urgent'),
      ...Array.from({ length: 4 }, () => 'routine'),
    ])
    for (const [at, { id }] of whole.messages.slice(0, 6).entries()) {
      const rest = await open(gateway.http, '?topic=tocsin/in/%2B/resume-1', { 'last-event-id': id })
      await comes(() => rest.messages.some(({ name }) => name === 'caught_up'))
      expect([at, places(rest)]).toEqual([at, places(whole).slice(at + 1)])
      rest.close()
    }
  })

  test('sends a heartbeat while nothing else comes', async () => {
    const stream = await open(gateway.http, '?device=nobody&heartbeat=2s')
    await comes(() => stream.messages.some(({ name }) => name === 'heartbeat'))
    const beat = stream.messages.find(({ name }) => name === 'heartbeat')
    expect(beat?.id).not.toBe('')
    expect(beat?.json).toMatchObject({ routineHead: expect.any(Number), sentAt: expect.stringMatching(/^20.*Z$/) })
    stream.close()
  })

  test('tells of a cursor beyond the head as a gap, and goes on', async () => {
    const foreign = encodeCursor({
      epoch: 1n,
      bookmark: { urgent: 5, routine: 5 },
      loggedAt: { urgent: 0n, routine: 0n },
      inSnapshot: false,
    }).toString('base64url')
    const stream = await open(gateway.http, `?cursor=${foreign}&lane=urgent`)
    await comes(() => stream.messages.some(({ name }) => name === 'gap'))
    expect(stream.messages.find(({ name }) => name === 'gap')?.json).toMatchObject({
      lane: 'urgent',
      reason: 'foreign-epoch',
      text: expect.stringContaining('restored from a backup'),
    })
    stream.close()
  })

  test.each([
    ['start=live&from=1h', 'give one of them'],
    ['cursor=AAAA', 'no cursor of a Tocsin gateway'],
    ['heartbeat=1s', 'from 2s to 60s'],
    ['strt=live', 'did you mean start?'],
  ])('%s is refused with what is wrong', async (query, words) => {
    const answer = await fetch(`${gateway.http}/v1/stream?${query}`)
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_argument', message: expect.stringContaining(words) },
    ])
  })

  test('is one of 128; the next is told to come again, and can when one has ended', async () => {
    const streams = await Promise.all(Array.from({ length: 128 }, () => open(gateway.http, '?device=nobody')))
    expect(streams.every(({ status }) => status === 200)).toBe(true)
    const late = await fetch(`${gateway.http}/v1/stream`)
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '5'])
    for (const stream of streams) stream.close()
    await expect
      .poll(async () => {
        const again = await open(gateway.http)
        again.close()
        return again.status
      })
      .toBe(200)
  })
})

test(
  'kill -9 of the gateway: a reader that comes again with its last id has every event once',
  { timeout: 120_000 },
  async () => {
    const dataDir = tempFolder('http-stream')
    const settings = { LOG_SEGMENT_BYTES: '1MiB' }
    let house = await startGatewayProcess({ dataDir, settings })
    const seen: number[] = []
    let lastId = ''
    let next = 1
    for (let kill = 0; kill < 5; kill++) {
      const stream = await open(house.http, '?device=kill-1', lastId ? { 'last-event-id': lastId } : {})
      const until = performance.now() + 300 + kill * 60
      while (performance.now() < until) {
        // Sent again until it is acknowledged, as a device does; the log takes it once.
        await send(house.http, 'kill-1', next)
        next += 1
      }
      // What was read to the end of its text counts as read; what was cut inside comes again.
      await house.kill()
      await comes(() => stream.ended)
      seen.push(...valuesIn(stream))
      lastId = stream.lastId
      house = await startGatewayProcess({ dataDir, settings })
    }
    const stream = await open(house.http, '?device=kill-1', { 'last-event-id': lastId })
    await comes(() => stream.messages.some(({ name }) => name === 'caught_up'))
    seen.push(...valuesIn(stream))
    stream.close()
    await house.stop()
    expect(next).toBeGreaterThan(100)
    expect(seen).toEqual(Array.from({ length: next - 1 }, (_, at) => at + 1))
    process.stdout.write(`kill -9 × 5: ${seen.length} events over HTTP, 0 missing, 0 doubled\n`)
  },
)

test('a gateway that stops says so, and the cursor is good afterwards', { timeout: 60_000 }, async () => {
  const dataDir = tempFolder('http-stop')
  const first = await startGatewayProcess({ dataDir })
  const stream = await open(first.http, '?device=stop-1')
  await send(first.http, 'stop-1', 1)
  await comes(() => valuesIn(stream).length === 1)
  await first.stop()
  await comes(() => stream.ended)
  expect(stream.messages.at(-1)).toMatchObject({ name: 'end', json: { error: 'stopping' } })
  const second = await startGatewayProcess({ dataDir })
  try {
    const again = await open(second.http, '?device=stop-1', { 'last-event-id': stream.lastId })
    await send(second.http, 'stop-1', 2)
    await comes(() => valuesIn(again).length > 0)
    expect(valuesIn(again)).toEqual([2])
    again.close()
  } finally {
    await second.stop()
  }
})
