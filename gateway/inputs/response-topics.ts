// Where who publishes may ask others to answer (MQTT 5 Response Topic). Who answers may mostly publish in more places than who asks, and
// must not be made to: nobody has an answer sent where he could not read it, nor an answer read as an event where he could not
// publish one himself, nor to the gateway's own topics.

import { eventRoot, refusedRoot } from '../outputs/mqtt/topic.ts'
import { isOwn, type MqttPrincipal, type Permissions } from '../policy/principals.ts'

export interface ResponseTopics {
  /** Why not, and what to do; undefined: it may be answered there. */
  why(principal: MqttPrincipal, topic: string): string | undefined
}

export interface ResponseTopicParts {
  readonly permissions: Pick<Permissions, 'mayPublish' | 'mayReceive'>
  /** Whether an adapter reads what comes on a topic. */
  isRead(topic: string): boolean
}

export function createResponseTopics({ permissions, isRead }: ResponseTopicParts): ResponseTopics {
  return {
    why(principal, topic) {
      // Its own refusals, which the gateway alone says: mosquitto_rr waits for them so.
      if (isOwn(topic) && topic !== principal.refusals) {
        return `its response topic is below ${eventRoot}/ or ${refusedRoot}/, where only the gateway publishes; ask for answers elsewhere`
      }
      if (!permissions.mayReceive(principal, topic)) {
        return 'its response topic is one that this sender may not read; ask for answers where it may read them'
      }
      if (isRead(topic) && !permissions.mayPublish(principal, topic)) {
        return 'its response topic is read as messages of devices, and this sender may not publish there; ask for answers elsewhere'
      }
      return undefined
    },
  }
}
