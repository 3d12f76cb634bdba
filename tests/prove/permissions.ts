// The permission oracle: generated (filter, topic, policy), asked of a running broker. Nothing wider than its policy is granted, and
// nothing is delivered that the policy or the granted filters do not reach, whether live or retained, `$SYS` included.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashSecret } from '../../gateway/policy/secrets.ts'
import { type Random, seededRandom } from '../faults/fault-disk.ts'
import { createMqttClient, type MqttClient } from '../faults/mqtt-client.ts'
import { createTopicOracle, type TopicOracle } from '../faults/topic-oracle.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import { type PeerName, startPeer, type RunningPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const permissions: Row = {
  name: 'permissions',
  promise: 'generated (filter, topic, policy): leaks at subscribe and at delivery',
  wanted: '0',
  unit: 'triples',
  counts: { test: 20_000, proof: 100_000, night: 2_000_000 },
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context)),
    notes: [
      'too strict: refused although no wider than the policy; a filter that only several permitted ones together cover is refused',
      'mosquitto grants every filter and looks at each delivery alone, so it cannot leak at SUBSCRIBE',
    ],
  }),
}

const policiesCount = 24
const filtersEach = 6
const topicsEach = 60
const secret = 'correct horse battery'

interface Policy {
  readonly name: string
  readonly allowed: readonly string[]
  readonly client: MqttClient
  /** Granted filters of this round. */
  readonly granted: Set<string>
  readonly live: string[]
  readonly leaks: string[]
}

const counts = { triples: 0, granted: 0, refused: 0, wide: 0, strict: 0, delivered: 0, missing: 0 }
type Counts = typeof counts

async function scenario(name: PeerName, { seed, count, say }: RowContext): Promise<Finding> {
  const random = seededRandom(seed)
  const oracle = createTopicOracle()
  const drawn = Array.from({ length: policiesCount }, (_, i) => ({
    name: `reader-${i}`,
    allowed: Array.from({ length: 1 + Math.floor(random() * 3) }, () => oracle.drawFilter(random)),
  }))
  await using peer = await startWith(name, drawn)
  const policies = drawn.map((policy): Policy => {
    const found: Policy = {
      ...policy,
      granted: new Set(),
      live: [],
      leaks: [],
      client: createMqttClient({
        port: peer.port,
        clientId: policy.name,
        clean: true,
        username: policy.name,
        password: secret,
        onMessage: ({ topic, retain }) => {
          if (!retain) found.live.push(topic)
          const isPermitted = policy.allowed.some((filter) => oracle.matches(filter, topic))
          const isAsked = [...found.granted].some((filter) => oracle.matches(filter, topic))
          if (!isPermitted || !isAsked)
            found.leaks.push(`${topic} came to ${policy.name} (${policy.allowed.join(' ')})`)
        },
      }),
    }
    return found
  })
  for (const { client } of policies) await client.connect()
  const wrong: string[] = []
  const publisher = createMqttClient({
    port: peer.port,
    clientId: 'writer',
    clean: true,
    username: 'writer',
    password: secret,
    onLost: () => wrong.push(`the writer was cut: ${peer.lastWords.slice(-200)}`),
  })
  await publisher.connect()
  const sum: Counts = { ...counts }
  while (sum.triples < count && policies.every(({ leaks }) => leaks.length === 0)) {
    await round({ policies, publisher, oracle, random, sum, wrong, mayWriteSys: name === 'tocsin' })
    if ((sum.triples / (policiesCount * filtersEach * topicsEach)) % 5 === 0)
      say(`${name}: ${number(sum.triples)} triples`)
  }
  for (const { client } of [...policies, { client: publisher }]) await client.disconnect()
  const leaks = policies.flatMap((policy) => policy.leaks)
  say(`${name}: ${JSON.stringify(sum)}`)
  const atSubscribe = name === 'tocsin' ? `${sum.wide} at subscribe, ` : ''
  return {
    text: `${atSubscribe}${number(leaks.length)} at delivery in ${number(sum.triples)}; ${number(sum.missing)} missing of ${number(sum.delivered)}`,
    ...(name === 'tocsin' && {
      met: sum.wide + leaks.length + sum.missing === 0 && sum.granted > 0 && sum.refused > 0,
    }),
    details: [...(name === 'tocsin' ? wrong : wrong.filter((line) => !line.includes('was granted'))), ...leaks].slice(
      0,
      10,
    ),
  }
}

interface Round {
  readonly policies: readonly Policy[]
  readonly publisher: MqttClient
  readonly oracle: TopicOracle
  readonly random: Random
  readonly sum: Counts
  readonly wrong: string[]
  readonly mayWriteSys: boolean
}

async function round({ policies, publisher, oracle, random, sum, wrong, mayWriteSys }: Round): Promise<void> {
  await Promise.all(
    policies.map(async (policy) => {
      const filters = [...new Set(Array.from({ length: filtersEach }, () => oracle.drawFilter(random)))]
      // Retained messages come before SUBACK is read: what was asked for counts until it is known what was granted.
      for (const filter of filters) policy.granted.add(filter)
      const codes = await policy.client.subscribe(filters, 1)
      filters.forEach((filter, i) => {
        const isGranted = codes[i]! < 0x80
        const beyond = oracle.beyond(filter, policy.allowed)
        sum[isGranted ? 'granted' : 'refused'] += 1
        if (!isGranted) policy.granted.delete(filter)
        if (isGranted && beyond !== undefined) {
          sum.wide += 1
          wrong.push(`${filter} was granted to ${policy.allowed.join(' ')} and reaches ${beyond}`)
        }
        if (!isGranted && beyond === undefined) sum.strict += 1
      })
    }),
  )
  const drawn = new Set(Array.from({ length: topicsEach }, () => drawTopic(oracle, random)))
  // mosquitto cuts who writes there, and writes there itself.
  const topics = [...drawn].filter((topic) => mayWriteSys || !topic.startsWith('$SYS'))
  for (const topic of topics) publisher.publish({ topic, payload: 'x', qos: 1, retain: random() < 0.3 })
  const mine = topics.filter((topic) => !topic.startsWith('$'))
  const expected = policies.map(({ granted, allowed }) =>
    mine.filter((topic) =>
      [granted, allowed].every((list) => [...list].some((filter) => oracle.matches(filter, topic))),
    ),
  )
  const isThere = (): boolean => policies.every(({ live }, i) => expected[i]!.every((topic) => live.includes(topic)))
  for (let ms = 0; !(isThere() && publisher.inFlight === 0) && ms < 3_000; ms += 5) await sleep(5)
  // What nobody may have would come now.
  await sleep(30)
  for (const [i, policy] of policies.entries()) {
    sum.triples += filtersEach * topics.length
    sum.delivered += expected[i]!.length
    for (const topic of expected[i]!) {
      if (policy.live.includes(topic)) continue
      sum.missing += 1
      wrong.push(`${topic} did not come to ${policy.allowed.join(' ')} by ${[...policy.granted].join(' ')}`)
    }
    policy.live.length = 0
  }
  await Promise.all(
    policies.map(async ({ client, granted }) => {
      if (granted.size > 0) await client.unsubscribe([...granted])
      granted.clear()
    }),
  )
}

function drawTopic({ world }: TopicOracle, random: Random): string {
  // A fifth of the world is deep; most policies are about the shallow part.
  const shallow = random() < 0.8 ? world.filter((topic) => topic.split('/').length <= 3) : world
  return shallow[Math.floor(random() * shallow.length)]!
}

interface Drawn {
  readonly name: string
  readonly allowed: readonly string[]
}

async function startWith(name: PeerName, policies: readonly Drawn[]): Promise<RunningPeer> {
  const folder = tempFolder('policies')
  if (name === 'tocsin') {
    const settingsFile = join(folder, 'tocsin.yaml')
    const secret_hash = await hashSecret(Buffer.from(secret))
    const readers = policies.map(({ name: reader, allowed }) => ({ name: reader, secret_hash, subscribe: allowed }))
    const users = [...readers, { name: 'writer', secret_hash, publish: ['#'] }]
    // JSON is YAML.
    writeFileSync(settingsFile, JSON.stringify({ mqtt: { anonymous: false, users } }))
    return startPeer(name, { settingsFile })
  }
  const file = join(folder, 'acl')
  const lines = policies.flatMap(({ name: user, allowed }) => [
    `user ${user}`,
    ...allowed.map((filter) => `topic read ${filter}`),
  ])
  writeFileSync(file, [...lines, 'user writer', 'topic write #', 'topic write $x/#', ''].join('\n'), { mode: 0o600 })
  return startPeer(name, { mosquitto: `acl_file ${file}\nsys_interval 1` })
}
