// Our own schema as a wire format: one encoded tocsin.v1.Event. It is what programs publish over gRPC, and what a device that
// links our .proto files may publish over MQTT. Fields this version does not know are kept.

import { Label } from '../../proto/generated/types.ts'
import type { Event } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import {
  type Adapter,
  type Decoded,
  type Encoded,
  type EventDraft,
  type Frame,
  events,
  ignored,
  refused,
} from '../adapter.ts'

/** As `eventBytesMax` of the gateway: an event is a message, not a file. */
const frameBytesMax = 512 * 1024
const contentType = 'application/vnd.tocsin.event+protobuf'

const eventCodec = codec('tocsin.v1.Event')

export const tocsin: Adapter = {
  name: 'tocsin',
  spec: 'tocsin.v1.Event (proto/tocsin/v1/event.proto)',
  version: '1',
  contentTypes: [contentType],
  labels: [Label.PII, Label.PHI, Label.CJI],
  decoder: () => ({ decode }),
  encode,
}

function decode({ bytes }: Frame): Decoded {
  if (bytes.length === 0) return refused('length', 'no bytes')
  if (bytes.length > frameBytesMax)
    return refused('length', `${bytes.length} bytes; an event has at most ${frameBytesMax}`)
  let event: Event
  try {
    event = eventCodec.decode(bytes)
  } catch {
    return refused('syntax', 'not an encoded tocsin.v1.Event')
  }
  if (!event.body) return ignored('an event without a body that this version knows')
  return events([claimless(event)])
}

/**
 * Who vouches for an event and when a gateway had it is for gateways to say; a program cannot claim it. The gateways that it says
 * it passed are left for the house to look for its own name among, and go no further than that.
 */
function claimless(event: Event): EventDraft {
  const { authenticity: _, receivedAt: __, ...said } = event
  // A decoded message tells its body by its prototype and keeps unknown fields beside it; a copy sees neither.
  const draft = { ...said, body: event.body } as EventDraft
  const unknowns: unknown = Reflect.get(event, '$unknowns')
  if (unknowns) Object.defineProperty(draft, '$unknowns', { value: unknowns, enumerable: false })
  return draft
}

function encode(list: readonly Event[]): Encoded {
  const [event] = list
  if (!event || list.length > 1) return { outcome: 'unsupported', why: 'one event makes one message' }
  return { outcome: 'bytes', bytes: eventCodec.encode(event), contentType, lost: [] }
}
