// The MQTT output: a reader of the log that publishes each event on a topic that says what it is, as protobuf and as ProtoJSON. Its
// promise: subscribers get what the configured view holds, urgent before routine, in the order of the log; what nobody asks for is
// not made, and nothing is kept for those who were not there.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OutgoingMessage } from '../../../broker/port.ts'
import { encodeEvent } from '../../../proto/generated/encode.ts'
import { EventKind, MessageStatus } from '../../../proto/generated/types.ts'
import type { Event } from '../../../proto/generated/types.ts'
import { codec } from '../../../proto/wire.ts'
import type { Logger } from '../../logger.ts'
import type { StoredRecord } from '../../log/log.ts'
import { type Included, labelWithheld, mayTellPlace } from '../../policy/configured-view.ts'
import { redact } from '../../policy/redact.ts'
import type { Output } from '../output.ts'
import { type MqttOutMetrics, newMqttOutMetrics } from './metrics.ts'
import { eventRoot, eventTopic, jsonLevel } from './topic.ts'

export interface MqttOutput extends Output {
  metrics(): Readonly<MqttOutMetrics>
}

export interface MqttOutParts {
  readonly broker: {
    publish(message: OutgoingMessage): Promise<void>
    isWanted(topic: string): boolean
    isWantedBelow(root: string): boolean
  }
  readonly logger: Logger
  readonly include: readonly Included[]
}

/** As the broker and its subscribers take them: a batch is with them before the next is read. */
const batch = { records: 1_000, bytes: 4 << 20, gatherMs: 0 }
/** Records between two turns of the event loop, so that acknowledgements do not wait for subscribers. */
const recordsPerTurn = 100

export const protobufType = 'application/vnd.tocsin.event+protobuf'
const jsonType = 'application/json'
const eventCodec = codec('tocsin.v1.Event')

export function createMqttOutput({ broker, logger, include }: MqttOutParts): MqttOutput {
  const metrics = newMqttOutMetrics()
  const included = new Set(include)

  async function deliver(records: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    // Mostly nobody listens, and then no record is opened.
    if (!broker.isWantedBelow(eventRoot)) {
      metrics.unasked += records.length
      return
    }
    const given: Promise<void>[] = []
    for (const [index, record] of records.entries()) {
      if (index % recordsPerTurn === recordsPerTurn - 1) await nextTurn(undefined, { signal })
      if (!isHeld(record)) publish(record, given)
    }
    await Promise.all(given)
  }

  /** Told by its header, so that most are never opened. */
  function isHeld({ header, removed }: StoredRecord): boolean {
    const { leftOut, withheld } = metrics
    if (removed) leftOut.removed++
    else if (header.kind === EventKind.COMMAND) leftOut.command++
    else if (!header.messageStatus || header.messageStatus === MessageStatus.DRAFT) leftOut.draft++
    else {
      const label = labelWithheld(header.labels ?? 0, included)
      if (!label) return false
      withheld[label]++
    }
    return true
  }

  function publish(record: StoredRecord, given: Promise<void>[]): void {
    const topic = eventTopic(record.header, record.lane)
    const jsonTopic = `${topic}/${jsonLevel}`
    const [asProtobuf, asJson] = [broker.isWanted(topic), broker.isWanted(jsonTopic)]
    if (!asProtobuf && !asJson) {
      metrics.unasked++
      return
    }
    const seen = view(record)
    if (!seen) return
    if (asProtobuf) {
      metrics.published.protobuf++
      given.push(give(topic, seen.bytes, protobufType))
    }
    if (asJson) {
      metrics.published.json++
      given.push(give(jsonTopic, Buffer.from(JSON.stringify(eventCodec.toJson(seen.event))), jsonType))
    }
  }

  /** QoS 2 is the most there is: each subscriber gets it at the QoS that was granted to it. */
  const give = (topic: string, payload: Uint8Array, contentType: string): Promise<void> =>
    broker.publish({ topic, payload, qos: 2, retain: false, properties: { contentType } })

  /** What subscribers may see of it; undefined: nothing, and `metrics` says why. */
  function view(record: StoredRecord): { event: Event; bytes: Uint8Array } | undefined {
    let event: Event
    try {
      event = eventCodec.decode(record.event)
    } catch (error) {
      metrics.leftOut.unreadable++
      const { lane, sequence } = record
      logger.error({ err: error, lane, sequence }, 'an event cannot be read for MQTT')
      return undefined
    }
    if (event.body === 'position' && !mayTellPlace(event, included)) {
      metrics.withheld.law_enforcement_position++
      return undefined
    }
    const isRedacted = redact(event, included).size > 0
    if (!isRedacted) return { event, bytes: record.event }
    metrics.redacted++
    return { event, bytes: encodeEvent(event) }
  }

  return {
    name: 'mqtt',
    start: 'latest',
    batch,
    deliver,
    missed(_lane, missing) {
      metrics.missed += missing.to - missing.from + 1
    },
    metrics: () => metrics,
    close: () => Promise.resolve(),
  }
}
