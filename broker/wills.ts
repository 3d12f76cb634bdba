// The last messages of clients that vanished. A will is a message like any other, so it is received before anybody is given it; since
// nobody else has a copy, one that cannot be stored is kept and tried again, and it outlives the process.

import type { PublishPacket } from 'aedes'

import { denied } from './denied.ts'
import { inbound, isBridgeStatus } from './inflow.ts'
import type { Limits } from './limits.ts'
import type { BrokerParts, MessageProperties, Principal, Verdict } from './port.ts'
import type { SessionStore, StoredSession, StoredSessions, StoredWill } from './stored.ts'
import type { Tally } from './tally.ts'

export interface Wills<P extends Principal> {
  /** Resolves when it is on disk: the client is let in after that. */
  keep(owner: Owner, principal: P, will: StoredWill): Promise<void>
  /** It is not to be sent any more. Nothing, when the one that is kept is that of a later connection. */
  forget(owner: Owner): void
  /** Its client has gone, and its session is kept for so long; from now on nothing but its delay is waited for. */
  left(owner: Owner, expirySeconds: number): void
  /**
   * The client is here: whatever is kept of before is not to be sent any more. When it starts anew, what waited for its delay is sent: the
   * session to which it could have come back has ended (MQTT 5 §3.1.2.5).
   */
  came(clientId: string, startsAnew: boolean): void
  /** Its client vanished, and its time has come. Resolves when it is stored, or never will be. */
  send(owner: Owner, principal: P, will: StoredWill): Promise<void>
  /** After a restart: their clients have so long to come back as a silent one is given. */
  restore(stored: Pick<StoredSessions, 'wills' | 'sessions'>, now: bigint): void
  close(): void
}

/** One connection of a client. */
export interface Owner {
  readonly id: string
}

export interface WillsParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'take' | 'mayPublish' | 'mayBeAnswered' | 'recall' | 'newFrameId' | 'isStored'>
  readonly limits: Limits
  readonly tally: Tally
  readonly store: Pick<SessionStore, 'write' | 'flush'>
}

interface Kept<P extends Principal> {
  /** Absent for one of before a restart, and so is its principal. */
  readonly owner?: Owner
  readonly principal?: P
  readonly will: StoredWill
  /** Its client has gone, and it waits for its delay alone. */
  isDelayed: boolean
}

const retryMs = 1_000

export function createWills<P extends Principal>(parts: WillsParts<P>): Wills<P> {
  const { house, limits, tally, store } = parts
  const timers = new Map<string, NodeJS.Timeout>()
  /** By client id. */
  const kept = new Map<string, Kept<P>>()
  let waiting = 0
  let closed = false

  function drop(clientId: string): void {
    clearTimeout(timers.get(clientId))
    timers.delete(clientId)
    kept.delete(clientId)
  }

  /** Nobody waits for it to be on disk, but after a crash before that it would be sent, or sent again. */
  function forgetStored(clientId: string): void {
    store.write({ kind: 'will_gone', clientId })
    store.flush().catch(() => {})
  }

  function keptOf(owner: Owner): Kept<P> | undefined {
    const its = kept.get(owner.id)
    return its?.owner === owner ? its : undefined
  }

  function forget(owner: Owner): void {
    if (closed || !keptOf(owner)) return
    drop(owner.id)
    forgetStored(owner.id)
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
        const verdict = await new Promise<Verdict>((settled, notTaken) =>
          house.take(principal, inbound(packet, will, undefined, true, will.frameId), { settled, notTaken }),
        )
        if (verdict === 'accepted') tally.totals.accepted++
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

  /** The id under which it is stored is on disk before it is, so that after a crash it is known whether it was sent. */
  async function sendOnce(principal: P, will: StoredWill): Promise<void> {
    if (will.frameId && house.isStored(will.frameId)) return
    const frameId = will.frameId ?? house.newFrameId()
    const due = { ...will, frameId, silentSecondsMax: 0, delaySeconds: 0 }
    if (!will.frameId) store.write({ kind: 'will', will: due })
    // Where the disk refuses, it will refuse the message too.
    await store.flush().catch(() => {})
    await send(principal, due)
  }

  async function sendKept(its: Kept<P>): Promise<void> {
    const { clientId } = its.will
    const principal = its.principal ?? house.recall(its.will.principal, clientId)
    // Another may stand in its place by now, in the store too.
    const sendIt = kept.has(clientId) ? send : sendOnce
    // Who is not known any more, or may not say it any more, says nothing.
    if (principal && !denied(parts, principal, its.will, true)) await sendIt(principal, its.will)
    if (!closed && !kept.has(clientId)) forgetStored(clientId)
  }

  return {
    keep(owner, principal, will) {
      kept.set(owner.id, { owner, principal, will, isDelayed: false })
      store.write({ kind: 'will', will })
      return store.flush()
    },
    forget,
    left(owner, expirySeconds) {
      const its = keptOf(owner)
      if (!its || Math.min(its.will.delaySeconds, expirySeconds) === 0) return
      its.isDelayed = true
      store.write({ kind: 'will', will: { ...its.will, silentSecondsMax: 0 } })
    },
    came(clientId, startsAnew) {
      const before = kept.get(clientId)
      drop(clientId)
      if (startsAnew && before?.isDelayed) void sendKept(before)
      else if (before) forgetStored(clientId)
    },
    async send(owner, principal, will) {
      const its = keptOf(owner)
      if (its) its.isDelayed = false
      await (its ? sendOnce(principal, its.will) : send(principal, will))
      forget(owner)
    },
    restore({ wills, sessions }, now) {
      const sessionOf = new Map(sessions.map((session) => [session.clientId, session]))
      for (const will of wills) {
        const { clientId, silentSecondsMax } = will
        const its = { will, isDelayed: silentSecondsMax === 0 }
        kept.set(clientId, its)
        const waitMs = (silentSecondsMax + delayLeft(will, sessionOf.get(clientId), now)) * 1_000
        const sendNow = (): void => {
          drop(clientId)
          void sendKept(its)
        }
        timers.set(clientId, setTimeout(sendNow, Math.min(waitMs, 0x7fffffff)).unref())
      }
    },
    close() {
      closed = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}

/** Seconds; the end of its session cuts it short (MQTT 5 §3.1.2.5), and a session that is not stored has ended. */
function delayLeft({ delaySeconds }: StoredWill, session: StoredSession | undefined, now: bigint): number {
  if (!session) return 0
  const { expirySeconds, leftAt = now } = session
  return Math.max(0, Math.min(delaySeconds, expirySeconds) - Math.max(0, Number(now - leftAt) / 1e9))
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
