// Who subscribes right after the acknowledgement of a retained message sees it, always. Publisher and
// subscriber are two connections, so nothing but the broker itself makes one come before the other.

import { seededRandom } from '../faults/fault-disk.ts'
import { createMqttClient } from '../faults/mqtt-client.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const retained: Row = {
  name: 'retained',
  promise: 'subscribed right after the acknowledgement of a retained message: not seen, or an older one',
  wanted: '0',
  unit: 'tries',
  counts: { test: 500, proof: 20_000, night: 100_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context)) }),
}

const topics = 200
/** Pairs of a publisher and a subscriber at work at once. */
const pairs = 8
const lateMs = 2_000

async function scenario(name: PeerName, { seed, count, say }: RowContext): Promise<Finding> {
  await using peer = await startPeer(name)
  const wrong: string[] = []
  let tried = 0
  await Promise.all(Array.from({ length: pairs }, (_, pair) => work(pair)))
  return {
    text: `${number(wrong.length)} of ${number(tried)} tries`,
    ...(name === 'tocsin' && { met: wrong.length === 0 && tried >= count }),
    details: wrong.slice(0, 10),
  }

  async function work(pair: number): Promise<void> {
    const random = seededRandom(seed + pair)
    let acknowledged: (() => void) | undefined
    let arrived: ((payload: string) => void) | undefined
    const publisher = createMqttClient({
      port: peer.port,
      clientId: `publisher-${pair}`,
      onAcknowledged: () => acknowledged?.(),
    })
    const subscriber = createMqttClient({
      port: peer.port,
      clientId: `subscriber-${pair}`,
      clean: true,
      onMessage: ({ payload, retain }) => retain && arrived?.(payload.toString()),
    })
    await publisher.connect()
    await subscriber.connect()
    for (let n = 0; tried < count; n++) {
      tried += 1
      if (tried % Math.ceil(count / 4) === 0) say(`${name}: ${number(tried)} tries, ${wrong.length} wrong`)
      const topic = `state/${pair}/${Math.floor(random() * topics)}`
      const payload = `${n}`
      const accepted = new Promise<void>((resolve) => (acknowledged = resolve))
      publisher.publish({ topic, payload, qos: random() < 0.8 ? 1 : 2, retain: true })
      await accepted
      const seen = new Promise<string>((resolve) => (arrived = resolve))
      const late = setTimeout(() => arrived?.('nothing'), lateMs)
      await subscriber.subscribe([topic], 1)
      const got = await seen
      clearTimeout(late)
      if (got !== payload) wrong.push(`${topic}: ${payload} was acknowledged, and ${got} came`)
      arrived = undefined
      await subscriber.unsubscribe([topic])
    }
    await publisher.disconnect()
    await subscriber.disconnect()
  }
}
