// Somebody who has nothing to do with the trouble: a publisher and a subscriber of another topic, whose delays are measured from one
// clock. Beside what the broker does to them, the figures hold what this process and machine do.

import { createMqttClient } from '../faults/mqtt-client.ts'

export interface Bystander {
  /** Milliseconds of all that has come since the last call; what has not come counts with the time that it has waited. */
  take(): { readonly worstMs: number; readonly p99Ms: number; readonly count: number }
  stop(): Promise<void>
}

const perSecond = 100
const topic = 'calm/heartbeat'

export async function startBystander(port: number, id = 'bystander'): Promise<Bystander> {
  const sentMs = new Map<number, number>()
  let delaysMs: number[] = []
  let next = 0
  const subscriber = createMqttClient({
    port,
    clientId: `${id}-reads`,
    clean: true,
    onMessage({ payload }) {
      const n = Number(payload.toString())
      const sent = sentMs.get(n)
      if (sent === undefined) return
      sentMs.delete(n)
      delaysMs.push(performance.now() - sent)
    },
  })
  const publisher = createMqttClient({ port, clientId: `${id}-writes`, clean: true })
  await subscriber.connect()
  await subscriber.subscribe([topic], 1)
  await publisher.connect()
  const beat = setInterval(() => {
    sentMs.set(next, performance.now())
    publisher.publish({ topic, payload: String(next++), qos: 1 })
  }, 1_000 / perSecond)
  return {
    take() {
      const nowMs = performance.now()
      const all = [...delaysMs, ...[...sentMs.values()].map((sent) => nowMs - sent)].toSorted((a, b) => a - b)
      delaysMs = []
      return { worstMs: all.at(-1) ?? 0, p99Ms: all[Math.floor(all.length * 0.99)] ?? 0, count: all.length }
    },
    async stop() {
      clearInterval(beat)
      await publisher.disconnect()
      await subscriber.disconnect()
    },
  }
}
