// Rapid reset: a connection that opens and resets streams again and again is cut, and one that cancels now and then is not.

import { once } from 'node:events'
import { connect, createServer, type ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { boundResets } from '../gateway/grpc/resets.ts'
import { until } from './tools/broker.ts'

async function start() {
  let now = 0n
  const server = createServer()
  let streams = 0
  server.on('stream', (stream) => {
    streams++
    stream.on('error', () => {})
  })
  server.on('session', (session) => session.on('error', () => {}))
  const counts = boundResets(server, { monotonic: () => now })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => {})
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  async function reset(count: number): Promise<void> {
    for (let i = 0; i < count && !session.destroyed; i++) {
      const [before, stream] = [streams, session.request({ ':method': 'POST' }, { endStream: false })]
      stream.on('error', () => {})
      await until(() => streams > before || session.destroyed, 'it is open')
      stream.close(8)
    }
  }
  return { counts, session, reset, wait: (seconds: number) => (now += BigInt(seconds) * 1_000_000_000n) }
}

test('more than a hundred at once end the connection', async () => {
  const { counts, session, reset } = await start()
  await reset(150)
  await until(() => session.destroyed, 'it is cut')
  expect(counts).toEqual({ cut: 1 })
})

test('so many in three seconds each do not', async () => {
  const { counts, session, reset, wait } = await start()
  for (let round = 0; round < 4; round++) {
    await reset(90)
    wait(3)
  }
  expect(session.destroyed).toBe(false)
  expect(counts).toEqual({ cut: 0 })
})
