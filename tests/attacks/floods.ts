// More of everything over MQTT than anybody needs: wills, retained messages, subscriptions, packets above the limit and as many packets as
// the line carries.

import { setTimeout as sleep } from 'node:timers/promises'
import { connectPacket, publishPacket, subscribePacket } from '../tools/raw-mqtt.ts'
import type { Attack } from './attack.ts'
import { dropAll, type Held, open, openMany, openOf, pour, watchClosing } from './sockets.ts'

async function enter(port: number, clientId: string, options: Parameters<typeof connectPacket>[0] = {}): Promise<Held> {
  const one = open(port)
  one.socket.write(connectPacket({ clientId, ...options }))
  for (let ms = 0; ms < 5_000 && one.received.length === 0 && one.closedMs === undefined; ms += 5) await sleep(5)
  return one
}

export const willFlood: Attack = {
  name: 'will-flood',
  about: 'clients with wills of 60 kB that all vanish at once',
  counts: { test: 200, full: 2_000 },
  async run({ mqtt, count }) {
    let n = 0
    const held = await openMany(count, () => {
      const one = open(mqtt)
      const will = { topic: `wills/${n}`, payload: 'w'.repeat(60_000) }
      one.socket.write(connectPacket({ clientId: `will-${n++}`, will }))
      return one
    })
    await sleep(1_000)
    const letIn = held.filter(({ received }) => received[0] === 0x20 && received[3] === 0).length
    held.forEach(({ socket }) => socket.resetAndDestroy())
    await sleep(2_000)
    return {
      text: `${letIn} of ${count} let in, vanished at once: ${Math.round(letIn * 0.06)} MB of last words`,
      faults: [],
    }
  },
}

export const retainedFlood: Attack = {
  name: 'retained-flood',
  about: 'retained messages of 1 kB, each on a topic of its own',
  counts: { test: 5_000, full: 100_000 },
  async run({ mqtt, count }) {
    const one = await enter(mqtt, 'retains')
    const payload = 'r'.repeat(1_000)
    const perWrite = 100
    for (let n = 0; n < count && !one.socket.destroyed; n += perWrite) {
      const packets = Array.from({ length: perWrite }, (_, i) =>
        publishPacket(`flood/${n + i}`, { id: ((n + i) % 60_000) + 1, retain: true, payload }),
      )
      if (!one.socket.write(Buffer.concat(packets))) {
        await Promise.race([new Promise((resolve) => one.socket.once('drain', resolve)), sleep(1_000)])
      }
    }
    await sleep(2_000)
    const isCut = one.closedMs !== undefined
    one.socket.destroy()
    return { text: `${count} topics${isCut ? ', cut' : ''}; at most 50,000 and 64 MB are kept`, faults: [] }
  },
}

export const subscriptionFlood: Attack = {
  name: 'subscriptions',
  about: 'clients that each subscribe to 2,000 filters of sixteen levels',
  counts: { test: 5, full: 100 },
  async run({ mqtt, count }) {
    const clients = await Promise.all(Array.from({ length: count }, (_, n) => enter(mqtt, `subscribes-${n}`)))
    for (const [c, { socket }] of clients.entries()) {
      for (let n = 0; n < 2_000; n += 100) {
        const filters = Array.from({ length: 100 }, (_, i) => `s${c}/${n + i}/+/${'l/'.repeat(12)}#`)
        socket.write(subscribePacket(filters, 1, n + 1))
      }
    }
    await sleep(3_000)
    dropAll(clients)
    return { text: `${count * 2_000} filters asked for; 1,000 of each client are granted`, faults: [] }
  },
}

export const oversize: Attack = {
  name: 'oversize',
  about: 'CONNECT and PUBLISH that announce 268,435,455 bytes and send them',
  counts: { test: 20, full: 300 },
  async run({ mqtt, count }) {
    const announce = Buffer.of(0xff, 0xff, 0xff, 0x7f)
    const junk = Buffer.alloc(64 << 10, 'x')
    const begun = await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const one = n % 2 === 0 ? open(mqtt) : await enter(mqtt, `large-${n}`)
        one.socket.write(Buffer.concat([Buffer.of(n % 2 === 0 ? 0x10 : 0x32), announce, Buffer.of(0, 4)]))
        return one
      }),
    )
    const bytes = await Promise.all(begun.map((one) => pour(one, junk, 3_000)))
    const { left, longestMs } = await watchClosing(begun, 3_000)
    dropAll(begun)
    return {
      text: `${count} packets, ${(bytes.reduce((sum, each) => sum + each, 0) / 1e6).toFixed(1)} MB handed to the system, the last cut after ${longestMs.toFixed(0)} ms`,
      faults: left > 0 ? [`${left} still open`] : [],
    }
  },
}

export const packetFlood: Attack = {
  name: 'packet-flood',
  about: 'PUBLISH at QoS 1 without end, from many connections, and answers that are not read',
  counts: { test: 4, full: 20 },
  async run({ mqtt, count, seconds }) {
    const clients = await Promise.all(Array.from({ length: count }, (_, n) => enter(mqtt, `pours-${n}`)))
    const payload = '[{"n":"level","u":"m","v":1}]'
    const bytes = Buffer.concat(
      Array.from({ length: 500 }, (_, i) => publishPacket('tocsin/in/senml/flood', { id: i + 1, payload })),
    )
    const sent = await Promise.all(clients.map((one) => pour(one, bytes, seconds * 1_000)))
    const cut = count - openOf(clients)
    dropAll(clients)
    const messages = Math.round((sent.reduce((sum, each) => sum + each, 0) / bytes.length) * 500)
    return { text: `${messages.toLocaleString('en')} messages from ${count} connections, ${cut} cut`, faults: [] }
  },
}
