// The links that the settings have, running: each with its input, its readers of the log, its state for people, and an alarm when it is
// down for long or the other broker refuses something.

import { createLink, type Link, type LinkEvent, type LinkState } from '../../broker/link.ts'
import { dialLink } from '../../broker/link-dial.ts'
import type { LinkSource, LinkStore } from '../../broker/link-port.ts'
import type { MessageSource } from '../../broker/stored.ts'
import type { Alarms } from '../alarms.ts'
import type { AppendedFrame, LanePosition, Log } from '../log/log.ts'
import type { State } from '../log/state.ts'
import type { Logger } from '../logger.ts'
import { createLinkInput, type LinkInputCounts, type LinkInputParts, linkSender } from './link-input.ts'
import type { LinkSettings } from './link-settings.ts'
import { eventsForLink, framesForLink } from './link-sources.ts'
import { createLinkStore } from './link-store.ts'

export interface Links {
  start(): void
  /** The log, or what is made of it, has more. */
  wake(): void
  states(): readonly LinkReport[]
  /** Those that read events out of the log, as readers with a bookmark. */
  readers(): readonly { readonly name: string; readonly lag: LanePosition; readonly problem?: string }[]
  stop(): Promise<void>
}

export interface LinkReport {
  readonly name: string
  readonly state: LinkState
  readonly input: Readonly<LinkInputCounts>
}

export interface LinksParts extends Omit<LinkInputParts, 'link' | 'log'> {
  readonly links: readonly LinkSettings[]
  readonly log: Log & { readonly state: State }
  /** Events, where they are published at all. */
  readonly events: readonly MessageSource[]
  readonly alarms: Alarms
  readonly logger: Logger
  readonly random: () => number
  readonly packetBytesMax: number
}

/** Shorter than this is everyday life and raises no alarm. */
const downMsMax = 60_000
const lookEveryMs = 5_000
/** An alarm about messages that the other broker did not take is over when so long none was refused. */
const refusedForMs = 3_600_000
/** The same fault is told again after this. */
const toldEveryMs = 60_000
/** Messages on their way to the other broker without its acknowledgement. */
const sentUnansweredMax = 100

export function createLinks(parts: LinksParts): Links {
  const { log, clock } = parts
  const running = parts.links.map((link) => createOne(link, parts))
  let looking: NodeJS.Timeout | undefined
  let stopListening = (): void => {}
  let isWoken = false

  /** In a turn of its own: whoever wakes a link has others to serve. */
  function wake(): void {
    if (isWoken || running.length === 0) return
    isWoken = true
    setImmediate(() => {
      isWoken = false
      for (const { link } of running) link.wake()
    })
  }

  return {
    start() {
      if (running.length === 0) return
      stopListening = log.onFrames((frames) => {
        for (const { appended } of running) appended(frames)
        wake()
      })
      looking = setInterval(() => running.forEach(({ look }) => look()), lookEveryMs).unref()
      for (const { link } of running) link.start()
    },
    wake,
    states: () => running.map(({ report }) => report()),
    readers: () => running.flatMap(({ reader }) => reader() ?? []),
    async stop() {
      stopListening()
      clearInterval(looking)
      await Promise.all(running.map(({ link }) => link.stop()))
    },
  }

  function createOne(settings: LinkSettings, { alarms, logger, packetBytesMax }: LinksParts) {
    const { name, place, greeting } = { ...settings, greeting: greetingOf(settings) }
    const reader = linkSender(name)
    const { house, counts } = createLinkInput({ ...parts, link: settings })
    const frames = framesForLink(settings, parts.gateway, log)
    const events = eventsForLink(settings, parts.gateway, parts.events)
    const sources: readonly LinkSource[] = settings.out.length === 0 ? [] : [...events, frames]
    const told = new Map<string, number>()
    let refusedAt: number | undefined
    const nowMs = (): number => Number(clock.monotonic() / 1_000_000n)

    function isNews(what: string): boolean {
      const last = told.get(what)
      if (last !== undefined && nowMs() - last < toldEveryMs) return false
      told.set(what, nowMs())
      return true
    }

    function tell(event: LinkEvent): void {
      if (event.kind === 'up') {
        logger.info({ link: name }, 'the link is up')
        alarms.clear('link_down', reader)
        return
      }
      if (event.kind === 'down') {
        const level = isNews(`down ${event.why}`) ? 'warn' : 'debug'
        return logger[level]({ link: name, why: event.why }, 'the link is down; it is tried again')
      }
      if (event.kind === 'refused') return refused(event.text)
      const { cause, count, topic } = event
      if (isNews(`dropped ${cause}`)) logger.warn({ link: name, cause, count, topic }, 'the link leaves a message out')
      if (cause === 'refused' || cause === 'too_large') {
        refusedAt = nowMs()
        refused(`the other broker does not take every message (${cause}); tocsin_link_dropped_total counts them`)
      }
    }

    const refused = (text: string): void => alarms.raise('link_refused', reader, `${reader}: ${text}.`)

    const link: Link = createLink({
      name: reader,
      greeting,
      subscriptions: settings.in.map(({ remotePrefix, filter, qos }) => ({ filter: remotePrefix + filter, qos })),
      sources,
      limits: { inFlightMax: settings.inFlightMax, sentUnansweredMax, packetBytesMax },
      house,
      store: pinning(createLinkStore(log.state, name), events, reader, log),
      clock,
      random: parts.random,
      dial: () => dialLink(place, packetBytesMax * 2),
      tell,
    })

    function look(): void {
      const { isUp, since, problem } = link.state()
      const downMs = Number(clock.now() - since) / 1e6
      if (!isUp && downMs >= downMsMax) {
        alarms.raise(
          'link_down',
          reader,
          `${reader} is down: ${problem}. It is tried again; what is to go there waits in the log.`,
        )
      }
      if (isUp && problem === undefined && (refusedAt === undefined || nowMs() - refusedAt > refusedForMs))
        alarms.clear('link_refused', reader)
    }

    return {
      link,
      look,
      appended: (commit: readonly AppendedFrame[]) => frames.appended(commit),
      report: (): LinkReport => ({ name, state: link.state(), input: counts }),
      reader: () => {
        if (events.length === 0) return undefined
        const { problem, lag } = link.state()
        const lane = (one: string): number => Math.ceil((lag.get(one) ?? 0) / 2)
        return {
          name: reader,
          lag: { urgent: lane('urgent'), routine: lane('routine') },
          ...(problem !== undefined && { problem }),
        }
      },
    }
  }
}

const greetingOf = ({ clientId, username, password, version, keepAliveSeconds, ...rest }: LinkSettings) => ({
  clientId,
  ...(username !== undefined && { username }),
  ...(password && { password }),
  version,
  keepAliveSeconds,
  sessionExpirySeconds: rest.sessionExpirySeconds,
})

/** Where it reads events it is a reader of the lanes, whose bookmark keeps them from removal; a message has two forms, see outputs/mqtt. */
function pinning(store: LinkStore, events: readonly LinkSource[], reader: string, log: Log): LinkStore {
  if (events.length === 0) return store
  const laneOf = (source: string): number => Math.floor(((store.place(source) ?? 0) - 1) / 2)
  return {
    ...store,
    setPlace(source, number) {
      store.setPlace(source, number)
      if (source !== 'urgent' && source !== 'routine') return
      const bookmark = { urgent: Math.max(0, laneOf('urgent')), routine: Math.max(0, laneOf('routine')) }
      log.bookmarks.set(reader, bookmark, { pins: true })
    },
  }
}
