// How a session is to be given a topic.

import type { QoS } from './port.ts'
import type { StoredFilter } from './stored.ts'

/** How one session is to be given a topic: what its subscriptions that cover it say together. */
export interface Recipient {
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifiers: readonly number[]
}

/** One that is being gathered. */
export interface WideningRecipient extends Recipient {
  qos: QoS
  noLocal: boolean
  retainAsPublished: boolean
  readonly identifiers: number[]
}

export const recipientBy = ({ qos, noLocal, retainAsPublished, identifier }: StoredFilter): WideningRecipient => ({
  qos,
  noLocal,
  retainAsPublished,
  identifiers: identifier === undefined ? [] : [identifier],
})

/** One copy, for all filters that cover it (MQTT 3.1.1 and 5 §3.3.5). */
export function widen(recipient: WideningRecipient, other: StoredFilter): void {
  if (other.qos > recipient.qos) recipient.qos = other.qos
  recipient.noLocal &&= other.noLocal
  recipient.retainAsPublished ||= other.retainAsPublished
  if (other.identifier !== undefined) recipient.identifiers.push(other.identifier)
}
