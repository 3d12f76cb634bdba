// What comes in by a link: a sender like any other, "link:<name>", with its own topics, permissions and fates. A message that was here
// before, or that no rule is about, is acknowledged, counted and not stored.

import type { LinkParts } from '../../broker/link-port.ts'
import type { InboundPublish, MessageProperties } from '../../broker/port.ts'
import { defaultLimits } from '../../broker/limits.ts'
import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import { createUsual, frameOf, transportOf } from '../inputs/mqtt-message.ts'
import { verdictOf } from '../inputs/mqtt.ts'
import type { Sender, Take } from '../inputs/receive.ts'
import type { Log } from '../log/log.ts'
import { isOwn, type Permissions } from '../policy/principals.ts'
import { topicMatches } from '../policy/topic-filters.ts'
import { ingestRoot, type Routes } from '../routes.ts'
import { hasPassed } from './link-path.ts'
import type { LinkSettings } from './link-settings.ts'
import { inward } from './link-topics.ts'

export interface LinkInputParts {
  readonly link: LinkSettings
  readonly gateway: string
  readonly permissions: Pick<Permissions, 'whyForbidden'>
  readonly take: Take
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Pick<Log, 'findFrame'>
  /** Whether anybody is subscribed to a topic. */
  isWanted(topic: string): boolean
  readonly routes: Pick<Routes, 'find'>
}

export interface LinkInput {
  readonly house: LinkParts['house']
  readonly counts: LinkInputCounts
}

/** Acknowledged and not stored. */
export interface LinkInputCounts {
  /** It had passed this gateway before. */
  returned: number
  /** No rule of `in` is about its topic: the other broker remembers a subscription that the settings do not have any more. */
  unmapped: number
}

export const linkSender = (name: string): string => `link:${name}`

export function createLinkInput(parts: LinkInputParts): LinkInput {
  const { link, gateway, permissions, take, clock, ids, log, routes } = parts
  const name = linkSender(link.name)
  // Only over TLS is it known who is at the other end.
  const authenticity = link.place.kind === 'tls' || link.place.kind === 'wss' ? 'authenticated' : 'unverified'
  const sender: Sender = { name, authenticity, link: name }
  const usual = createUsual(sender)
  const rename = inward(link.in)
  const counts: LinkInputCounts = { returned: 0, unmapped: 0 }

  const answer = inward(link.out)

  /** An answer goes back by this link or not at all: a topic that `out` does not carry is not handed on as a response topic. */
  function answeredHere({ responseTopic, ...properties }: MessageProperties): MessageProperties {
    const renamed = responseTopic === undefined ? undefined : answer(responseTopic)
    return renamed && mayPublish(renamed.topic) ? { ...properties, responseTopic: renamed.topic } : properties
  }

  const mayPublish = (topic: string): boolean =>
    isTopicHere(topic) && !isOwn(topic) && link.publish.some((filter) => topicMatches(filter, topic))

  /** As for a client: by naming a format a message is read as if it had come where that is read. */
  function mayChoose({ topic, properties }: InboundPublish): boolean {
    const route = properties.contentType === undefined ? undefined : routes.find(topic, properties.contentType)
    return !route?.isNamed || mayPublish(`${ingestRoot}/${route.input.adapter.name}/${link.name}`)
  }

  return {
    counts,
    house: {
      newFrameId: () => ids.next(clock.now()),
      isStored: (frameId) => log.findFrame(frameId) !== undefined,
      explain: (_principal, { topic }) => permissions.whyForbidden(topic),
      // One that leads nowhere is taken away, see `answeredHere`.
      mayBeAnswered: () => true,
      mayPublish(_principal, remoteTopic) {
        const renamed = rename(remoteTopic)
        return renamed === undefined || mayPublish(renamed.topic)
      },
      take(_principal, message, told) {
        const renamed = rename(message.topic)
        if (!renamed) {
          counts.unmapped++
          return queueMicrotask(() => told.settled('accepted'))
        }
        if (hasPassed(message.properties.userProperties, gateway)) {
          counts.returned++
          return queueMicrotask(() => told.settled('accepted'))
        }
        const { denied } = message
        const local = { ...message, topic: renamed.topic, properties: answeredHere(message.properties) }
        const transport = transportOf(local, usual, {
          forbidden: denied && permissions.whyForbidden(renamed.topic),
          byTopicOnly: !mayChoose(local),
          wanted: message.retain || (denied === undefined && parts.isWanted(renamed.topic)),
        })
        take(sender, frameOf(local, clock.now()), transport, {
          settled: (fate) => told.settled(verdictOf(fate)),
          notTaken: () => told.notTaken(),
        })
      },
    },
  }
}

/** The other broker's bounds are not ours, and its own topics are nothing here. */
const isTopicHere = (topic: string): boolean =>
  !topic.startsWith('$') &&
  Buffer.byteLength(topic) <= defaultLimits.topicBytesMax &&
  topic.split('/').length <= defaultLimits.topicLevelsMax
