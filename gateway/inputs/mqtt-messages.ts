// MQTT messages as the broker reads them out of the log: the frames that are a permitted PUBLISH.

import type { Broker } from '../../broker/port.ts'
import type { DeliverableMessage, MessageKind, MessageSource } from '../../broker/stored.ts'
import { EventKind, Lane as FrameLane } from '../../proto/generated/types.ts'
import type { Frame } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import type { AppendedFrame, Log, NewRecord } from '../log/log.ts'

const scannedBytes = 8 << 20

export function frameMessages(log: Pick<Log, 'frameHead' | 'readFrame' | 'readFrames'>): MessageSource {
  return {
    name: 'frames',
    urgent: false,
    retains: true,
    get head() {
      return log.frameHead
    },
    fetch(number) {
      const frame = log.readFrame(number)
      return frame && frameMessage(number, frame)
    },
    scan(after, limit) {
      const slice = log.readFrames(after, { frames: limit, bytes: scannedBytes })
      if (!slice) return undefined
      const messages = slice.frames.flatMap(({ number, frame }) => frameMessage(number, frame) ?? [])
      return { messages, through: slice.through }
    },
  }
}

/** Gives the broker each commit's messages, as they were appended and before they are acknowledged; returns the way to stop it. */
export const followFrames = (
  log: Pick<Log, 'onFrames'>,
  source: MessageSource,
  broker: Pick<Broker, 'deliver' | 'isWanted'>,
): (() => void) =>
  log.onFrames((frames) => broker.deliver(source, appendedMessages(frames, broker.isWanted), frames.at(-1)!.number))

/** Only those that are wanted are made. */
function appendedMessages(
  frames: readonly AppendedFrame[],
  isWanted: (topic: string) => boolean,
): DeliverableMessage[] {
  const messages: DeliverableMessage[] = []
  for (const { number, frame, records } of frames) {
    if (!frame.mqtt || !(frame.mqtt.retain || isWanted(frame.channel!))) continue
    const message = frameMessage(number, frame, kindOfRecords(records))
    if (message) messages.push(message)
  }
  return messages
}

/** Undefined: no message that may be delivered. */
export function frameMessage(number: number, frame: Frame, kind = kindOf(frame)): DeliverableMessage | undefined {
  const { mqtt, channel = '', payload } = frame
  if (!mqtt || !payload) return undefined
  const properties = propertiesOf(frame)
  return {
    number,
    topic: channel,
    payload,
    qos: (mqtt.qos ?? 0) as 0 | 1 | 2,
    retain: mqtt.retain ?? false,
    receivedAt: timestampNs(frame.receivedAt) ?? 0n,
    kind,
    ...(mqtt.clientId && { clientId: mqtt.clientId }),
    ...(properties && { properties }),
  }
}

function kindOf({ lane, kind }: Frame): MessageKind {
  if (lane === FrameLane.URGENT) return 'urgent'
  return kind === EventKind.POSITION ? 'position' : 'other'
}

function kindOfRecords(records: readonly NewRecord[]): MessageKind {
  if (records.some(({ lane }) => lane === 'urgent')) return 'urgent'
  return records.length > 0 && records.every(({ header }) => header.kind === EventKind.POSITION) ? 'position' : 'other'
}

function propertiesOf({ mqtt, contentType, properties }: Frame): DeliverableMessage['properties'] {
  const { responseTopic, correlationData, messageExpirySeconds, payloadFormatIndicator } = mqtt!
  const none = !contentType && !properties?.length && !responseTopic && !correlationData
  if (none && messageExpirySeconds === undefined && payloadFormatIndicator === undefined) return undefined
  return {
    ...(contentType && { contentType }),
    ...(properties?.length && {
      userProperties: properties.map(({ name = '', value = '' }) => [name, value] as const),
    }),
    ...(responseTopic && { responseTopic }),
    ...(correlationData && { correlationData }),
    ...(messageExpirySeconds !== undefined && { messageExpirySeconds }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator === 1 ? 1 : 0 }),
  }
}
