// Consoles that stop reading: the others do not notice, and the gateway holds two batches for each. The consoles run in a process
// of their own, so that what is measured here is the gateway. TOCSIN_FROZEN_S sets the seconds of each part, TOCSIN_FROZEN_RATE
// the records of each second.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { deviceEvent, openHouse, urgentEvent, type House } from './grpc-house.ts'
import { startChild, type Child } from './tools/child.ts'

const partSeconds = Number(process.env['TOCSIN_FROZEN_S'] ?? 3)
const pairs = 3
const recordsPerSecond = Number(process.env['TOCSIN_FROZEN_RATE'] ?? 500)
const chunksPerSecond = 50

interface Report {
  readonly records: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

async function startConsoles(house: House, count: number): Promise<Child> {
  const script = join(import.meta.dirname, 'clients/consoles.ts')
  const child = startChild(process.execPath, [script, house.target, String(count)])
  await child.waitFor('live', 15_000)
  return child
}

/** Five of the fifty decode what they get; the last, which freezes, is not among them. */
const partRecords = 5 * recordsPerSecond * partSeconds

async function ask(consoles: Child): Promise<Report> {
  const before = consoles.stdout.length
  consoles.stdin.write('report\n')
  await expect.poll(() => consoles.stdout.slice(before)).toMatch(/\}\n$/)
  return JSON.parse(consoles.stdout.slice(before)) as Report
}

/** When all that was sent to those who read has come. */
async function report(consoles: Child): Promise<Report> {
  await expect.poll(async () => (await ask(consoles)).records, { timeout: 30_000 }).toBe(partRecords)
  const whole = await ask(consoles)
  consoles.stdin.write('anew\n')
  return whole
}

/** Steady load, each record about 1 kB, as a thousand gauges would make it. */
async function load(house: House, seconds: number): Promise<void> {
  const perChunk = recordsPerSecond / chunksPerSecond
  const texts = [{ description: 'x'.repeat(800) }]
  const startMs = performance.now()
  for (let chunk = 0; chunk < seconds * chunksPerSecond; chunk++) {
    const events = Array.from({ length: perChunk }, (_, i) => deviceEvent(`gauge-${i}`, { texts }))
    // oxlint-disable-next-line no-await-in-loop -- the load keeps its own pace
    await Promise.all([
      house.append(...events),
      sleep(Math.max(0, startMs + (chunk * 1_000) / chunksPerSecond - performance.now())),
    ])
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What the log and the batches keep in memory is full from then on: it is not what a frozen console costs. */
async function fillCaches(house: House): Promise<void> {
  const texts = [{ description: 'x'.repeat(800) }]
  const events = () => Array.from({ length: 500 }, (_, i) => deviceEvent(`gauge-${i % 40}`, { texts }))
  // oxlint-disable-next-line no-await-in-loop -- as fast as the log takes them, and no faster
  for (let i = 0; i < 40; i++) await house.append(...events())
  await expect.poll(() => house.server.metrics().records, { timeout: 60_000 }).toBe(50 * 40 * 500)
}

/** What the process holds after a collection: objects, and buffers outside of the heap. */
async function heldBytes(): Promise<number> {
  collect()
  await sleep(20)
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

test(
  'one frozen console among fifty costs the gateway at most 2 MB, and the others nothing',
  async () => {
    await using house = await openHouse()
    await using consoles = await startConsoles(house, 50)
    await fillCaches(house)
    // Sent is not yet read: what is on its way would be counted to the first part.
    await expect.poll(async () => (await ask(consoles)).records, { timeout: 60_000 }).toBe(5 * 40 * 500)
    consoles.stdin.write('anew\n')
    const measured: { withoutMs: number; withMs: number; grownBytes: number }[] = []
    for (let pair = 0; pair < pairs; pair++) {
      await load(house, partSeconds)
      const without = await report(consoles)
      const heldBefore = await heldBytes()
      consoles.stdin.write('freeze\n')
      await load(house, partSeconds)
      const frozen = await report(consoles)
      const heldAfter = await heldBytes()
      const { slowStreams, streams } = house.server.metrics()
      expect({ slowStreams, streams }).toEqual({ slowStreams: 1, streams: 50 })
      measured.push({ withoutMs: without.p99Ms, withMs: frozen.p99Ms, grownBytes: heldAfter - heldBefore })
      consoles.stdin.write('thaw\n')
      await expect.poll(() => house.server.metrics().slowStreams, { timeout: 15_000 }).toBe(0)
    }
    process.stdout.write(`${JSON.stringify(measured)}\n`)
    expect(median(measured.map(({ grownBytes }) => grownBytes))).toBeLessThanOrEqual(2 << 20)
    // As without it, within the noise of a machine that does other things too; one that held others up would do so for seconds.
    const worse = median(measured.map(({ withMs, withoutMs }) => withMs - withoutMs))
    expect(worse).toBeLessThanOrEqual(10 + median(measured.map(({ withoutMs }) => withoutMs)))
  },
  120_000 + pairs * 2 * partSeconds * 1_000,
)

test('a console whose machine stopped is noticed and cut', async () => {
  await using house = await openHouse({ keepalive: { timeMs: 500, timeoutMs: 500 } })
  await using consoles = await startConsoles(house, 3)
  consoles.signal('SIGSTOP')
  await load(house, 1)
  await expect.poll(() => house.server.metrics().streams, { timeout: 8_000 }).toBe(0)
  consoles.signal('SIGCONT')
})

test('readers with the same filter at the same place share the bytes', async () => {
  await using house = await openHouse()
  const client = house.client()
  const readers = Array.from({ length: 20 }, () =>
    client.subscribe({ start: 'latest', latest: {}, filter: { devices: ['gauge-1'] } }),
  )
  for (const reader of readers) await reader.until(() => reader.count('caughtUp') === 1)
  await load(house, 1)
  await house.append(urgentEvent('the end'))
  for (const reader of readers) await reader.until(() => reader.records.some(({ lane }) => lane === 1))
  const perDevice = chunksPerSecond
  for (const reader of readers) expect(reader.records).toHaveLength(perDevice + 1)
  const { assembled, messages } = house.server.metrics()
  expect(messages).toBeGreaterThan(20 * 40)
  // Each message was put together about once for all twenty.
  expect(assembled).toBeLessThan(messages / 10)
})
