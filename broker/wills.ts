// The last messages of clients that vanished. A will is a message like any other, so it is received before anybody is given it; since
// nobody else has a copy, one that cannot be stored is kept and tried again, and it outlives the process.

import type { PublishPacket } from 'aedes'

import { inbound, isBridgeStatus } from './inflow.ts'
import type { Limits } from './limits.ts'
import type { BrokerParts, MessageProperties, Principal } from './port.ts'
import type { SessionStore, StoredWill } from './stored.ts'
import type { Tally } from './tally.ts'

export interface Wills<P extends Principal> {
  /** Resolves when it is on disk: the client is let in after that. */
  keep(owner: Owner, will: StoredWill): Promise<void>
  /** It is not to be sent any more, or is sent. Nothing, when the one that is kept is that of a later connection. */
  forget(owner: Owner): void
  /** The client is here: whatever is kept of before is not to be sent any more. */
  came(clientId: string): void
  /** Its client vanished. Resolves when it is stored, or never will be. */
  send(principal: P, will: StoredWill): Promise<void>
  /** After a restart: their clients have so long to come back as a silent one is given. */
  restore(stored: readonly StoredWill[]): void
  close(): void
}

/** One connection of a client. */
export interface Owner {
  readonly id: string
}

export interface WillsParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'receive' | 'mayPublish' | 'recall'>
  readonly limits: Limits
  readonly tally: Tally
  readonly store: Pick<SessionStore, 'write' | 'flush'>
}

const retryMs = 1_000

export function createWills<P extends Principal>(parts: WillsParts<P>): Wills<P> {
  const { house, limits, tally, store } = parts
  const timers = new Map<string, NodeJS.Timeout>()
  /** Whose will is kept, by client id. */
  const owners = new Map<string, Owner | StoredWill>()
  let waiting = 0
  let closed = false

  function came(clientId: string): void {
    clearTimeout(timers.get(clientId))
    timers.delete(clientId)
    owners.delete(clientId)
    store.write({ kind: 'will_gone', clientId })
  }

  function isKept(clientId: string, owner: Owner | StoredWill): boolean {
    return owners.get(clientId) === owner
  }

  async function send(principal: P, will: StoredWill): Promise<void> {
    if (isBridgeStatus(will.topic)) {
      tally.totals.swallowed++
      return
    }
    const packet = {
      ...will,
      payload: Buffer.from(will.payload),
      dup: false,
      packetId: 0,
      properties: will.properties ?? {},
    }
    for (let first = true; !closed; first = false) {
      try {
        if ((await house.receive(principal, inbound(packet, will, true, true))) === 'accepted') tally.totals.accepted++
        return
      } catch {
        if (first) tally.totals.unstored++
        if (waiting >= limits.willsWaitingMax) return tally.drop('will_unstored', will.clientId)
        waiting++
        await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref())
        waiting--
      }
    }
  }

  async function sendRestored(will: StoredWill): Promise<void> {
    const { clientId, topic, retain, qos } = will
    timers.delete(clientId)
    const principal = house.recall(will.principal, clientId)
    // Who is not known any more, or may not say it any more, says nothing.
    if (principal && house.mayPublish(principal, topic, { retain, qos, will: true })) await send(principal, will)
    if (!closed && isKept(clientId, will)) came(clientId)
  }

  return {
    keep(owner, will) {
      owners.set(owner.id, owner)
      store.write({ kind: 'will', will })
      return store.flush()
    },
    forget(owner) {
      if (!closed && isKept(owner.id, owner)) came(owner.id)
    },
    came,
    send,
    restore(stored) {
      for (const will of stored) {
        owners.set(will.clientId, will)
        const delayMs = (will.silentSecondsMax + will.delaySeconds) * 1_000
        const timer = setTimeout(() => void sendRestored(will), Math.min(delayMs, 0x7fffffff))
        timers.set(will.clientId, timer.unref())
      }
    },
    close() {
      closed = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/** `properties`: read from its CONNECT; aedes loses the order of user properties. */
export function willOf(
  clientId: string,
  principal: string,
  protocolVersion: 3 | 4 | 5,
  { topic, payload, qos, retain, properties: read }: PublishPacket,
  properties: MessageProperties,
  silentSecondsMax: number,
): StoredWill {
  const { willDelayInterval = 0 } = (read ?? {}) as { willDelayInterval?: number }
  return {
    clientId,
    principal,
    protocolVersion,
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos: qos ?? 0,
    retain: retain ?? false,
    ...(protocolVersion === 5 && { properties }),
    silentSecondsMax,
    delaySeconds: willDelayInterval,
  }
}
