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

export const recipientBy = ({ qos, noLocal, retainAsPublished, identifier }: StoredFilter): Recipient => ({
  qos,
  noLocal,
  retainAsPublished,
  identifiers: identifier === undefined ? [] : [identifier],
})

/** One copy, for all filters that cover it (MQTT 3.1.1 and 5 §3.3.5). */
export const together = (one: Recipient, other: Recipient): Recipient => ({
  qos: one.qos > other.qos ? one.qos : other.qos,
  noLocal: one.noLocal && other.noLocal,
  retainAsPublished: one.retainAsPublished || other.retainAsPublished,
  identifiers: [...one.identifiers, ...other.identifiers],
})
