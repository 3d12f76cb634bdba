// Whether a client may say a message: on its topic, and with the topic on which it asks others to answer. Who answers may often publish where
// who asks may not; so a message that asks for more than its sender may have is forbidden whole, since a Response Topic must reach
// receivers unaltered (MQTT 5 §3.3.2.3.5).

import type { Limits } from './limits.ts'
import type { BrokerParts, Explained, MessageProperties, Principal, QoS } from './port.ts'

export interface DeniedParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'mayPublish' | 'mayBeAnswered'>
  readonly limits: Pick<Limits, 'topicBytesMax' | 'topicLevelsMax'>
}

interface Said {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  readonly properties?: MessageProperties
}

/** Undefined: it may. Asked for each message. */
export function denied<P extends Principal>(
  { house, limits }: DeniedParts<P>,
  principal: P,
  { topic, qos, retain, properties }: Said,
  will: boolean,
): Explained | undefined {
  if (topic.startsWith('$') || !house.mayPublish(principal, topic, { retain, qos, will })) {
    return { what: will ? 'will' : 'publish', topic }
  }
  const responseTopic = properties?.responseTopic
  if (responseTopic === undefined) return undefined
  const fits =
    Buffer.byteLength(responseTopic) <= limits.topicBytesMax && levelsOf(responseTopic) <= limits.topicLevelsMax
  const mayBe = fits && !responseTopic.startsWith('$') && house.mayBeAnswered(principal, responseTopic)
  return mayBe ? undefined : { what: 'answer', topic: responseTopic }
}

const levelsOf = (topic: string): number => topic.split('/').length
