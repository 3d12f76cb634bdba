// Puts every message before its subscribers in the order in which it was published, and lets no subscriber hold up a publisher.
// aedes would let a QoS 0 message overtake a QoS 1 or retained one before it, and then drop the overtaken as a duplicate.

import type { Client, PublishPacket } from 'aedes'

import type { AedesInside } from './aedes-inside.ts'

export interface Delivery {
  /** aedes goes on with it and acknowledges it, but neither delivers nor retains it. */
  withhold(packet: PublishPacket): void
  publish(packet: PublishPacket, client: Client | null, done: (error?: Error) => void): void
  /** Whether any subscriber is, or may be when it comes back, on this topic. */
  isWanted(topic: string): boolean
}

interface Publishing {
  readonly packet: PublishPacket
  readonly client: Client | null
  readonly done: (error?: Error) => void
}

// A mark on the packet itself: it is looked at for each message, where a set of them costs several times as much.
const withheld = Symbol('withheld')
type Marked = PublishPacket & { [withheld]?: true }

/** `mayQueue` is whether any session is stored, whose client may be away. */
export function orderDelivery(aedes: AedesInside, mayQueue: () => boolean): Delivery {
  const publish = aedes.publish.bind(aedes)
  const emit = aedes.mq.emit.bind(aedes.mq)
  const waiting: Publishing[] = []
  let current: Publishing | undefined
  let advancing = false

  function start(next: Publishing): void {
    current = next
    publish(next.packet, next.client, (error) => {
      if (current === next) current = undefined
      next.done(error)
      advance()
    })
  }

  function advance(): void {
    if (advancing) return
    advancing = true
    for (let next; current === undefined && (next = waiting.shift());) start(next)
    advancing = false
  }

  // Most messages go to the log and to no MQTT subscriber; finding that out costs a tenth of publishing.
  const isWanted = (topic: string): boolean => mayQueue() || aedes.mq._matcher.match(topic).length > 0

  // Subscribers' connections have bounds of their own, so nobody waits for them here.
  aedes.mq.emit = (message, done) => {
    emit(message, noop)
    current = undefined
    done?.()
    advance()
  }

  const ordered: Delivery['publish'] = (packet, client, done) => {
    if (!packet.retain && !isWanted(packet.topic)) return done()
    const next = { packet, client, done }
    if (current === undefined && waiting.length === 0) start(next)
    else waiting.push(next)
  }
  aedes.publish = (packet, from, then) => {
    const [client, done] = typeof from === 'function' ? [null, from] : [from, then ?? noop]
    // $SYS is aedes' own: it would tell client ids and subscriptions.
    if (packet.topic.startsWith('$') || (packet as Marked)[withheld]) done()
    else ordered(packet, client, done)
  }

  return {
    withhold(packet) {
      ;(packet as Marked)[withheld] = true
    },
    publish: ordered,
    isWanted,
  }
}

const noop = (): void => {}
