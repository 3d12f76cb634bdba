// A link to another broker, which mosquitto calls a bridge: this gateway is a client there, with a session that is kept. Inward a
// message is acknowledged when it is in the log, by the same inflow as a device's; outward the log is read from a place that moves only
// with the other broker's acknowledgements. It connects for ever, and ever less often while that fails.

import { generate } from 'mqtt-packet'
import { Inflow, type InflowGate } from './inflow.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { codeText, type LinkConnection, type LinkWelcome, openLinkConnection } from './link-connection.ts'
import { createLinkOut } from './link-out.ts'
import type { Link, LinkDropCause, LinkParts, LinkSubscription } from './link-port.ts'
import { firstBytes } from './outbox.ts'
import type { Principal } from './port.ts'
import type { ReceivedOnce } from './session.ts'
import { createTally } from './tally.ts'

export type * from './link-port.ts'

/** First wait after a connection that was of no use; doubles up to the most. */
const retryMsMin = 500
/** An outage of hours is asked about twice a minute. */
const retryMsMax = 30_000

export function createLink(parts: LinkParts): Link {
  const { name, greeting, subscriptions, store, clock, random, tell } = parts
  // Topics of the other broker may be longer than ours; what they become here is the house's to judge.
  const limits: Limits = {
    ...defaultLimits,
    // Receive Maximum is told, and a mosquitto 2.0.11 that comes back does not keep to it: what waits for the log is bounded by its bytes.
    inFlightMax: 65_535,
    unreleasedKeptMax: 65_535,
    packetBytesMax: parts.limits.packetBytesMax,
    topicBytesMax: 65_535,
    topicLevelsMax: 65_535,
  }
  const principal: Principal = { name }
  const session = {
    clientId: name,
    protocolVersion: greeting.version,
    kept: true,
    received: new Map<number, ReceivedOnce>(),
  }
  for (const [packetId, frameId] of store.received()) session.received.set(packetId, { frameId, settled: undefined })
  const tally = createTally(clock, () => {})
  const inFlight = { messages: 0, unreleased: session.received.size }
  const dropped: Record<LinkDropCause, number> = { too_large: 0, refused: 0, expired: 0, gone: 0 }
  const facts = { published: 0, connects: 0, lastReceivedAt: undefined, lastPublishedAt: undefined } as {
    published: number
    connects: number
    lastReceivedAt: bigint | undefined
    lastPublishedAt: bigint | undefined
  }
  let connection: LinkConnection | undefined
  let inflow: Inflow<Principal> | undefined
  let isUp = false
  let since = clock.now()
  let sinceMonotonic = clock.monotonic()
  let down: string | undefined = 'not connected yet'
  let refusal: string | undefined
  let running = false
  let retryMs = retryMsMin
  let retry: NodeJS.Timeout | undefined
  let packetIdLast = 0
  /** SUBSCRIBE and UNSUBSCRIBE that wait for their answer. */
  const asked = new Map<number, (codes: readonly number[]) => void>()
  /** MQTT 3.1.1 gives retained messages to each SUBSCRIBE anew: asked once in this process, while the session lasts. */
  let hasSubscribed = false

  const out = createLinkOut({
    sources: parts.sources,
    store,
    sentUnansweredMax: parts.limits.sentUnansweredMax,
    now: () => clock.now(),
    nextPacketId,
    delivered() {
      facts.published++
      facts.lastPublishedAt = clock.now()
      retryMs = retryMsMin
    },
    dropped(cause, count, topic) {
      dropped[cause] += count
      tell({ kind: 'dropped', cause, count, ...(topic !== undefined && { topic }) })
    },
    giveUp: (why) => connection?.close(why),
  })

  function nextPacketId(): number {
    do packetIdLast = packetIdLast >= 0xffff ? 1 : packetIdLast + 1
    while (out.isInUse(packetIdLast) || asked.has(packetIdLast))
    return packetIdLast
  }

  function connect(): void {
    facts.connects++
    const mine: LinkConnection = openLinkConnection({
      stream: parts.dial(),
      greeting,
      receiveMaximum: parts.limits.inFlightMax,
      limits,
      clock,
      events: {
        welcomed: (welcome) => welcomed(mine, welcome),
        published(packet) {
          facts.lastReceivedAt = clock.now()
          inflow?.arrive(packet)
        },
        released: (packetId) => inflow?.release(packetId),
        acknowledged: (packetId, code) => out.acknowledged(packetId, code),
        answered(packetId, codes) {
          const settle = asked.get(packetId)
          asked.delete(packetId)
          settle?.(codes)
        },
        ended: (why, code) => ended(why, code),
      },
    })
    connection = mine
  }

  function welcomed(mine: LinkConnection, welcome: LinkWelcome): void {
    const isNew = !welcome.sessionPresent
    // What the other broker has forgotten is not sent again, and its identifiers stand for other messages now.
    if (isNew) forgetReceived()
    const problem = lacking(welcome, parts)
    if (problem !== undefined) return mine.close(problem)
    inflow = new Inflow(
      { house: parts.house, limits, tally, store, inFlight, isWanted: () => true },
      principal,
      session,
      gateOf(mine),
    )
    subscribe(mine, welcome)
    isUp = true
    note()
    down = undefined
    tell({ kind: 'up' })
    out.attach(mine, welcome)
  }

  function note(): void {
    since = clock.now()
    sinceMonotonic = clock.monotonic()
  }

  function ended(why: string, code: number | undefined): void {
    connection = inflow = undefined
    asked.clear()
    out.detach(code)
    if (isUp) note()
    isUp = false
    down = why
    if (!running) return
    tell({ kind: 'down', why, downMs: Number(clock.monotonic() - sinceMonotonic) / 1e6 })
    retry = setTimeout(connect, retryMs * (0.5 + random()))
    retryMs = Math.min(retryMs * 2, retryMsMax)
  }

  function forgetReceived(): void {
    hasSubscribed = false
    for (const packetId of session.received.keys()) store.write({ kind: 'forgotten', clientId: name, packetId })
    session.received.clear()
    inFlight.unreleased = 0
  }

  /** The inflow speaks to a client's gate; here the other broker is the client that sends. */
  function gateOf(mine: LinkConnection): InflowGate {
    return {
      version: mine.version,
      fault: undefined,
      // Nobody reads them there.
      wantsReasons: false,
      cut: (reason, code) => mine.close(closing[reason] ?? reason, code),
      throttle: (on) => mine.throttle(on),
      idle: () => {},
      sendShort(packet, packetId) {
        if (packet !== 'pubcomp') retryMs = retryMsMin
        mine.send(Buffer.of(firstBytes[packet], 2, packetId >> 8, packetId & 0xff))
      },
      sendRefusal: (packet, packetId, code) =>
        mine.send(Buffer.of(firstBytes[packet], 3, packetId >> 8, packetId & 0xff, code)),
      stop: () => mine.throttle(true),
    }
  }

  function subscribe(mine: LinkConnection, { sessionPresent }: LinkWelcome): void {
    const wanted = subscriptions.map(({ filter }) => filter)
    const stale = sessionPresent ? store.filters().filter((filter) => !wanted.includes(filter)) : []
    store.setFilters([...wanted, ...stale])
    if (stale.length > 0) {
      const packetId = ask(() => store.setFilters(wanted))
      const packet = { cmd: 'unsubscribe' as const, messageId: packetId, unsubscriptions: stale }
      mine.send(generate(packet, { protocolVersion: mine.version }))
    }
    if (subscriptions.length === 0 || (mine.version === 4 && hasSubscribed)) return
    hasSubscribed = true
    mine.send(subscribePacket(subscriptions, ask(subscribed), mine.version))
  }

  function ask(settle: (codes: readonly number[]) => void): number {
    const packetId = nextPacketId()
    asked.set(packetId, settle)
    return packetId
  }

  function subscribed(codes: readonly number[]): void {
    const forbidden = subscriptions.filter((_, index) => (codes[index] ?? 0x80) >= 0x80)
    if (forbidden.length === 0) {
      refusal = undefined
      return
    }
    const which = forbidden.map(
      ({ filter }) => `${filter} (${codeText(codes[subscriptions.findIndex((one) => one.filter === filter)] ?? 0x80)})`,
    )
    refusal = `the other broker does not permit to subscribe to ${which.join(', ')}`
    tell({ kind: 'refused', text: refusal })
  }

  return {
    start() {
      running = true
      note()
      connect()
    },
    wake: () => out.pump(),
    state: () => ({
      isUp,
      since,
      problem: down ?? refusal,
      lag: out.lag(),
      published: facts.published,
      received: tally.totals.accepted + tally.totals.forbidden,
      connects: facts.connects,
      dropped,
      lastReceivedAt: facts.lastReceivedAt,
      lastPublishedAt: facts.lastPublishedAt,
    }),
    async stop() {
      running = false
      clearTimeout(retry)
      connection?.close('the gateway stops')
      await store.flush().catch(() => {})
    },
  }
}

const closing: Readonly<Partial<Record<string, string>>> = {
  unstored: 'a message from there could not be stored; it is asked for again',
  protocol: 'the other broker broke the standard',
  receive_maximum: 'the other broker sent more QoS 2 messages at once than it may',
}

/** What a link cannot do without. */
function lacking({ maximumQoS, wildcardsAvailable }: LinkWelcome, parts: LinkParts): string | undefined {
  if (maximumQoS === 0 && parts.sources.length > 0) return 'the other broker acknowledges nothing (it takes QoS 0 only)'
  const wild = wildcardsAvailable ? undefined : parts.subscriptions.find(({ filter }) => /[+#]/.test(filter))
  return wild && `the other broker has no wildcards, and ${wild.filter} is one`
}

/**
 * MQTT 5 §3.8.3.1: not what we published there ourselves; with the retain flag that it was published with; what is retained only when
 * the subscription is new. MQTT 3.1.1 has none of the three.
 */
function subscribePacket(subscriptions: readonly LinkSubscription[], messageId: number, version: 4 | 5): Buffer {
  return generate(
    {
      cmd: 'subscribe',
      messageId,
      subscriptions: subscriptions.map(({ filter, qos }) => ({
        topic: filter,
        qos,
        ...(version === 5 && { nl: true, rap: true, rh: 1 }),
      })),
    },
    { protocolVersion: version },
  )
}
