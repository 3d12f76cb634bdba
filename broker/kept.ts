// Messages that stay in memory for a while: copies that hold nothing of the buffers in which they came, and what they take there.

import type { MessageProperties } from './port.ts'

interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly properties?: MessageProperties
}

/** About; a user property is a pair of two texts. */
const userPropertyBytes = 64

/** What its sender filled, wherever in the message. */
export const bytesOf = ({ topic, payload, properties }: Message): number =>
  topic.length + payload.length + (properties ? propertyBytes(properties) : 0)

function propertyBytes({ contentType, responseTopic, correlationData, userProperties }: MessageProperties): number {
  let bytes = (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.length ?? 0)
  if (!userProperties) return bytes
  for (const [name, value] of userProperties) bytes += userPropertyBytes + name.length + value.length
  return bytes
}

export function ownCopy<M extends Message>(message: M): M {
  const { payload, properties } = message
  const correlationData = properties?.correlationData
  return {
    ...message,
    payload: Buffer.from(payload),
    ...(correlationData && { properties: { ...properties, correlationData: Buffer.from(correlationData) } }),
  }
}
