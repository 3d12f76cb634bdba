// Takes a frame that has waited on its way: out of the log, through its adapter, and into the log again under the id that its sender
// was promised, with its own time. Once, also when the gateway was killed in between.

import { Authenticity, Fate } from '../../proto/generated/types.ts'
import type { Frame as KeptFrame } from '../../proto/generated/types.ts'
import type { FateName } from '../accounting.ts'
import { inputOf } from '../given.ts'
import type { Guard, Sender } from '../inputs/receive.ts'
import { type PipelineParts, type Read, keptFrame, readFrame } from '../pipeline.ts'
import { frameOf, routeOf } from '../replay.ts'

export interface Flow {
  /** Resolves when it is settled; rejects when nothing was taken. `guard`: for what else is in it. */
  (
    kept: KeptFrame,
    sender: Omit<Sender, 'link' | 'authenticity'>,
    guard: Guard | undefined,
  ): Promise<FateName | 'before'>
}

type FlowParts = Pick<PipelineParts, 'routes' | 'log' | 'ids' | 'accounting' | 'waiting' | 'mayPublish' | 'isKnown'> &
  Pick<PipelineParts, 'adapterFailed' | 'unknownQuantities' | 'whyUnread'>

/** What is told of a frame under these is told under its first id. */
const isSettled = (fate: FateName): boolean => fate !== 'refused' && fate !== 'waiting'

export function createFlow(parts: FlowParts): Flow {
  const { log, ids, accounting } = parts

  function read(kept: KeptFrame, sender: Sender): Read {
    const frame = frameOf(kept)
    const route = routeOf(parts, kept, frame)
    if (!route) return { fate: 'carried', why: parts.whyUnread(frame.channel), records: [] }
    return readFrame(parts, route, sender, frame, undefined, true)
  }

  return async (kept, { name, address }, guard) => {
    const first = kept.id!
    if (log.findFrame(first)?.fate !== Fate.WAITING) return 'before'
    const authenticity =
      kept.waiting?.authenticity === Authenticity.AUTHENTICATED ? 'authenticated' : ('unverified' as const)
    const sender: Sender = {
      name,
      authenticity,
      link: 'replay',
      ...(address !== undefined && { address }),
      ...(guard && { guard }),
    }
    const came = read(kept, sender)
    const frame = frameOf(kept)
    const route = routeOf(parts, kept, frame)
    const id = isSettled(came.fate) ? first : ids.next(frame.receivedAt)
    const next = keptFrame(id, came, sender, frame, route, undefined)
    const input = inputOf(route)
    accounting.receive(input)
    if (came.fate === 'waiting') parts.waiting?.entering(sender, next)
    try {
      const appended = await log.append({ frame: next, records: came.records, carry: true })
      const fate = appended.fate === 'stored' ? came.fate : appended.fate
      accounting.settle(input, fate, came.fate === 'refused' ? came.fault : undefined)
      if (came.fate === 'waiting')
        parts.waiting?.entered(sender, next, appended.fate === 'stored' ? appended.number : undefined)
      return fate
    } catch (error) {
      accounting.settle(input, 'not_taken')
      if (came.fate === 'waiting') parts.waiting?.entered(sender, next, undefined)
      throw error
    }
  }
}
