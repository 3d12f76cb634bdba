// Messages that their senders gave a time to live (MQTT 5 §3.3.2.3.3).

import type { DeliverableMessage } from './stored.ts'

type Lived = Pick<DeliverableMessage, 'receivedAt' | 'properties'>

function secondsLeft({ receivedAt, properties }: Lived, now: bigint): number | undefined {
  const expiry = properties?.messageExpirySeconds
  return expiry === undefined ? undefined : expiry - Math.max(0, Number(now - receivedAt) / 1e9)
}

export function isExpired(message: Lived, now: bigint): boolean {
  const left = secondsLeft(message, now)
  return left !== undefined && left <= 0
}

/** MQTT 5 §3.3.2.3.3: less the time that it has waited here. */
export function restOfLife(message: Lived, now: bigint): DeliverableMessage['properties'] {
  const left = secondsLeft(message, now)
  return left === undefined
    ? message.properties
    : { ...message.properties, messageExpirySeconds: Math.max(0, Math.ceil(left)) }
}
