// The doors: TCP, TLS with and without client certificates, WebSocket and WebSocket over TLS; and who is turned away at them.

import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import mqttClient, { type IClientOptions } from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import type { ConnectAttempt, Listener } from '../broker/broker.ts'
import { closeBrokers, startBroker, until, type TestBroker } from './tools/broker.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { connectPacket, mqtt, openRaw, pingPacket, publishPacket } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const authority = certificateAuthority('Test County')
const server = authority.issue('gateway', { ipAddresses: ['127.0.0.1'] })
const tls = { key: server.key, certificate: server.certificate }
const trusting = { ca: authority.certificate }

async function door(listener: Partial<Listener>): Promise<TestBroker & { readonly attempts: ConnectAttempt[] }> {
  const attempts: ConnectAttempt[] = []
  const started = await startBroker({
    listeners: [{ name: 'door', kind: 'tcp', address: '127.0.0.1', port: 0, ...listener }],
    authenticate: (attempt) => {
      attempts.push(attempt)
      return Promise.resolve({ name: attempt.certificate?.commonName ?? attempt.username ?? 'anybody' })
    },
  })
  return { ...started, attempts }
}

async function roundTrip(url: string, options: IClientOptions = {}): Promise<void> {
  const client = await mqttClient.connectAsync(url, { reconnectPeriod: 0, ...options })
  const got = new Promise((resolve) => client.once('message', (_topic, payload) => resolve(String(payload))))
  await client.subscribeAsync('a', { qos: 1 })
  const payload = 'x'.repeat(100_000)
  await client.publishAsync('a', payload, { qos: 1 })
  expect(await got).toBe(payload)
  await client.endAsync()
}

describe.each([4, 5] as const)('MQTT version %i goes through', (protocolVersion) => {
  test.each(['tcp', 'tls', 'ws', 'wss'] as const)('%s', async (kind) => {
    const { port, broker } = await door({ kind, tls })
    const scheme = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' }[kind]
    await roundTrip(`${scheme}://127.0.0.1:${port}`, { protocolVersion, ...trusting })
    await until(() => broker.counts().connections === 0, 'its place is free again')
  })
})

describe('TLS', () => {
  const mutual = { kind: 'tls', tls: { ...tls, clientAuthorities: authority.certificate } } as const
  const unit = authority.issue('engine-7', { uris: ['urn:unit:7'] })
  const shown = { ...trusting, key: unit.key, cert: unit.certificate }

  test('a client certificate that is verified is told to who authenticates', async () => {
    const { port, attempts, events } = await door(mutual)
    await roundTrip(`mqtts://127.0.0.1:${port}`, shown)
    await roundTrip(`mqtts://127.0.0.1:${port}`, trusting)
    expect(attempts[0]!.certificate).toMatchObject({ commonName: 'engine-7', subjectAltName: 'URI:urn:unit:7' })
    expect(attempts[0]!.certificate!.fingerprint256).toMatch(/^([0-9A-F]{2}:){31}/)
    expect(attempts[1]!.certificate).toBeUndefined()
    expect(events[0]).toMatchObject({
      kind: 'connected',
      principal: 'engine-7',
      address: '127.0.0.1',
      listener: 'door',
    })
  })

  test('over WebSocket too', async () => {
    const { port, attempts } = await door({ ...mutual, kind: 'wss' })
    await roundTrip(`wss://127.0.0.1:${port}`, shown)
    expect(attempts[0]!.certificate).toMatchObject({ commonName: 'engine-7' })
  })

  test.each(['tls', 'wss'] as const)('one of another authority is turned away (%s)', async (kind) => {
    const { port, attempts, broker } = await door({ ...mutual, kind })
    const other = certificateAuthority('Elsewhere').issue('engine-7')
    const url = `${kind === 'tls' ? 'mqtts' : 'wss'}://127.0.0.1:${port}`
    const client = mqttClient.connect(url, { ...trusting, key: other.key, cert: other.certificate, reconnectPeriod: 0 })
    client.on('error', () => {})
    await new Promise((resolve) => client.once('close', () => resolve(undefined)))
    await until(() => broker.counts().refused.certificate === 1, 'counted')
    expect(attempts).toEqual([])
    await client.endAsync(true)
  })

  test('where one is required, nobody comes in without', async () => {
    const { port, attempts } = await door({ ...mutual, tls: { ...mutual.tls, certificateRequired: true } })
    const socket = connectTls({ port, host: '127.0.0.1', ...trusting })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    expect(attempts).toEqual([])
    await roundTrip(`mqtts://127.0.0.1:${port}`, shown)
  })

  test.each([
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const)('%s: %s', async (version, welcome) => {
    const { port } = await door({ kind: 'tls', tls })
    const options: ConnectionOptions = {
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      ...trusting,
    }
    const socket = connectTls({ port, host: '127.0.0.1', ...options })
    const secured = await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    expect(secured).toBe(welcome)
    socket.destroy()
  })
})

test('a handshake that stops half-way is closed when its time is over', async () => {
  const started = await startBroker({
    listeners: [{ name: 'door', kind: 'tls', address: '127.0.0.1', port: 0, tls }],
    limits: { connectMsMax: 200 },
  })
  const socket = connect({ port: started.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  // A record of 512 bytes is announced, of which five come (RFC 8446 §5.1).
  socket.write(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3))
  await once(socket, 'close')
  await until(() => started.broker.counts().connections === 0, 'its place is free')
  expect(started.broker.counts().refused).toEqual({ certificate: 1 })
})

describe('WebSocket', () => {
  const attempt = async (port: number, protocols: string[], headers: Record<string, string> = {}): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, { headers })
    const outcome = await new Promise<string>((resolve) => {
      socket.once('open', () => resolve(socket.protocol))
      socket.once('error', (error) => resolve(error.message))
    })
    socket.terminate()
    return outcome
  }

  test('speaks only the subprotocol mqtt', async () => {
    const { port } = await door({ kind: 'ws' })
    expect(await attempt(port, ['mqtt'])).toBe('mqtt')
    expect(await attempt(port, ['chat', 'mqtt'])).toBe('mqtt')
    expect(await attempt(port, ['chat'])).toMatch(/400/)
  })

  test('lets in pages from here and from origins it was told, and no others', async () => {
    const { port } = await door({ kind: 'ws', origins: ['https://console.example'] })
    expect(await attempt(port, ['mqtt'], { origin: `http://127.0.0.1:8080` })).toBe('mqtt')
    expect(await attempt(port, ['mqtt'], { origin: 'https://console.example' })).toBe('mqtt')
    expect(await attempt(port, ['mqtt'], { origin: 'https://elsewhere.example' })).toMatch(/403/)
    expect(await attempt(port, ['mqtt'], { origin: 'https://a.example', host: 'a.example' })).toMatch(/403/)
    expect(await attempt(port, ['mqtt'], { origin: 'null' })).toMatch(/403/)
  })

  test('is closed at a frame of text, of which nothing is taken', async () => {
    const { port, received } = await door({ kind: 'ws' })
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['mqtt'])
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(connectPacket(), { binary: true })
    await new Promise((resolve) => socket.once('message', resolve))
    socket.send(publishPacket('t', { payload: 'binary', id: 1 }), { binary: true })
    socket.send(publishPacket('t', { payload: 'text', id: 2 }), { binary: false })
    await new Promise((resolve) => socket.once('close', resolve))
    expect(received.map(({ payload }) => String(payload))).toEqual(['binary'])
  })

  test('is no web server', async () => {
    const { port } = await door({ kind: 'ws' })
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426)
  })
})

describe('authentication', () => {
  test.each([
    ['credentials', 4, 0x86],
    ['not_allowed', 5, 0x87],
    ['unavailable', 3, 0x88],
  ] as const)('%s is answered %i, or %i in MQTT 5', async (refused, four, five) => {
    const { port, events } = await startBroker({ authenticate: () => Promise.resolve({ refused }) })
    for (const version of [4, 5] as const) {
      const raw = await openRaw(port)
      raw.send(connectPacket({ version, clientId: 'c' }))
      expect((await raw.packet(mqtt.connack)).body[1]).toBe(version === 5 ? five : four)
      await raw.closed
    }
    expect(events).toEqual([{ kind: 'refused', address: '127.0.0.1', listener: 'tcp', clientId: 'c', why: refused }])
  })

  test('that fails or never answers is unavailable', async () => {
    for (const authenticate of [
      () => Promise.reject(new Error('directory down')),
      () => new Promise<never>(() => {}),
    ]) {
      const { port } = await startBroker({ authenticate, limits: { authenticateMsMax: 50 } })
      const raw = await openRaw(port)
      raw.send(connectPacket())
      expect((await raw.packet(mqtt.connack)).body[1]).toBe(3)
    }
  })

  test('is given what the client said, and nothing is read before its answer', async () => {
    const { url, attempts, received } = await door({})
    const client = await mqttClient.connectAsync(url, {
      clientId: 'g',
      username: 'u',
      password: 'p',
      protocolVersion: 5,
    })
    await client.endAsync()
    expect(attempts).toEqual([
      {
        clientId: 'g',
        username: 'u',
        password: Buffer.from('p'),
        address: '127.0.0.1',
        protocolVersion: 5,
        listener: 'door',
      },
    ])
    expect(received).toEqual([])
  })
})

describe('too many', () => {
  const turnedAway = async (port: number): Promise<boolean> => {
    const raw = await openRaw(port)
    raw.send(connectPacket({ clientId: `c${Math.random()}` }))
    return raw.packet(mqtt.connack).then(
      () => false,
      () => true,
    )
  }

  test.each([
    ['connections', { connectionsMax: 3 }],
    ['address_connections', { connectionsPerAddressMax: 3 }],
    ['connect_rate', { connectsBurst: 3, connectsPerSecond: 0.001 }],
  ] as const)('%s', async (why, limits) => {
    const { port, broker } = await startBroker({ limits })
    for (let i = 0; i < 3; i++) expect(await turnedAway(port)).toBe(false)
    expect(await turnedAway(port)).toBe(true)
    expect(broker.counts()).toMatchObject({ connections: 3, refused: { [why]: 1 } })
  })
})

test('a port that is taken fails the start, and nothing stays open', async () => {
  const { port } = await startBroker()
  const free: Listener = { name: 'free', kind: 'tcp', address: '127.0.0.1', port: 0 }
  await expect(startBroker({ listeners: [free, { ...free, name: 'taken', port }] })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('closing tells MQTT 5 clients, sends no wills, and ends quickly', async () => {
  const { broker, port, received } = await startBroker()
  const raw = await openRaw(port)
  raw.send(connectPacket({ version: 5, will: { topic: 'w', payload: 'x' } }))
  raw.send(pingPacket)
  await raw.packet(mqtt.pingresp)
  const began = performance.now()
  await broker.close()
  expect(performance.now() - began).toBeLessThan(1_000)
  expect((await raw.packet(mqtt.disconnect)).body[0]).toBe(0x8b)
  expect(received).toEqual([])
})
