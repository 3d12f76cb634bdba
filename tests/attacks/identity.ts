// Being somebody else: client ids that are another's, secrets and tokens that are guessed, filters and topics beyond what one may, and names
// that are to become a file, a line of a log or a header.

import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMqttClient } from '../faults/mqtt-client.ts'
import { makeToken } from '../../gateway/policy/tokens.ts'
import { frame, publishPacket, text } from '../tools/raw-mqtt.ts'
import { type Attack, attackersAddress, narrow } from './attack.ts'
import { dropAll, open, openHttp2, openMany } from './sockets.ts'

/** As a user and with a secret: the helper of other tests sends none. */
function connectAs(clientId: string, username: string, secret: string): Buffer {
  return frame(0x10, text('MQTT'), Buffer.of(4, 0xc2, 0, 60), text(clientId), text(username), text(secret))
}

export const takeover: Attack = {
  name: 'takeover',
  about: 'another principal connects under the client id of dispatch’s own client',
  counts: { test: 50, full: 500 },
  async run({ mqtt, count }) {
    let refused = 0
    for (let i = 0; i < count; i++) {
      const one = open(mqtt)
      one.socket.write(connectAs('dispatch-writes', narrow.name, narrow.secret))
      for (let ms = 0; ms < 8_000 && one.received.length < 4 && one.closedMs === undefined; ms += 5) await sleep(5)
      // MQTT 3.1.1 §3.2.2.3: identifier rejected.
      if (one.received[0] === 0x20 && one.received[3] === 2) refused++
      one.socket.destroy()
    }
    return {
      text: `${refused} of ${count} refused`,
      faults: refused < count ? [`${count - refused} were not refused`] : [],
    }
  },
}

export const secretGuessing: Attack = {
  name: 'secret-guessing',
  about: 'wrong secrets of a name that is known, and of names that are not, over MQTT',
  counts: { test: 60, full: 2_000 },
  async run({ mqtt, count }) {
    let n = 0
    let letIn = 0
    const until = performance.now() + 60_000
    let othersMs = 0
    const flood = (async () => {
      while (n < count && performance.now() < until) {
        const group = await openMany(50, () => {
          const one = open(mqtt)
          one.socket.write(connectAs(`guess-${n}`, n % 2 === 0 ? narrow.name : `nobody-${n}`, `guess ${n++}`))
          return one
        })
        await sleep(500)
        letIn += group.filter(({ received }) => received[0] === 0x20 && received[3] === 0).length
        dropAll(group)
      }
    })()
    await sleep(300)
    const began = performance.now()
    const honest = open(mqtt, '127.0.0.77')
    honest.socket.write(connectAs('honest', narrow.name, narrow.secret))
    for (let ms = 0; ms < 12_000 && honest.received.length < 4 && honest.closedMs === undefined; ms += 5) await sleep(5)
    othersMs = performance.now() - began
    const isHonestIn = honest.received[0] === 0x20 && honest.received[3] === 0
    honest.socket.destroy()
    await flood
    return {
      text: `${n} tries, ${letIn} let in; the right secret from elsewhere ${isHonestIn ? `after ${othersMs.toFixed(0)} ms` : 'WAS REFUSED'}`,
      faults: [...(letIn > 0 ? [`${letIn} let in`] : []), ...(isHonestIn ? [] : ['the right secret was refused'])],
    }
  },
}

export const tokenGuessing: Attack = {
  name: 'token-guessing',
  about: 'wrong tokens over HTTP and gRPC',
  counts: { test: 500, full: 10_000 },
  async run({ http, grpc, count }) {
    const answers = new Map<string, number>()
    const tell = (what: string): void => void answers.set(what, (answers.get(what) ?? 0) + 1)
    const began = performance.now()
    const session = openHttp2(grpc)
    const overGrpc = (token: string): Promise<void> =>
      new Promise((resolve) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/tocsin.v1.EventService/ListEvents',
          'content-type': 'application/grpc',
          te: 'trailers',
          authorization: `Bearer ${token}`,
        })
        const note = (from: Record<string, unknown>): void => {
          if (from['grpc-status'] !== undefined) tell(`gRPC status ${from['grpc-status']}`)
        }
        stream.on('response', note)
        stream.on('trailers', note)
        stream.on('error', () => tell('gRPC reset'))
        stream.on('close', () => resolve())
        stream.resume()
        stream.end(Buffer.alloc(5))
      })
    for (let i = 0; i < count; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, j) => {
          const token = makeToken().text
          if (j % 2 === 0) return overGrpc(token)
          const answer = await fetch(`http://127.0.0.1:${http}/v1/events`, {
            headers: { authorization: `Bearer ${token}` },
          })
          await answer.arrayBuffer()
          return tell(`HTTP ${answer.status}`)
        }),
      )
    }
    session.destroy()
    const perSecond = count / ((performance.now() - began) / 1_000)
    const wrong = [...answers.keys()].filter((what) => what !== 'HTTP 401' && what !== 'gRPC status 16')
    return {
      text: `${[...answers].map(([what, times]) => `${what} ×${times}`).join(', ')}; ${perSecond.toFixed(0)} a second`,
      faults: wrong,
    }
  },
}

/** Filters that reach what mallory may not read, and topics where he may not write. */
const bypasses = {
  filters: [
    '#',
    '+/#',
    '/#',
    '+',
    '$SYS/#',
    '$SYS/+',
    '$share/g/#',
    '$share/#/#',
    '$share//#',
    '$share/g/$SYS/#',
    '$share/g/$share/g/#',
    'tocsin/#',
    'tocsin/+/senml/mallory',
    'tocsin/in/+/mallory',
    'tocsin/in/senml/+',
    'tocsin/in/senml/mallory/+',
    'tocsin/in/senml/mallory/#',
    'tocsin/v1/#',
    '$share/g/tocsin/v1/#',
    'tocsin/refused/#',
    'tocsin/refused/+',
    'tocsin/refused/dispatch-writes',
    'TOCSIN/IN/SENML/MALLORY',
    'tocsin/in/senml/mallory\u0000',
    'tocsin//in/senml/mallory',
  ],
  topics: [
    'tocsin/v1/x/actual/urgent/alert/x',
    'tocsin/refused/dispatch-writes',
    'tocsin/in/senml/other',
    'tocsin/in/senml/mallory/x',
    'tocsin/in/cap/x',
    'tocsin/in/senml',
    '$SYS/broker/load',
    'calm',
    '/tocsin/in/senml/mallory',
    'tocsin/in/senml/mallory/',
  ],
} as const

export const bypass: Attack = {
  name: 'bypass',
  about: 'wildcards, $share, $SYS, tocsin/v1 and topics of others, by a principal who may use one topic',
  counts: { test: 1, full: 20 },
  async run({ mqtt, count }) {
    const faults: string[] = []
    let refused = 0
    for (let round = 0; round < count; round++) {
      for (const filter of bypasses.filters) {
        const got: string[] = []
        const client = createMqttClient({
          port: mqtt,
          clientId: `bypass-${round}`,
          clean: true,
          username: narrow.name,
          password: narrow.secret,
          onMessage: ({ topic }) => got.push(topic),
        })
        await client.connect()
        const codes = await Promise.race([client.subscribe([filter], 1).catch(() => [0x80]), sleep(1_000, [0x80])])
        // Who may read $SYS is told so by silence; it is never granted here.
        if (codes.some((code) => code < 0x80)) faults.push(`${JSON.stringify(filter)} was granted`)
        else refused++
        await sleep(round === 0 ? 30 : 5)
        if (got.length > 0) faults.push(`${filter} gave ${got[0]}`)
        client.drop()
      }
      const witness: string[] = []
      const reader = createMqttClient({
        port: mqtt,
        clientId: 'witness',
        clean: true,
        onMessage: ({ topic, payload }) => {
          if (payload.toString() === 'planted') witness.push(topic)
        },
      })
      await reader.connect()
      await reader.subscribe(['#', 'tocsin/refused/#'], 1)
      for (const topic of bypasses.topics) {
        const client = createMqttClient({
          port: mqtt,
          clientId: `writes-${round}`,
          clean: true,
          username: narrow.name,
          password: narrow.secret,
        })
        await client.connect()
        client.publish({ topic, payload: 'planted', qos: 1, retain: true })
        await sleep(20)
        client.drop()
      }
      await sleep(200)
      if (witness.length > 0) faults.push(`planted: ${witness.join(' ')}`)
      else refused += bypasses.topics.length
      reader.drop()
    }
    return { text: `${refused} filters and topics refused`, faults: [...new Set(faults)] }
  },
}

const names = [
  '../../../../tmp/tocsin-was-here',
  '/etc/passwd',
  'a\\..\\..\\b',
  '%2e%2e%2f%2e%2e%2fetc',
  'con',
  'x'.repeat(250),
  '__proto__',
  'constructor',
  'toString',
  '$share/g/x',
  '=cmd|calc',
  "' OR 1=1 --",
  '\u202egnihtemos',
  '{{7*7}}',
  '${jndi:ldap://127.0.0.1:9/x}',
  '<script>alert(1)</script>',
]
const brokenNames = [
  Buffer.of(0xff, 0xfe),
  Buffer.from('a\u0000b'),
  Buffer.from('a\nlevel=fatal forged'),
  Buffer.from('a\r\nb'),
  Buffer.of(0xed, 0xa0, 0x80),
]

export const hostileNames: Attack = {
  name: 'names',
  about:
    'client ids, topics, paths, queries and headers that are to become a file, a line of a log, a header or a prototype',
  counts: { test: 1, full: 10 },
  async run({ mqtt, http, count }) {
    const faults: string[] = []
    let tried = 0
    for (let round = 0; round < count; round++) {
      for (const id of names) {
        const client = createMqttClient({ port: mqtt, clientId: id, clean: false })
        await client.connect().then(
          () => {
            client.publish({
              topic: `tocsin/in/senml/${id.replaceAll(/[#+/]/g, '.').slice(0, 200)}`,
              payload: '[{"n":"x","v":1}]',
              qos: 1,
            })
          },
          () => {},
        )
        await sleep(10)
        client.drop()
        tried++
      }
      for (const id of brokenNames) {
        const one = open(mqtt)
        one.socket.write(frame(0x10, text('MQTT'), Buffer.of(4, 2, 0, 60), text(id)))
        for (let ms = 0; ms < 2_000 && one.closedMs === undefined && one.received.length === 0; ms += 5) await sleep(5)
        if (one.received[0] === 0x20 && one.received[3] === 0) faults.push(`let in as ${id.toString('hex')}`)
        one.socket.destroy()
        const other = open(mqtt)
        other.socket.write(frame(0x10, text('MQTT'), Buffer.of(4, 2, 0, 60), text('plain')))
        await sleep(20)
        other.socket.write(publishPacket(id))
        for (let ms = 0; ms < 2_000 && other.closedMs === undefined; ms += 5) await sleep(5)
        if (other.closedMs === undefined) faults.push(`took a topic of ${id.toString('hex')}`)
        other.socket.destroy()
        tried += 2
      }
      for (const [path, headers] of requests()) {
        const { status, echoed } = await ask(http, path, headers)
        if (status >= 500 || status === 0) faults.push(`${path}: ${status}`)
        if (status === 200) faults.push(`${path} was answered`)
        if (echoed) faults.push(`${path}: a header of ours was made by it`)
        tried++
      }
    }
    return { text: `${tried} names`, faults: [...new Set(faults)] }
  },
}

function requests(): readonly (readonly [path: string, headers: Record<string, string>])[] {
  return [
    ['/../../etc/passwd', {}],
    ['/%2e%2e/%2e%2e/etc/passwd', {}],
    ['/docs/../../package.json', {}],
    ['/v1/events/..%2f..%2fstate.sqlite', {}],
    ['/v1/events?__proto__=x', {}],
    ['/v1/events?constructor[prototype][x]=1', {}],
    ['/v1/events?limit=__proto__', {}],
    ['/v1/events/x%0d%0aset-cookie:%20a=b', {}],
    ['/v1/ingest/senml%0d%0aset-cookie:%20a=b', {}],
    ['/v1/alerts/%00.cap', {}],
    ['/v1/nothing', { host: 'evil.example' }],
    ['/v1/events', { origin: 'https://evil.example' }],
    ['/v1/events', { host: 'evil.example' }],
  ]
}

function ask(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; echoed: boolean }> {
  return new Promise((resolve) => {
    const asking = request(
      { port, host: '127.0.0.1', path, headers, localAddress: attackersAddress, agent: false },
      (answer) => {
        answer.resume()
        resolve({ status: answer.statusCode ?? 0, echoed: answer.headers['set-cookie'] !== undefined })
      },
    )
    asking.on('error', () => resolve({ status: 0, echoed: false }))
    asking.end()
  })
}
