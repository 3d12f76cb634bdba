// Reads frames of the quarantine again, after a fix: with their original bytes, time and sender. What is sound now is stored as
// if it had come today but for the flag REPLAYED; what is not stays where it is.

import type { Frame } from '../adapters/adapter.ts'
import { Authenticity } from '../proto/generated/types.ts'
import type { Frame as KeptFrame } from '../proto/generated/types.ts'
import { timestampNs } from '../proto/time.ts'
import type { Sender } from './inputs/receive.ts'
import { type PipelineParts, type Read, keptFrame, readFrame } from './pipeline.ts'

export type ReplayFate = 'stored' | 'refused' | 'duplicate' | 'ignored'

export interface Replay {
  /** What would come of it, or what came of it; durable when it resolves. */
  (kept: KeptFrame, options: { dryRun: boolean }): Promise<{ fate: ReplayFate; why: string }>
}

export function createReplay(parts: PipelineParts): Replay {
  return async function replay(kept, { dryRun }) {
    const plain = senderOf(kept)
    const sender = parts.guarded?.(plain) ?? plain
    const frame = frameOf(kept)
    const route = routeOf(parts, kept, frame)
    if (!route) return { fate: 'refused', why: 'no adapter reads this channel' }

    const read = readFrame(parts, route, sender, frame, undefined, true)
    // It stays in quarantine until somebody has admitted its device.
    if (read.fate === 'waiting') return { fate: 'refused', why: read.why }
    const fate: ReplayFate = read.fate === 'carried' ? 'ignored' : read.fate
    const why = read.fate === 'stored' ? '' : read.why
    if (dryRun) return { fate, why }
    const settled = read.fate === 'stored' ? await store(read, sender, frame, route.input.name) : fate
    if (kept.id) await parts.log.markReplayed(kept.id, parts.clock.now(), settled)
    return { fate: settled, why }
  }

  async function store(
    read: Extract<Read, { fate: 'stored' }>,
    sender: Sender,
    frame: Frame,
    input: string,
  ): Promise<ReplayFate> {
    const route = parts.routes.find(frame.channel, frame.contentType)
    const id = parts.ids.next(frame.receivedAt)
    parts.accounting.receive(input)
    try {
      const appended = await parts.log.append({
        frame: keptFrame(id, read, sender, frame, route, undefined),
        records: read.records,
      })
      parts.accounting.settle(input, appended.fate)
      return appended.fate
    } catch (error) {
      parts.accounting.settle(input, 'not_taken')
      throw error
    }
  }
}

/** The adapter that refused it, or, where none was chosen, the one that reads its channel today. */
export const routeOf = (parts: Pick<PipelineParts, 'routes'>, kept: KeptFrame, frame: Frame) =>
  kept.adapter
    ? parts.routes.byAdapter(kept.adapter, frame.channel)
    : parts.routes.find(frame.channel, frame.contentType)

function senderOf(kept: KeptFrame): Sender {
  const authenticated = kept.authenticity === Authenticity.AUTHENTICATED
  return { name: kept.sender ?? '', authenticity: authenticated ? 'authenticated' : 'unverified', link: 'replay' }
}

export function frameOf(kept: KeptFrame): Frame {
  const properties = (kept.properties ?? []).map(({ name = '', value = '' }) => [name, value] as const)
  return {
    bytes: kept.payload ?? new Uint8Array(),
    receivedAt: timestampNs(kept.receivedAt) ?? 0n,
    channel: kept.channel ?? '',
    ...(kept.contentType ? { contentType: kept.contentType } : undefined),
    ...(properties.length > 0 ? { properties } : undefined),
  }
}
