// Events as people write them in fixtures: enums by name, times in RFC 3339, 64-bit numbers as text, bytes in base64, absent left
// out. What is compared has gone through the wire, so a field that the schema does not have cannot hide.

import type { Decoded } from '../../adapters/adapter.ts'
import type { Event } from '../../proto/generated/types.ts'
import { rfc3339 } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'

const eventCodec = codec('tocsin.v1.Event')

export function readableEvent(event: Event): unknown {
  return withTimes(eventCodec.toJson(eventCodec.decode(eventCodec.encode(event))))
}

export function readableOutcome(decoded: Decoded): unknown {
  if (decoded.outcome !== 'events') return decoded
  return { ...decoded, events: decoded.events.map(readableEvent) }
}

function withTimes(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => withTimes(each))
  if (typeof value !== 'object' || value === null) return value
  if (/(?:At|Start|End)$/.test(name)) {
    const { seconds = '0', nanos = 0 } = value as { seconds?: string; nanos?: number }
    return rfc3339(BigInt(seconds) * 1_000_000_000n + BigInt(nanos))
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withTimes(child, key)]))
}
