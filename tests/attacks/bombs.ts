// Payloads that cost more to read than to send, over MQTT and HTTP: nesting, entities, attributes, what is small until it is unpacked, and
// names that mean something to JavaScript. Each is to be refused quickly, and nothing of it to become an event.

import { brotliCompressSync, gzipSync } from 'node:zlib'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMqttClient } from '../faults/mqtt-client.ts'
import type { Attack } from './attack.ts'

const nested = (open: string, close: string, depth: number, inner = ''): string =>
  open.repeat(depth) + inner + close.repeat(depth)
const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')
const capOf = (inner: string): string => `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">${inner}</alert>`

export interface Payload {
  readonly what: string
  readonly adapter: 'senml' | 'cap' | 'chirpstack'
  readonly type: string
  readonly bytes: Uint8Array
}

const json = (what: string, text: string, adapter: 'senml' | 'chirpstack' = 'senml'): Payload => ({
  what,
  adapter,
  type: adapter === 'senml' ? 'application/senml+json' : 'application/json',
  bytes: Buffer.from(text),
})
const xml = (what: string, text: string): Payload => ({
  what,
  adapter: 'cap',
  type: 'application/cap+xml',
  bytes: Buffer.from(text),
})

export const payloads: readonly Payload[] = [
  json('JSON lists 100,000 deep', nested('[', ']', 100_000)),
  json('JSON objects 100,000 deep', nested('{"a":', '}', 100_000, '1')),
  json('JSON objects 100,000 deep, to ChirpStack', nested('{"a":', '}', 100_000, '1'), 'chirpstack'),
  json('JSON that is only opened', '['.repeat(900_000)),
  json('a million records', `[${'{},'.repeat(300_000)}{}]`),
  json('a number of 900,000 digits', `[{"n":"x","v":${'9'.repeat(900_000)}}]`),
  json('__proto__ and constructor', '[{"__proto__":{"n":"x","v":1},"constructor":{"prototype":{"admin":true}}}]'),
  {
    what: 'CBOR lists 100,000 deep',
    adapter: 'senml',
    type: 'application/senml+cbor',
    bytes: Buffer.alloc(100_000, 0x81),
  },
  {
    what: 'CBOR that announces 2^60 records',
    adapter: 'senml',
    type: 'application/senml+cbor',
    bytes: Buffer.from('9b1000000000000000', 'hex'),
  },
  {
    what: 'CBOR tags 100,000 deep',
    adapter: 'senml',
    type: 'application/senml+cbor',
    bytes: Buffer.concat([Buffer.alloc(100_000, 0xc1), Buffer.of(0)]),
  },
  xml('a billion laughs', `<!DOCTYPE a [<!ENTITY a0 "ha">${laughs}]>${capOf('<note>&a9;</note>')}`),
  xml('an external entity', `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${capOf('<note>&x;</note>')}`),
  xml('a parameter entity', '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><alert/>'),
  xml(
    '100,000 attributes',
    `<alert ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`.slice(0, 999_000),
  ),
  xml('elements 100,000 deep', '<a>'.repeat(100_000)),
  xml('100,000 elements', capOf('<a/>'.repeat(100_000))),
  xml('a comment of 900,000 bytes', `<!--${'-x'.repeat(450_000)}--><alert/>`),
]

const bodies = {
  gzip: gzipSync(Buffer.alloc(200_000_000, '[')),
  br: brotliCompressSync(Buffer.alloc(50_000_000, '[')),
  deflate: gzipSync(Buffer.alloc(1_000_000)),
} as const

async function post(
  http: number,
  payload: Omit<Payload, 'what'>,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${http}/v1/ingest/${payload.adapter}/bomb`, {
    method: 'POST',
    headers: { 'content-type': payload.type, ...headers },
    body: Buffer.from(payload.bytes),
  })
  await answer.arrayBuffer()
  return answer.status
}

export const parserBombs: Attack = {
  name: 'parser-bombs',
  about: `${payloads.length} payloads (100,000-deep JSON and CBOR, entities, attributes, prototype keys) over MQTT and HTTP`,
  counts: { test: 1, full: 10 },
  async run({ mqtt, http, count }) {
    const faults = new Set<string>()
    let longest = { ms: 0, what: '' }
    let acknowledged = 0
    const client = createMqttClient({ port: mqtt, clientId: 'bomb', clean: true, onAcknowledged: () => acknowledged++ })
    await client.connect()
    let sent = 0
    for (let round = 0; round < count; round++) {
      for (const { what, adapter, type, bytes } of payloads) {
        const began = performance.now()
        const status = await post(http, { adapter, type, bytes })
        const ms = performance.now() - began
        if (ms > longest.ms) longest = { ms, what }
        if (status !== 422) faults.add(`${what}: HTTP ${status}`)
        client.publish({ topic: `tocsin/in/${adapter}/bomb-${sent++}`, payload: bytes, qos: 1 })
        for (let waited = 0; acknowledged < sent && waited < 5_000; waited += 5) await sleep(5)
        if (acknowledged < sent) faults.add(`${what}: no PUBACK`)
      }
    }
    await client.disconnect()
    return {
      text: `${sent} over each, each refused and kept; the longest answer ${longest.ms.toFixed(0)} ms (${longest.what})`,
      faults: [...faults],
    }
  },
}

export const zipBombs: Attack = {
  name: 'zip-bomb',
  about: 'HTTP bodies with Content-Encoding gzip, br, deflate: 200 kB that are 200 MB',
  counts: { test: 5, full: 200 },
  async run({ http, count }) {
    const seen = new Map<string, number>()
    for (let i = 0; i < count; i++) {
      for (const [encoding, bytes] of Object.entries(bodies)) {
        const body = { adapter: 'senml', type: 'application/senml+json', bytes } as const
        const said = `${encoding} ${await post(http, body, { 'content-encoding': encoding })}`
        seen.set(said, (seen.get(said) ?? 0) + 1)
      }
    }
    return {
      text: [...seen].map(([said, times]) => `${said} ×${times}`).join(', '),
      faults: [...seen.keys()].filter((said) => !said.endsWith('415')),
    }
  },
}
