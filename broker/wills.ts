// The last messages of clients that vanished. A will is a message like any other, so it is received before it is delivered; since
// nobody else has a copy, one that cannot be stored is kept and tried again.

import type { Client, PublishPacket } from 'aedes'

import type { Delivery } from './delivery.ts'
import { inbound, isBridgeStatus } from './inflow.ts'
import type { Limits } from './limits.ts'
import type { BrokerParts, Principal } from './port.ts'
import type { Tally } from './tally.ts'

export interface Wills<P extends Principal> {
  send(principal: P, will: PublishPacket, client: Client, done: (error?: Error | null) => void): void
}

const retryMs = 1_000

export function createWills<P extends Principal>(parts: {
  readonly house: Pick<BrokerParts<P>, 'receive'>
  readonly limits: Limits
  readonly tally: Tally
  readonly delivery: Delivery
}): Wills<P> {
  const { house, limits, tally, delivery } = parts
  let waiting = 0

  async function settle(principal: P, will: PublishPacket, client: Client): Promise<boolean> {
    for (let first = true; ; first = false) {
      try {
        return (await house.receive(principal, inbound(will, client, true, true))) === 'accepted'
      } catch {
        if (first) tally.totals.unstored++
        if (waiting >= limits.willsWaitingMax) {
          tally.drop('will_unstored', client.id)
          return false
        }
        waiting++
        await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref())
        waiting--
      }
    }
  }

  return {
    send(principal, will, client, done) {
      // Authorised when the client connected.
      if (isBridgeStatus(will.topic)) {
        tally.totals.swallowed++
        delivery.withhold(will)
        return done(null)
      }
      const settled = (accepted: boolean): void => {
        if (!accepted) delivery.withhold(will)
        else tally.totals.accepted++
        done(null)
      }
      void settle(principal, will, client).then(settled)
    },
  }
}
