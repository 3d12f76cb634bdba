// Clients of MQTT 5 with a will and a delay: who vanishes and does not come back in time is mourned once, over a restart too, and nobody
// else is.

import { setTimeout as sleep } from 'node:timers/promises'
import { createMqttClient, type MqttClient } from '../faults/mqtt-client.ts'

export interface Mourners {
  /** Before the broker ends: some vanish, some come back, some say goodbye. */
  beforeTheEnd(): Promise<void>
  /** It runs again: some come back at once. */
  afterwards(): Promise<void>
  /** Some time later: who was not mourned as he should have been, in words. */
  verdict(): Promise<readonly string[]>
  readonly count: number
}

const keepAliveSeconds = 2
const pingEachMs = 300
const goodbyeMs = 300
const delaySeconds = 1
/** A restarted gateway waits one and a half times the keep-alive for who was there, and then the delay. */
const dueMs = 1_000 * (1.5 * keepAliveSeconds + delaySeconds)
const lateMs = 2_500
/** Longer than all that passes in a round. */
const longDelaySeconds = 5 * 86_400
const sessionExpirySeconds = 6 * 86_400

interface Fate {
  readonly name: string
  readonly isMourned: boolean
  readonly isLong?: boolean
  before?(client: MqttClient): Promise<void>
  after?(client: MqttClient): Promise<void>
}

const vanish = async (client: MqttClient): Promise<void> => client.drop()

const fates: readonly Fate[] = [
  { name: 'vanished', isMourned: true, before: vanish },
  { name: 'here-at-the-end', isMourned: true, after: vanish },
  { name: 'back-before', isMourned: false, before: async (client) => (client.drop(), client.connect()), after: back },
  { name: 'back-afterwards', isMourned: false, isLong: true, before: vanish, after: back },
  { name: 'not-yet', isMourned: false, isLong: true, before: vanish },
  { name: 'stayed', isMourned: false, after: back },
  { name: 'said-goodbye', isMourned: false, before: (client) => client.disconnect() },
]

async function back(client: MqttClient): Promise<void> {
  client.drop()
  await client.connect()
}

export async function startMourners(port: number, run: string): Promise<Mourners> {
  const root = `wills/${run}`
  const mourned = new Map<string, number>()
  const watcher = createMqttClient({
    port,
    clientId: `watcher-${run}`,
    mqtt5: { sessionExpirySeconds },
    onMessage({ topic }) {
      const name = topic.slice(root.length + 1)
      mourned.set(name, (mourned.get(name) ?? 0) + 1)
    },
  })
  await watcher.connect()
  await watcher.subscribe([`${root}/#`], 2)
  const clients = fates.map(({ name, isLong }) =>
    createMqttClient({
      port,
      clientId: `${name}-${run}`,
      keepAliveSeconds,
      mqtt5: { sessionExpirySeconds },
      will: {
        topic: `${root}/${name}`,
        payload: 'gone',
        qos: 2,
        properties: { willDelaySeconds: isLong ? longDelaySeconds : delaySeconds },
      },
    }),
  )
  for (const client of clients) await client.connect()
  const alive = setInterval(() => clients.forEach((client) => client.ping()), pingEachMs)
  return {
    count: fates.length,
    async beforeTheEnd() {
      for (const [i, { before }] of fates.entries()) await before?.(clients[i]!)
      // The last of them has heard nothing: DISCONNECT has no answer.
      await sleep(goodbyeMs)
    },
    async afterwards() {
      for (const [i, { after }] of fates.entries()) await after?.(clients[i]!)
      await watcher.connect()
    },
    async verdict() {
      await sleep(dueMs + lateMs)
      clearInterval(alive)
      const wrong = fates.flatMap(({ name, isMourned }) => {
        const times = mourned.get(name) ?? 0
        return times === (isMourned ? 1 : 0) ? [] : [`${run}: ${name} is mourned ${times} times`]
      })
      for (const client of [...clients, watcher]) await client.disconnect(0)
      return wrong
    },
  }
}
