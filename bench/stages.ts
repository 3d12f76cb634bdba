// What each pure stage of the way in costs: CPU microseconds for a message of row 1, in one thread without sockets and disk. Run it with
// `node bench/stages.ts` before and after a change; it is steadier than a whole gateway on a busy machine.

import { randomFillSync } from 'node:crypto'

import type { Frame } from '../adapters/adapter.ts'
import { senml } from '../adapters/senml/codec.ts'
import { createIds } from '../gateway/ids.ts'
import { createTagBudget, tagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import { createLines } from '../gateway/outputs/influxdb/line-protocol.ts'
import { newRowCounts, targetOf, writeRows } from '../gateway/outputs/influxdb/rows.ts'
import type { Sender, Transport } from '../gateway/inputs/receive.ts'
import { createGather } from '../gateway/log/gather.ts'
import { stampOf } from '../gateway/log/record.ts'
import { normalise } from '../gateway/normalise.ts'
import { keptFrame, newRecord } from '../gateway/pipeline.ts'
import { createRoutes } from '../gateway/routes.ts'
import { validate } from '../gateway/validate.ts'
import { encodeEvent } from '../proto/generated/encode.ts'
import { Label, MessageStatus } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'
import { createPackets } from './load-packets.ts'
import { spread } from './statistics.ts'

const count = 2_000
const rounds = 15
const warmUpRounds = 10

const topic = 'tocsin/in/senml/gauge-7'
const packets = createPackets(topic, 'gauge-7')
const receivedAt = 1_790_000_000_000_000_000n
const frames: Frame[] = Array.from({ length: count }, (_, n) => {
  const packet = packets(n, 1)
  return { bytes: packet.subarray(packet.indexOf('[{')), receivedAt, channel: topic }
})
const ids = createIds((bytes) => void randomFillSync(bytes))
const site = {
  gateway: 'bench',
  jurisdiction: 'local',
  owner: 'em.example',
  messageStatus: MessageStatus.ACTUAL,
  labels: [Label.OPS],
}
const sender: Sender = { name: 'mqtt:gauge-7', authenticity: 'unverified', link: 'mqtt' }
const transport: Transport = {
  qos: 1,
  retain: false,
  resent: false,
  resendKey: new Uint8Array(16),
  envelope: { qos: 1, clientId: 'gauge-7' },
}
const routes = createRoutes([
  { name: 'senml', adapter: senml, topics: ['tocsin/in/senml/#'], options: undefined, site },
])
const route = routes.find(topic, undefined)!
const decoder = route.decoderFor(frames[0]!)
const reading = { receivedAt, sender, adapter: senml, device: 'gauge-7', site, replayed: false }
const draftOf = (frame: Frame) => {
  const decoded = decoder.decode(frame)
  if (decoded.outcome !== 'events') throw new Error(decoded.why)
  return decoded.events[0]!
}
const drafts = frames.map(draftOf)
const events = drafts.map((draft) => normalise(draft, reading, ids))
const records = events.map((event, n) => newRecord(event, sender, frames[n]!, transport))
const reads = records.map((record, n) => ({
  fate: 'stored' as const,
  records: [record],
  eventIds: [events[n]!.id!],
  warnings: [],
}))
const kept = frames.map((frame, n) => keptFrame(ids.next(receivedAt), reads[n]!, sender, frame, route, transport))
const eventCodec = codec('tocsin.v1.Event')
const gather = createGather({ urgent: 1, routine: 1, frame: 1 })
const stamp = stampOf(receivedAt)
const lines = createLines()
const budget = createTagBudget(tagLimits, () => undefined)
const include = new Set<never>()
const rowCounts = newRowCounts()

const stages: Record<string, (n: number) => unknown> = {
  route: () => routes.find(topic, undefined),
  'JSON.parse alone': (n) => JSON.parse(Buffer.from(frames[n]!.bytes).toString()) as unknown,
  decode: (n) => draftOf(frames[n]!),
  normalise: (n) => normalise(drafts[n]!, reading, ids),
  validate: (n) => validate(events[n]!),
  'header and encoded event': (n) => newRecord(events[n]!, sender, frames[n]!, transport),
  'event encoded': (n) => encodeEvent(events[n]!),
  'the same by protobufjs': (n) => eventCodec.encode(events[n]!),
  'kept frame': (n) => keptFrame(kept[n]!.id!, reads[n]!, sender, frames[n]!, route, transport),
  gather(n) {
    gather.add(kept[n]!, reads[n]!.records, stamp)
    if (n === count - 1) for (const part of gather.finish(1, false).parts) gather.giveBack(part.bytes)
  },
  'event decoded again': (n) => eventCodec.decode(records[n]!.event),
  'InfluxDB rows'(n) {
    if (n === 0) lines.clear()
    if (targetOf(events[n]!, include, rowCounts))
      writeRows(events[n]!, { lines, budget, include, counts: rowCounts, sequence: n })
  },
}

for (const [name, stage] of Object.entries(stages)) {
  const micros: number[] = []
  for (let round = -warmUpRounds; round < rounds; round++) {
    const before = process.cpuUsage()
    for (let n = 0; n < count; n++) stage(n)
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) micros.push((user + system) / count)
  }
  const { median, min } = spread(micros)
  process.stdout.write(`${name.padEnd(26)} ${median.toFixed(2).padStart(6)} µs, least ${min.toFixed(2)}\n`)
}
