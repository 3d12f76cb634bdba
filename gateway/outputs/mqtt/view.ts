// What subscribers may see of an event: the configured view, applied.

import { encodeEvent } from '../../../proto/generated/encode.ts'
import type { Event } from '../../../proto/generated/types.ts'
import { codec } from '../../../proto/wire.ts'
import type { StoredRecord } from '../../log/log.ts'
import { type Included, mayTellPlace } from '../../policy/configured-view.ts'
import { redact } from '../../policy/redact.ts'

export interface Seen {
  readonly event: Event
  readonly bytes: Uint8Array
  readonly isRedacted: boolean
}

const eventCodec = codec('tocsin.v1.Event')

/** A word: nothing of it may be seen. `failed` is told why it cannot be read. */
export function viewOf(
  record: Pick<StoredRecord, 'event'>,
  included: ReadonlySet<Included>,
  failed?: (error: unknown) => void,
): Seen | 'unreadable' | 'law_enforcement_position' {
  let event: Event
  try {
    event = eventCodec.decode(record.event)
  } catch (error) {
    failed?.(error)
    return 'unreadable'
  }
  if (event.body === 'position' && !mayTellPlace(event, included)) return 'law_enforcement_position'
  const isRedacted = redact(event, included).size > 0
  return { event, bytes: isRedacted ? encodeEvent(event) : record.event, isRedacted }
}

export const asJson = ({ event }: Seen): Uint8Array => Buffer.from(JSON.stringify(eventCodec.toJson(event)))
