// The clock offset, measured from a real SNTP server on loopback: what is believed, what is refused, and what becomes of it.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { createClockOffset, type ClockOffsetMeter } from '../gateway/clock-offset.ts'
import { systemClock } from '../gateway/clock.ts'
import { type SntpAnswer, querySntp } from '../gateway/sntp.ts'

const sockets: Socket[] = []
const meters: ClockOffsetMeter[] = []
afterEach(() => {
  for (const meter of meters.splice(0)) meter.stop()
  for (const socket of sockets.splice(0)) socket.close()
})

const fillRandom = (bytes: Uint8Array): void => void crypto.getRandomValues(bytes)
const ask = (port: number, timeoutMs = 1_000) =>
  querySntp({ host: '127.0.0.1', port }, { clock: systemClock, fillRandom, timeoutMs })

/** The offset is known to half of the round trip, which a loaded machine makes long; plus a clock that counts milliseconds. */
function expectWithin(answer: SntpAnswer, offsetMs: number): void {
  const halfTripMs = answer.outcome === 'measured' ? Number(answer.delayNs) / 2e6 : 0
  expect(Math.abs(ms(answer) - offsetMs)).toBeLessThanOrEqual(halfTripMs + 2)
}

describe('one question', () => {
  test('tells how far this clock is ahead of the server', async () => {
    const { port } = await serve(timeServer({ aheadMs: -250 }))
    const answer = await ask(port)
    expect(answer).toMatchObject({ outcome: 'measured', stratum: 2 })
    expectWithin(answer, 250)
  })

  test('tells how far it is behind, across the end of NTP’s first era in 2036', async () => {
    const yearsMs = 20 * 365 * 86_400_000
    const clock = { now: () => systemClock.now() + BigInt(yearsMs) * 1_000_000n, monotonic: systemClock.monotonic }
    const { port } = await serve(timeServer({ aheadMs: yearsMs + 500 }))
    const answer = await querySntp({ host: '127.0.0.1', port }, { clock, fillRandom })
    expectWithin(answer, -500)
  })

  test('gives away neither our time nor anything else', async () => {
    const { port, asked } = await serve(timeServer({}))
    await ask(port)
    await ask(port)
    const [first, second] = asked
    expect(first!.subarray(0, 40)).toEqual(Buffer.from([0x23, ...Array<number>(39).fill(0)]))
    expect(first!.subarray(40)).not.toEqual(second!.subarray(40))
  })

  const refusals: [why: string, change: (packet: Buffer) => void, reason: RegExp][] = [
    ['whose clock is not synchronised', (packet) => (packet[0] = 0xe4), /not synchronised/],
    ['of stratum 16', (packet) => (packet[1] = 16), /stratum 16/],
    ['that is no server', (packet) => (packet[0] = 0x23), /mode 3/],
    ['of a version that is not spoken', (packet) => (packet[0] = 0x3c), /version 7/],
    ['that gives no time', (packet) => packet.fill(0, 40), /no time/],
    ['that answered before it was asked', (packet) => packet.writeUInt32BE(packet.readUInt32BE(32) - 9, 40), /before/],
    ['that took longer than we waited', (packet) => packet.writeUInt32BE(packet.readUInt32BE(40) + 9, 40), /longer/],
    ['far from any reference', (packet) => packet.writeUInt32BE(2 * 65_536, 8), /off by 2.0 s/],
  ]
  test.each(refusals)('refuses a server %s', async (_why, change, reason) => {
    const { port } = await serve(timeServer({ change }))
    const answer = await ask(port)
    expect(answer.outcome).toBe('refused')
    expect(answer.outcome === 'refused' && answer.why).toMatch(reason)
  })

  test('believes no answer to another question, and waits for its own', async () => {
    const { port } = await serve((request, reply) => {
      const forged = timePacket(request, { aheadMs: 86_400_000 })
      forged.writeUInt32BE(7, 24)
      reply(forged)
      reply(Buffer.from('not a packet'))
      setTimeout(() => reply(timePacket(request, {})), 50)
    })
    expect(Math.abs(ms(await ask(port)))).toBeLessThan(60)
  })

  test('says that only strangers answered, when only strangers did', async () => {
    const { port } = await serve((request, reply) => reply(timePacket(request, {}).fill(1, 24, 32)))
    const answer = await ask(port, 200)
    expect(answer).toEqual({ outcome: 'unreachable', why: 'no answer to our question in 200 ms, but 1 others' })
  })

  test('notices a closed port at once', async () => {
    const { port, socket } = await serve(timeServer({}))
    socket.close()
    sockets.splice(sockets.indexOf(socket), 1)
    expect((await ask(port, 5_000)).outcome).toBe('unreachable')
  })

  test('hears a kiss-o’-death', async () => {
    const { port } = await serve(timeServer({ change: kiss('RATE') }))
    expect(await ask(port)).toEqual({ outcome: 'kiss_of_death', code: 'RATE' })
  })
})

describe('the meter', () => {
  test('sends nothing and knows nothing without servers', async () => {
    const { meter } = measure([])
    meter.start()
    await sleep(50)
    expect(meter.latest).toBeUndefined()
  })

  test('raises the alarm at 100 ms, keeps it at 90, clears it below 80', async () => {
    const options = { aheadMs: 0 }
    const { port } = await serve((request, reply) => reply(timePacket(request, options)))
    const { meter, alarms } = measure([`127.0.0.1:${port}`])
    const settled = async (offsetMs: number) =>
      await expect
        .poll(() => Math.abs((meter.latest?.offsetS ?? 9) * 1000 - offsetMs) < 5, { timeout: 3_000, interval: 5 })
        .toBe(true)
    const codes = () => alarms.list().map(({ code }) => code)

    meter.start()
    await settled(0)
    expect(codes()).toEqual([])
    options.aheadMs = -130
    await settled(130)
    expect(codes()).toEqual(['clock_offset'])
    expect(alarms.list()[0]!.text).toMatch(/1[23]\d ms ahead of its time servers/)
    options.aheadMs = -90
    await settled(90)
    expect(codes()).toEqual(['clock_offset'])
    options.aheadMs = 20
    await settled(-20)
    expect(codes()).toEqual([])
  })

  test('takes a slow answer for what it is: measured again, the fastest counts', async () => {
    let asked = 0
    const { port } = await serve((request, reply) => {
      asked += 1
      const late = asked % 4 === 1
      const packet = timePacket(request, {})
      if (late) setTimeout(() => reply(packet), 250)
      else reply(packet)
    })
    const { meter, raised } = measure([`127.0.0.1:${port}`])
    meter.start()
    await expect.poll(() => asked, { timeout: 5_000, interval: 5 }).toBeGreaterThan(12)
    expect(raised).toEqual([])
    expect(Math.abs(meter.latest!.offsetS)).toBeLessThan(0.03)
  })

  test('outvotes one wrong server among three', async () => {
    const ports = await Promise.all([0, 1, 60_000].map(async (aheadMs) => (await serve(timeServer({ aheadMs }))).port))
    const { meter, alarms } = measure(ports.map((port) => `127.0.0.1:${port}`))
    meter.start()
    await expect.poll(() => meter.latest?.servers, { timeout: 3_000 }).toBe(3)
    expect(Math.abs(meter.latest!.offsetS)).toBeLessThan(0.02)
    expect(alarms.list()).toEqual([])
  })

  test('never asks again after DENY, and more rarely after RATE', async () => {
    const deny = await serve(timeServer({ change: kiss('DENY') }))
    const rate = await serve(timeServer({ change: kiss('RATE') }))
    const good = await serve(timeServer({}))
    const { meter, said } = measure([deny, rate, good].map(({ port }) => `127.0.0.1:${port}`))
    meter.start()
    await expect.poll(() => good.asked.length, { timeout: 5_000, interval: 5 }).toBeGreaterThan(10)
    meter.stop()
    expect(deny.asked.length).toBe(1)
    expect(rate.asked.length).toBeLessThan(6)
    expect(said.filter((text) => text.includes('DENY'))).toHaveLength(1)
  })

  test('forgets what it measured when nobody answers any more', async () => {
    let isSilent = false
    const { port } = await serve((request, reply) => isSilent || reply(timePacket(request, {})))
    const { meter } = measure([`127.0.0.1:${port}`], 100)
    meter.start()
    await expect.poll(() => meter.latest?.servers, { timeout: 3_000 }).toBe(1)
    isSilent = true
    await expect.poll(() => meter.latest, { timeout: 3_000 }).toBeUndefined()
  })
})

function measure(servers: readonly string[], intervalMs = 20) {
  const said: string[] = []
  const say = (_details: object, text: string): void => void said.push(text)
  const raised: string[] = []
  const alarms = createAlarms(systemClock, ({ text }, isRaised) => void (isRaised && raised.push(text)))
  const logger = { debug: say, info: say, warn: say, error: say }
  const parts = {
    servers,
    intervalMs,
    clock: systemClock,
    alarms,
    logger,
    fillRandom,
    random: () => 0.5,
    timeoutMs: 500,
    burstSpacingMs: 5,
  }
  const meter = createClockOffset(parts)
  meters.push(meter)
  return { meter, alarms, said, raised }
}

interface Options {
  readonly aheadMs?: number
  readonly change?: (packet: Buffer) => void
}

type Answer = (request: Buffer, reply: (packet: Buffer) => void) => void

const timeServer =
  (options: Options): Answer =>
  (request, reply) =>
    reply(timePacket(request, options))

async function serve(answer: Answer) {
  const asked: Buffer[] = []
  const socket = createSocket('udp4')
  socket.on('message', (request, { port, address }) => {
    asked.push(request)
    answer(request, (packet) => sockets.includes(socket) && socket.send(packet, port, address))
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  sockets.push(socket)
  return { port: socket.address().port, socket, asked }
}

/** A server's answer, RFC 5905 §7.3, with its clock `aheadMs` ahead of the machine's. */
function timePacket(request: Buffer, { aheadMs = 0, change }: Options): Buffer {
  const packet = Buffer.alloc(48)
  packet[0] = 0x24
  packet[1] = 2
  packet.writeUInt32BE(655, 8)
  request.copy(packet, 24, 40, 48)
  const nowMs = Number(systemClock.now() / 1_000n) / 1_000 + aheadMs
  const seconds = Math.floor(nowMs / 1_000)
  const fraction = Math.floor((nowMs / 1_000 - seconds) * 2 ** 32)
  for (const at of [32, 40]) {
    packet.writeUInt32BE((seconds + 2_208_988_800) % 2 ** 32, at)
    packet.writeUInt32BE(fraction, at + 4)
  }
  change?.(packet)
  return packet
}

const kiss = (code: string) => (packet: Buffer) => {
  packet[1] = 0
  packet.write(code, 12, 'latin1')
}

function ms(answer: Awaited<ReturnType<typeof querySntp>>): number {
  if (answer.outcome !== 'measured') throw new Error(JSON.stringify(answer))
  return Number(answer.offsetNs) / 1e6
}
