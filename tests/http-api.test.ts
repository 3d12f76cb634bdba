// The HTTP API against a real gateway: what is sent is stored before it is answered, what is stored can be read, and what may not is
// refused with what to do.

import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { codec } from '../proto/wire.ts'
import { tempFolder } from './tools/temp-folder.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: Readonly<Record<string, unknown>>
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(gateway.http + path, init)
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Answer['json'] }
}
const ingest = (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  ask(`/v1/ingest/${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
const reading = (value: number): string => JSON.stringify([{ n: 'water-level', u: 'm', v: value }])
const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const numberIn = (record: never): number =>
  (record as { event: { observation: { measurements: { number: number }[] } } }).event.observation.measurements[0]!
    .number

describe('ingest', () => {
  test('stores a message, says so with its ids, and gives it back as the same event and the same bytes', async () => {
    const sent = await ingest('senml/gauge-1', reading(2.31))
    expect(sent.status).toBe(201)
    const { fate, frameId, eventIds } = sent.json as unknown as { fate: string; frameId: string; eventIds: string[] }
    expect([fate, frameId, eventIds]).toEqual([
      'stored',
      expect.stringMatching(idForm),
      [expect.stringMatching(idForm)],
    ])
    expect(sent.headers.get('location')).toBe(`/v1/events/${eventIds[0]}`)

    const event = await ask(`/v1/events/${eventIds[0]}`)
    expect(event.json).toMatchObject({
      eventId: eventIds[0],
      frameId,
      topic: 'tocsin/in/senml/gauge-1',
      sender: 'http:anonymous',
      event: { origin: { device: 'gauge-1' }, provenance: [{ link: 'http' }] },
    })
    expect(numberIn(event.json as never)).toBe(2.31)

    const frame = await fetch(`${gateway.http}/v1/events/${eventIds[0]}/frame`, {
      headers: { accept: 'application/octet-stream' },
    })
    expect([frame.headers.get('content-disposition'), await frame.text()]).toEqual([
      'attachment; filename="frame.bin"',
      reading(2.31),
    ])
    const encoded = await fetch(`${gateway.http}/v1/events/${eventIds[0]}`, {
      headers: { accept: 'application/x-protobuf' },
    })
    const decoded = codec('tocsin.v1.Event').decode(new Uint8Array(await encoded.arrayBuffer()))
    expect(decoded).toMatchObject({ subject: 'device:local/gauge-1', body: 'observation' })
  })

  test('takes a device from the path, with levels, or from the message alone', async () => {
    await ingest('senml/north/gauge-2', reading(1))
    await ingest('senml', JSON.stringify([{ bn: 'urn:dev:mac:0024befffe804ff1:', n: 'level', u: 'm', v: 3 }]))
    const devices = async (topic: string) =>
      ((await ask(`/v1/events?topic=${topic}`)).json['events'] as { event: { origin: { device: string } } }[]).map(
        ({ event }) => event.origin.device,
      )
    expect(await devices('tocsin/in/senml/north/gauge-2')).toEqual(['north/gauge-2'])
    expect(await devices('tocsin/in/senml')).toEqual(['urn:dev:mac:0024befffe804ff1'])
  })

  test('keeps the parameters of the query with the message', async () => {
    const sent = await ingest('senml/gauge-3?event=up&x=%C3%A9', reading(1))
    const frame = await ask(`/v1/events/${(sent.json['eventIds'] as string[])[0]}/frame`)
    expect(frame.json['properties']).toEqual([
      { name: 'event', value: 'up' },
      { name: 'x', value: 'é' },
    ])
  })

  test('reads what ChirpStack’s HTTP integration posts, which names the event in the query alone', async () => {
    const up = {
      deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
      time: '2026-11-22T12:00:00Z',
      deviceInfo: { devEui: '0101010101010101', deviceName: 'creek' },
      object: { level: 1.75 },
    }
    const sent = await ingest('chirpstack?event=up', JSON.stringify(up))
    expect([sent.status, sent.json['fate']]).toEqual([201, 'stored'])
    const { json } = await ask('/v1/events?device=0101010101010101&kind=observation')
    expect((json['events'] as { event: { observedAt: string } }[]).map(({ event }) => event.observedAt)).toEqual([
      up.time,
    ])
  })

  test('answers 422 to what cannot be read, keeps it, and says why', async () => {
    const sent = await ingest('senml/gauge-4', '[{"n":')
    expect([sent.status, sent.json]).toEqual([
      422,
      {
        fate: 'refused',
        frameId: expect.stringMatching(idForm),
        fault: 'syntax',
        why: 'not JSON: it ends too early',
        whatToDo: expect.stringContaining('check the topic'),
      },
    ])
    const kept = await fetch(`${gateway.http}/v1/refusals/${sent.json['frameId']}`, {
      headers: { accept: 'application/octet-stream' },
    })
    expect(await kept.text()).toBe('[{"n":')
  })

  test('answers 403 to what policy refuses', async () => {
    const event = { subject: 'x', messageStatus: 1, body: 'command', command: {} } as const
    const bytes = codec('tocsin.v1.Event').encode(event)
    const headers = { 'content-type': 'application/octet-stream' }
    const sent = await ingest('tocsin/console', new Uint8Array(bytes), headers)
    expect([sent.status, sent.json['fault']]).toEqual([403, 'forbidden'])
  })

  test('takes a message once for one Idempotency-Key, however often it is sent, and refuses the key for another', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const both = await Promise.all([1, 2].map(() => ingest('senml/gauge-5', reading(5), key)))
    const third = await ingest('senml/gauge-5', reading(5), key)
    expect(new Set([...both, third].map(({ json }) => json['frameId'])).size).toBe(1)
    expect((await ask('/v1/events?device=gauge-5')).json['events']).toHaveLength(1)
    const other = await ingest('senml/gauge-5', reading(6), key)
    expect([other.status, other.json['error']]).toEqual([422, 'key_reused'])
  })

  test('says what there is when an adapter is not, and what a device may be called', async () => {
    const unknown = await ingest('senm/gauge-1', reading(1))
    expect([unknown.status, unknown.json['message']]).toEqual([404, expect.stringContaining('did you mean senml?')])
    for (const device of ['a%2Bb', '%23', 'a//b', 'a%00b', 'x'.repeat(300)]) {
      const sent = await ingest(`senml/${device}`, reading(1))
      expect([device, sent.status, sent.json['error']]).toEqual([device, 400, 'invalid_argument'])
    }
  })

  test('takes no form of a web page, nothing compressed, and nothing too long', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nothing',
    ])
      expect([type, (await ingest('senml/gauge-6', reading(1), { 'content-type': type })).status]).toEqual([type, 415])
    expect((await ingest('senml/gauge-6', 'x', { 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await ingest('senml/gauge-6', 'x'.repeat((1 << 20) + 1)).catch(() => ({ status: 413 }))).status).toBe(413)
    expect((await ask('/v1/events?device=gauge-6')).json['events']).toEqual([])
  })

  test('of many slow bodies holds so much and no more, and tells the others when to come again', async () => {
    const { port } = new URL(gateway.http)
    const head = `POST /v1/ingest/senml/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${1 << 20}\r\n\r\n[`
    const sockets = Array.from({ length: 32 }, () => connect(Number(port), '127.0.0.1'))
    try {
      await Promise.all(sockets.map((socket) => new Promise<void>((sent) => void socket.write(head, () => sent()))))
      await expect
        .poll(async () => {
          const { status, headers } = await ingest('senml/gauge-6', reading(1))
          return [status, headers.get('retry-after')]
        })
        .toEqual([503, '5'])
      expect((await ask('/v1/events?limit=1')).status).toBe(200)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
    await expect.poll(async () => (await ingest('senml/gauge-66', reading(1))).status).toBe(201)
  })
})

describe('events', () => {
  test('come newest first by pages that leave nothing out, by filter', async () => {
    for (const value of [1, 2, 3, 4, 5]) await ingest('senml/gauge-7', reading(value))
    const values: number[] = []
    let page = ''
    do {
      const { json } = await ask(`/v1/events?device=gauge-7&limit=2${page}`)
      values.push(...(json['events'] as never[]).map(numberIn))
      page = json['nextPage'] ? `&page=${json['nextPage']}` : ''
    } while (page)
    expect(values).toEqual([5, 4, 3, 2, 1])
    const oldest = await ask('/v1/events?device=gauge-7&order=oldest&limit=1&kind=observation&lane=routine')
    expect((oldest.json['events'] as never[]).map(numberIn)).toEqual([1])
    expect((await ask('/v1/events?device=gauge-7&kind=alert')).json['events']).toEqual([])
    expect((await ask('/v1/events?device=gauge-7&bbox=-180,-90,180,90')).json['events']).toEqual([])
    expect((await ask('/v1/events?device=gauge-7&to=1h')).json['events']).toEqual([])
  })

  test.each([
    ['limt=1', 'did you mean limit?'],
    ['limit=0', 'limit must be a whole number from 1 to 1000'],
    ['limit=1&limit=2', 'limit may come only once'],
    ['kind=observatoin', 'did you mean observation?'],
    ['bbox=1,2,3', 'west,south,east,north'],
    ['from=yesterday', 'such as 2026-11-22T12:00:00Z'],
    ['page=AAAA', 'page_token is no cursor'],
    ['device=a*b', '`*` only at the end'],
  ])('%s is refused with what is wrong', async (query, words) => {
    const { status, json } = await ask(`/v1/events?${query}`)
    expect([status, json['error'], json['message']]).toEqual([400, 'invalid_argument', expect.stringContaining(words)])
  })

  test('that are not there are not found', async () => {
    expect((await ask('/v1/events/0199a4d2-7c1e-7a30-8000-0123456789ab')).status).toBe(404)
    expect((await ask('/v1/events/xyz')).json['message']).toContain('id must be an id such as')
  })
})

describe('fates, refusals and status', () => {
  test('tell what became of a message, by topic and by id', async () => {
    const stored = await ingest('senml/gauge-8', reading(1))
    await ingest('senml/gauge-8', 'rubbish')
    const { json } = await ask('/v1/fates?topic=tocsin/in/senml/gauge-8&limit=5')
    expect((json['fates'] as { fate: string }[]).map(({ fate }) => fate)).toEqual(['refused', 'stored'])
    const one = await ask(`/v1/fates/${stored.json['frameId']}`)
    expect(one.json['events']).toEqual([
      { lane: 'routine', sequence: expect.any(Number), eventId: (stored.json['eventIds'] as string[])[0] },
    ])
    expect((await ask('/v1/fates/0199a4d2-7c1e-7a30-8000-0123456789ab')).status).toBe(404)
    expect((await ask('/v1/fates')).json['message']).toMatch(/^topic is missing/)
  })

  test('list what was refused and read it again', async () => {
    const { json: sent } = await ingest('senml/gauge-9', 'rubbish')
    const listed = await ask('/v1/refusals?topic=tocsin/in/senml/gauge-9&payload=true')
    expect(listed.json['refusals']).toEqual([
      expect.objectContaining({
        frameId: sent['frameId'],
        fault: 'syntax',
        payload: Buffer.from('rubbish').toString('base64'),
      }),
    ])
    const again = await ask(`/v1/refusals/${sent['frameId']}/replay?dry_run=true`, { method: 'POST' })
    expect(again.json).toMatchObject({ fate: 'refused' })
    const all = await ask('/v1/refusals/replay?topic=tocsin/in/senml/gauge-9', { method: 'POST' })
    expect(all.json).toEqual({ total: 1, read: 1, stored: 0, refused: 1, duplicate: 0, ignored: 0 })
  })

  test('say how the gateway is', async () => {
    const { json } = await ask('/v1/status')
    expect(json).toMatchObject({ gateway: 'tocsin', jurisdiction: 'local', lanes: [{}, {}], fates: expect.any(Array) })
  })
})

describe('who asks', () => {
  /** With headers that fetch does not let a program set. */
  const statusOf = (path: string, headers: Record<string, string>, method = 'GET'): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const call = request(gateway.http + path, { method, headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      call.on('error', reject).end()
    })

  test.each([
    ['a page of another origin', { origin: 'http://elsewhere.example' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['a script or a picture of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a name that was made to point here', { host: 'elsewhere.example:8080' }, 403],
    ['somebody behind a proxy', { 'x-forwarded-for': '192.0.2.7' }, 401],
    ['somebody behind another proxy', { via: '1.1 proxy' }, 401],
    ['a program by name', { host: 'localhost:8080' }, 200],
    ['a program by address', { host: '[::1]:8080' }, 200],
  ])('%s', async (_, headers, status) => expect(await statusOf('/v1/events', headers)).toBe(status))

  test('a page of another origin cannot send a message, whatever it says it is', async () => {
    const headers = { origin: 'http://elsewhere.example', 'content-type': 'application/json' }
    expect(await statusOf('/v1/ingest/senml/gauge-1', headers, 'POST')).toBe(403)
  })

  test('other methods are answered with those there are', async () => {
    for (const [path, allowed] of [
      ['/v1/events', 'GET, HEAD'],
      ['/v1/ingest/senml/a/b', 'POST'],
      ['/v1/refusals/replay', 'GET, POST, HEAD'],
    ]) {
      const { status, headers } = await ask(path!, { method: 'DELETE' })
      expect([path, status, headers.get('allow')]).toEqual([path, 405, allowed])
    }
    expect((await ask('/v1/nothing')).json['paths']).toContain('/v1/events/{id}')
  })
})

test('http.ingest: false takes nothing and says so', { timeout: 30_000 }, async () => {
  const closed = await startGatewayProcess({ settings: { HTTP_INGEST: 'false' } })
  try {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${closed.http}/v1/ingest/senml/a`, { method: 'POST', body: reading(1), headers })
    expect([answer.status, await answer.json()]).toEqual([
      501,
      { error: 'not_set_up', message: expect.stringContaining('http.ingest') },
    ])
  } finally {
    await closed.stop()
  }
})

test(
  'a key of a repeated message is known also after kill -9, when the answer of the first is not',
  { timeout: 60_000 },
  async () => {
    const dataDir = tempFolder('http-key')
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'reading-1' }
    const send = async (house: GatewayProcess): Promise<unknown> => {
      const init = { method: 'POST', body: reading(1), headers }
      const answer = await fetch(`${house.http}/v1/ingest/senml/gauge-1`, init)
      return [answer.status, ((await answer.json()) as { fate: string }).fate]
    }
    const first = await startGatewayProcess({ dataDir })
    expect(await send(first)).toEqual([201, 'stored'])
    await first.kill()
    const second = await startGatewayProcess({ dataDir })
    try {
      expect(await send(second)).toEqual([200, 'duplicate'])
      const { events } = (await (await fetch(`${second.http}/v1/events?device=gauge-1`)).json()) as {
        events: unknown[]
      }
      expect(events).toHaveLength(1)
    } finally {
      await second.stop()
    }
  },
)
