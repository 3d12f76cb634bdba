// The faults of the network are what they say: a proxy that delays, throttles, falls silent or cuts does so in the direction it is
// told, and a storm is the same for the same seed.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from './faults/fault-disk.ts'
import { drawStorm, startTcpProxy, type TcpProxy } from './faults/tcp-proxy.ts'
import { pause, until } from './tools/broker.ts'

let server: Server
let served: Socket[]
let heard: Buffer
let proxy: TcpProxy

beforeEach(async () => {
  served = []
  heard = Buffer.alloc(0)
  server = createServer((socket) => {
    served.push(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => (heard = Buffer.concat([heard, bytes])))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await startTcpProxy((server.address() as { port: number }).port)
})
afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  served.forEach((socket) => socket.destroy())
  server.close()
})

async function client(): Promise<Socket & { got: Buffer; reset: boolean }> {
  const before = served.length
  const socket = Object.assign(connect(proxy.port, '127.0.0.1'), { got: Buffer.alloc(0), reset: false })
  socket.on('data', (bytes) => (socket.got = Buffer.concat([socket.got, bytes])))
  socket.on('error', (error) => (socket.reset = (error as { code?: string }).code === 'ECONNRESET'))
  await until(() => served.length > before, 'connected')
  return socket
}

test('in clear weather all bytes pass in order, both ways, and the end passes too', async () => {
  const socket = await client()
  const bytes = Buffer.alloc(3 << 20).map((_, i) => i * 7)
  socket.write(bytes)
  served[0]!.write(bytes)
  await until(() => heard.length === bytes.length && socket.got.length === bytes.length, 'all bytes')
  expect(heard.equals(bytes) && socket.got.equals(bytes)).toBe(true)
  served[0]!.end()
  await once(socket, 'end')
  socket.destroy()
})

test('a delay holds bytes back in its own direction only', async () => {
  const socket = await client()
  proxy.up.delayMs = 150
  const began = performance.now()
  socket.write('up')
  served[0]!.write('down')
  await until(() => socket.got.length > 0, 'down')
  const downMs = performance.now() - began
  await until(() => heard.length > 0, 'up')
  const upMs = performance.now() - began
  expect(upMs).toBeGreaterThanOrEqual(145)
  expect(downMs).toBeLessThan(upMs)
  socket.destroy()
})

test('a narrow link takes as long as its bytes take', async () => {
  const socket = await client()
  proxy.down.bytesPerSecond = 100_000
  const began = performance.now()
  for (let i = 0; i < 10; i++) served[0]!.write(Buffer.alloc(3_000))
  await until(() => socket.got.length === 30_000, 'thirty kilobytes')
  expect(performance.now() - began).toBeGreaterThanOrEqual(280)
  socket.destroy()
})

test('half open: nothing passes and nobody is told, until the weather clears and the connection is gone', async () => {
  const socket = await client()
  proxy.down.isSilent = true
  served[0]!.write('lost')
  socket.write('heard')
  await until(() => heard.toString() === 'heard', 'the other direction')
  await pause(50)
  expect([socket.got.length, socket.destroyed]).toEqual([0, false])
  proxy.heal()
  await once(socket, 'close')
  expect(socket.got.length).toBe(0)
})

test.each(['fin', 'rst'] as const)('a cut by %s ends both sides', async (how) => {
  const socket = await client()
  const closed = Promise.all([once(socket, 'close').catch(() => {}), once(served[0]!, 'close').catch(() => {})])
  proxy.cut(how)
  await closed
  expect(socket.reset).toBe(how === 'rst')
  expect(proxy.connections).toBe(0)
})

test('the same seed draws the same storm, another one another', () => {
  expect(drawStorm(seededRandom(1), 20)).toEqual(drawStorm(seededRandom(1), 20))
  expect(drawStorm(seededRandom(1), 20)).not.toEqual(drawStorm(seededRandom(2), 20))
  expect(new Set(drawStorm(seededRandom(3), 60).map(({ kind }) => kind)).size).toBe(6)
})
