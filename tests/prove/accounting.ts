// The accounting identity: received = stored + duplicate + ignored + carried + refused + not taken + pending, in every scrape, under a
// load of good, broken, unread, forbidden and resent messages, and through kills.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createMqttClient, type QoS } from '../faults/mqtt-client.ts'
import { accountingFault, scrape, watchAccounting } from './metrics.ts'
import { startPeer } from './peer.ts'
import { found, number, type Row } from './row.ts'

export const accounting: Row = {
  name: 'accounting',
  promise: 'received = stored + duplicate + ignored + carried + refused + not taken + pending, in every scrape',
  wanted: 'always exact',
  unit: 'messages',
  counts: { test: 3_000, proof: 100_000, night: 2_000_000 },
  async run({ seed, count, say }) {
    const tocsin = await found(async () => {
      await using peer = await startPeer('tocsin')
      const random = seededRandom(seed)
      const watch = watchAccounting(peer, 20)
      let sent = 0
      const clients = Array.from({ length: 4 }, (_, i) => createMqttClient({ port: peer.port, clientId: `mixed-${i}` }))
      for (const kills of [0, 1]) {
        if (kills > 0) {
          await peer.kill()
          await peer.start()
        }
        for (const client of clients) await client.connect()
        for (const until = (count / 2) * (kills + 1); sent < until;) {
          await sleep(1)
          for (const client of clients) {
            while (client.inFlight < 50 && sent < until) {
              client.publish({ ...drawn(random()), qos: Math.floor(random() * 3) as QoS })
              sent += 1
            }
          }
        }
        for (let ms = 0; clients.some(({ inFlight }) => inFlight > 0) && ms < 15_000; ms += 20) await sleep(20)
      }
      await watch.stop()
      const last = await scrape(peer.gateway!.http)
      const fates = ['stored', 'ignored', 'carried', 'refused'].map((fate) => {
        return `${fate} ${number(last.total('tocsin_frames_total', { fate }))}`
      })
      const pending = last.total('tocsin_frames_pending')
      const faults = [...watch.faults, ...[accountingFault(last) ?? []].flat()]
      say(`tocsin: after the kill ${fates.join(', ')}, pending ${pending}`)
      for (const client of clients) await client.disconnect()
      return {
        text: `${faults.length} of ${number(watch.scrapes)} scrapes wrong, ${number(sent)} messages`,
        met: faults.length === 0 && pending === 0 && watch.scrapes > 2,
        details: faults.slice(0, 5),
      }
    })
    return { findings: { tocsin } }
  },
}

/** One of each fate there is. */
function drawn(chance: number): { topic: string; payload: string } {
  const n = Math.floor(chance * 1e9)
  if (chance < 0.4) return { topic: 'tocsin/in/senml/gauge', payload: `[{"n":"count","u":"count","v":${n}}]` }
  if (chance < 0.6) return { topic: 'tocsin/in/senml/gauge', payload: `[{"n":"count","v":` }
  if (chance < 0.8) return { topic: 'between/others', payload: String(n) }
  if (chance < 0.9) return { topic: 'tocsin/v1/forged', payload: String(n) }
  return { topic: 'tocsin/in/senml/gauge', payload: '[]' }
}
