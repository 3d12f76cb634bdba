// The MQTT output: a reader of the log that gives the broker each event on a topic that says what it is, as protobuf and as ProtoJSON.
// Its promise: subscribers get what the configured view holds, urgent before routine, in the order of the log; what nobody asks for
// is not made; a session that was away finds in the log what it missed.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageProperties } from '../../../broker/port.ts'
import type { DeliverableMessage, MessageSource } from '../../../broker/stored.ts'
import { EventKind, MessageStatus } from '../../../proto/generated/types.ts'
import type { Logger } from '../../logger.ts'
import { type Lane, lanes, type Log, type StoredRecord } from '../../log/log.ts'
import { type Included, labelsOfWhole, labelWithheld } from '../../policy/configured-view.ts'
import type { Output } from '../output.ts'
import { type MqttOutMetrics, newMqttOutMetrics } from './metrics.ts'
import { eventRoot, eventTopic, jsonLevel } from './topic.ts'
import { asJson, type Seen, viewOf } from './view.ts'

export interface MqttOutput extends Output {
  /** The lanes as the broker reads them, urgent first. */
  readonly sources: readonly MessageSource[]
  metrics(): Readonly<MqttOutMetrics>
}

export interface MqttOutParts {
  readonly broker: {
    deliver(source: MessageSource, messages: readonly DeliverableMessage[], through: number): void
    isWanted(topic: string): boolean
    isWantedBelow(root: string): boolean
  }
  readonly log: Pick<Log, 'read' | 'head' | 'bookmarks'>
  readonly logger: Logger
  readonly include: readonly Included[]
}

const name = 'mqtt'
/** As the broker and its subscribers take them: a batch is with them before the next is read. */
const batch = { records: 1_000, bytes: 4 << 20, gatherMs: 0 }
/** Records between two turns of the event loop, so that acknowledgements do not wait for subscribers. */
const recordsPerTurn = 100
/** Where a session that was away is read for. */
const scanned = { records: 500, bytes: 4 << 20 }

export const protobufType = 'application/vnd.tocsin.event+protobuf'
// No message expiry: of an alert `expires` is the product's and not the hazard's, and who was away is to hear of it all the same.
const protobufProperties: MessageProperties = { contentType: protobufType }
const jsonProperties: MessageProperties = { contentType: 'application/json', payloadFormatIndicator: 1 }

// A record gives two messages: as protobuf at twice its sequence, as JSON one above.
const numberOf = (sequence: number, json: boolean): number => sequence * 2 + (json ? 1 : 0)
const throughOf = (sequence: number): number => sequence * 2 + 1

export function createMqttOutput({ broker, log, logger, include }: MqttOutParts): MqttOutput {
  const metrics = newMqttOutMetrics()
  const included = new Set(include)
  // Both the loop that runs this output and the broker begin here.
  const bookmark = log.bookmarks.get(name) ?? log.head
  log.bookmarks.set(name, bookmark, { pins: true })
  const delivered = { ...bookmark }
  const unreadable = (error: unknown, { lane, sequence }: StoredRecord): void =>
    logger.error({ err: error, lane, sequence }, 'an event cannot be read for MQTT')

  const sourceOf = (lane: Lane): MessageSource => ({
    name: lane,
    urgent: lane === 'urgent',
    retains: false,
    get head() {
      return throughOf(delivered[lane])
    },
    fetch(number) {
      const sequence = Math.floor(number / 2)
      const record = log.read(lane, sequence - 1, { records: 1, bytes: 1 })?.records[0]
      if (record?.sequence !== sequence || heldBack(record) !== undefined) return undefined
      const seen = viewOf(record, included)
      return typeof seen === 'object' ? messageOf(record, seen, number % 2 === 1) : undefined
    },
    scan(after, _limit, wanted = () => true) {
      const slice = log.read(lane, Math.floor(after / 2), scanned)
      if (!slice) return undefined
      const messages = slice.records.flatMap((record) => {
        if (heldBack(record) !== undefined) return []
        const topic = eventTopic(record.header, record.lane)
        const forms = [false, true].filter((json) => wanted(json ? `${topic}/${jsonLevel}` : topic))
        const seen = forms.length > 0 ? viewOf(record, included) : 'nothing'
        return typeof seen === 'object' ? forms.map((json) => messageOf(record, seen, json)) : []
      })
      return { messages, through: throughOf(slice.through) }
    },
  })
  const sources: Readonly<Record<Lane, MessageSource>> = { urgent: sourceOf('urgent'), routine: sourceOf('routine') }

  async function deliver(records: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    for (const lane of lanes)
      await deliverLane(
        lane,
        records.filter((record) => record.lane === lane),
        signal,
      )
  }

  async function deliverLane(lane: Lane, records: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    // Mostly nobody listens, and then no record is opened.
    const isWanted = broker.isWantedBelow(eventRoot)
    if (!isWanted) metrics.unasked += records.length
    const turn = isWanted ? recordsPerTurn : Math.max(1, records.length)
    for (let from = 0; from < records.length; from += turn) {
      if (from > 0) await nextTurn(undefined, { signal })
      const some = records.slice(from, from + turn)
      const messages = isWanted ? some.flatMap(publish) : []
      delivered[lane] = some.at(-1)!.sequence
      broker.deliver(sources[lane], messages, throughOf(delivered[lane]))
    }
  }

  /** Told by its header, so that most are never opened. */
  function heldBack({ header, removed }: StoredRecord): Included | 'removed' | 'command' | 'draft' | undefined {
    if (removed) return 'removed'
    if (header.kind === EventKind.COMMAND) return 'command'
    if (!header.messageStatus || header.messageStatus === MessageStatus.DRAFT) return 'draft'
    return labelWithheld(labelsOfWhole(header), included)
  }

  function publish(record: StoredRecord): DeliverableMessage[] {
    const held = heldBack(record)
    if (held !== undefined) {
      if (held === 'removed' || held === 'command' || held === 'draft') metrics.leftOut[held]++
      else metrics.withheld[held]++
      return []
    }
    const topic = eventTopic(record.header, record.lane)
    const forms = [false, true].filter((json) => broker.isWanted(json ? `${topic}/${jsonLevel}` : topic))
    if (forms.length === 0) {
      metrics.unasked++
      return []
    }
    const seen = viewOf(record, included, (error) => unreadable(error, record))
    if (typeof seen !== 'object') {
      if (seen === 'unreadable') metrics.leftOut.unreadable++
      else metrics.withheld.law_enforcement_position++
      return []
    }
    if (seen.isRedacted) metrics.redacted++
    return forms.map((json) => {
      metrics.published[json ? 'json' : 'protobuf']++
      return messageOf(record, seen, json)
    })
  }

  return {
    name,
    start: 'latest',
    batch,
    sources: lanes.map((lane) => sources[lane]),
    deliver,
    missed(_lane, missing) {
      metrics.missed += missing.to - missing.from + 1
    },
    metrics: () => metrics,
    close: () => Promise.resolve(),
  }
}

/** QoS 2 is the most there is: each subscriber gets it at the QoS that was granted to it. */
function messageOf({ header, lane, sequence, loggedAt }: StoredRecord, seen: Seen, json: boolean): DeliverableMessage {
  const topic = eventTopic(header, lane)
  return {
    number: numberOf(sequence, json),
    topic: json ? `${topic}/${jsonLevel}` : topic,
    payload: json ? asJson(seen) : seen.bytes,
    qos: 2,
    retain: false,
    receivedAt: loggedAt,
    kind: lane === 'urgent' ? 'urgent' : header.kind === EventKind.POSITION ? 'position' : 'other',
    properties: json ? jsonProperties : protobufProperties,
  }
}
