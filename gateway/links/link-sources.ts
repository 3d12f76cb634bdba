// What goes out by a link, read from the log: messages as they were published here, and, where `mqtt.out` makes them, events. What came
// in by the same link, or has passed this gateway before, does not go out by it.

import type { LinkMessage, LinkSlice, LinkSource } from '../../broker/link-port.ts'
import type { DeliverableMessage, MessageSource } from '../../broker/stored.ts'
import type { Frame } from '../../proto/generated/types.ts'
import { frameMessage } from '../inputs/mqtt-messages.ts'
import type { AppendedFrame, Log } from '../log/log.ts'
import { eventRoot } from '../outputs/mqtt/topic.ts'
import { linkSender } from './link-input.ts'
import { hasPassed, pathProperty, withPassed } from './link-path.ts'
import type { LinkSettings } from './link-settings.ts'
import { filtersMeet, localFilter, outward, type Rename, type TopicRule } from './link-topics.ts'

export interface FramesForLink extends LinkSource {
  /** Frames of a commit: those that are of no concern are passed over without being read again. */
  appended(frames: readonly AppendedFrame[]): void
}

type OutRule = LinkSettings['out'][number]

/** Of the log, looked through at once. */
const piece = { frames: 500, bytes: 1 << 20 }
const eventsAtOnce = 500

export function framesForLink(
  link: LinkSettings,
  gateway: string,
  log: Pick<Log, 'frameHead' | 'readFrames'>,
): FramesForLink {
  const rename = outward(link.out)
  const answers = outward<TopicRule>(link.in)
  const own = linkSender(link.name)
  /** Of the last commits in a row, none concerned: those above the first number, up to the second. */
  const quiet = { after: 0, through: 0 }

  const concerns = ({ mqtt, channel, sender, properties }: Frame): boolean =>
    mqtt !== undefined &&
    sender !== own &&
    rename(channel ?? '') !== undefined &&
    !properties?.some(({ name, value }) => name === pathProperty && value === gateway)

  return {
    name: 'frames',
    urgent: false,
    get head() {
      return log.frameHead
    },
    read(after): LinkSlice | undefined {
      if (after >= quiet.after && after < quiet.through) return { messages: [], through: quiet.through, gone: 0 }
      const slice = log.readFrames(after, piece)
      if (!slice) return undefined
      const messages = slice.frames.flatMap(({ number, frame }) => {
        if (!concerns(frame)) return []
        const message = frameMessage(number, frame)
        return message ? linked(message, rename, answers, gateway) : []
      })
      return { messages, through: slice.through, gone: slice.through - after - slice.frames.length }
    },
    appended(frames) {
      const [first, last] = [frames[0]!.number, frames.at(-1)!.number]
      if (frames.some(({ frame }) => concerns(frame))) return
      if (quiet.through !== first - 1) quiet.after = first - 1
      quiet.through = last
    },
  }
}

/** None when no rule is about events, so that they are not even looked at. */
export function eventsForLink(link: LinkSettings, gateway: string, sources: readonly MessageSource[]): LinkSource[] {
  if (!link.out.some((rule) => filtersMeet(localFilter(rule), `${eventRoot}/#`))) return []
  const rename = outward(link.out)
  const answers = outward<TopicRule>(link.in)
  return sources.map((source) => ({
    name: source.name,
    urgent: source.urgent,
    get head() {
      return source.head
    },
    read(after) {
      const slice = source.scan(after, eventsAtOnce, (topic) => rename(topic) !== undefined)
      if (!slice) return undefined
      const messages = slice.messages.flatMap((message) => linked(message, rename, answers, gateway))
      return { messages, through: slice.through, gone: 0 }
    },
  }))
}

function linked(
  message: DeliverableMessage,
  rename: Rename<OutRule>,
  answers: Rename<TopicRule>,
  gateway: string,
): LinkMessage[] {
  const renamed = rename(message.topic)
  if (!renamed) return []
  const { number, payload, receivedAt, properties } = message
  if (hasPassed(properties?.userProperties, gateway)) return []
  const userProperties = withPassed(properties?.userProperties, gateway)
  const { responseTopic, ...others } = properties ?? {}
  // An answer comes back by this link or not at all.
  const answer = responseTopic === undefined ? undefined : answers(responseTopic)
  return [
    {
      number,
      topic: renamed.topic,
      payload,
      retain: message.retain && renamed.rule.retain,
      properties: { ...others, userProperties, ...(answer && { responseTopic: answer.topic }) },
      receivedAt,
    },
  ]
}
