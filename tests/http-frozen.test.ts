// Readers over HTTP that stop reading: each costs the gateway at most 2 MB, and one that goes on reading later gets all of it.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createAccounting } from '../gateway/accounting.ts'
import { systemClock } from '../gateway/clock.ts'
import { createFanOut } from '../gateway/grpc/fan-out.ts'
import { createHttpServer } from '../gateway/http/server.ts'
import { streamRoutes } from '../gateway/http/stream.ts'
import { appendEvents, deviceEvent, openAccess, quietLogger, quietNotes } from './grpc-house.ts'
import { openTestLog } from './grpc-log.ts'

/** So many that what the log itself keeps of the load, some 13 MB, is little beside. */
const readers = 32
const batches = 40
const perBatch = 500

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function heldBytes(): Promise<number> {
  collect()
  await sleep(20)
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A socket that asks for the stream and reads nothing until it is told to. */
async function frozen(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.pause()
  await new Promise<void>((sent) => {
    socket.write('GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', () => sent())
  })
  return socket
}

/** Reads all that there is, and keeps only how often the words came. */
async function countIn(socket: Socket, words: string, until: number): Promise<number> {
  let count = 0
  let rest = ''
  socket.on('data', (chunk) => {
    const parts = (rest + chunk.toString('latin1')).split(words)
    count += parts.length - 1
    rest = parts.at(-1)?.slice(-words.length + 1) ?? ''
  })
  socket.resume()
  await expect.poll(() => count, { timeout: 60_000 }).toBe(until)
  return count
}

test('a frozen reader costs at most 2 MB, and has missed nothing when it reads on', { timeout: 120_000 }, async () => {
  const log = await openTestLog()
  const streams = createFanOut({ log, clock: systemClock })
  const server = createHttpServer({
    address: { host: '127.0.0.1', port: 0 },
    logger: quietLogger,
    notReady: () => [],
    metrics: {
      version: '0',
      accounting: createAccounting(),
      log,
      outputs: () => [],
      alarms: () => [],
    },
    api: {
      access: openAccess,
      clock: systemClock,
      notes: quietNotes,
      streams,
      routes: streamRoutes({ log, clock: systemClock, streams }),
    },
  })
  await server.start()
  const texts = [{ description: 'x'.repeat(800) }]
  const load = async (): Promise<void> => {
    for (let at = 0; at < batches; at++) {
      // oxlint-disable-next-line no-await-in-loop -- as fast as the log takes them, and no faster
      await appendEvents(
        log,
        Array.from({ length: perBatch }, (_, i) => deviceEvent(`gauge-${i % 40}`, { texts })),
      )
    }
  }
  try {
    // What the log keeps in memory is full from then on.
    await load()
    const before = await heldBytes()
    const sockets = await Promise.all(Array.from({ length: readers }, () => frozen(server.port)))
    await expect.poll(() => streams.metrics().streams).toBe(readers)
    await load()
    await expect.poll(() => streams.metrics().slowStreams, { timeout: 30_000 }).toBe(readers)
    const grownBytes = ((await heldBytes()) - before) / readers
    process.stdout.write(`${readers} frozen readers of 20 MB: ${Math.round(grownBytes / 1024)} KiB each\n`)
    expect(grownBytes).toBeLessThanOrEqual(2 << 20)
    expect(await countIn(sockets[0]!, '\ndata: {"lane":"routine"', batches * perBatch)).toBe(batches * perBatch)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => streams.metrics().streams).toBe(0)
  } finally {
    await server.close()
    await log.close()
  }
})
