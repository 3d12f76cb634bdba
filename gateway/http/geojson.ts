// Events as GeoJSON (RFC 7946), for maps: each feature says how it was placed, so that nobody takes a whole county for an exact line;
// what cannot be placed has no geometry and is listed.

import { MessageStatus, EventKind, Severity } from '../../proto/generated/types.ts'
import type { Event, Record as WireRecord } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { idText } from '../ids.ts'
import { kindOf } from '../lane.ts'
import type { Places } from '../places/places.ts'
import { nameOf } from './filter-parameters.ts'
import { eventOf } from './shapes.ts'

export const geojsonType = 'application/geo+json'

export interface Feature {
  readonly type: 'Feature'
  readonly id: string
  readonly geometry: object | null
  readonly properties: Readonly<Record<string, unknown>>
}

const eventCodec = codec('tocsin.v1.Event')

/** Undefined: the payload was removed. */
export function featureOf(places: Places, record: WireRecord, further: object = {}): Feature | undefined {
  const event = eventOf(record)
  if (!event) return undefined
  const { by, geometry, words, unplaced } = places.place(event)
  const id = idText(event.id ?? new Uint8Array())
  return {
    type: 'Feature',
    id,
    geometry,
    properties: {
      placedBy: by,
      placed: words,
      ...(unplaced.length > 0 && { unplaced }),
      ...properties(event),
      loggedAt: rfc3339(toBigInt(record.loggedAtNs)),
      event: `/v1/events/${id}`,
      ...further,
    },
  }
}

function properties(event: Event): object {
  const { subject = '', origin, severity, messageStatus, body } = event
  const { observation } = eventCodec.toJson(event) as { observation?: { measurements?: unknown } }
  const observedAt = timestampNs(event.observedAt)
  return {
    kind: nameOf(EventKind, body && kindOf[body]),
    status: nameOf(MessageStatus, messageStatus),
    subject,
    ...(origin?.device && { device: origin.device }),
    ...(severity && { severity: nameOf(Severity, severity) }),
    ...(observedAt !== undefined && { observedAt: rfc3339(observedAt) }),
    ...(observation?.measurements !== undefined && { measurements: observation.measurements }),
  }
}

/** `unplaced` names the features of which something is not on the map. RFC 7946 §6.1 allows such members. */
export function collectionOf(features: readonly Feature[], further: object = {}): string {
  const unplaced = features
    .filter(({ geometry, properties: { unplaced: codes } }) => geometry === null || codes !== undefined)
    .map(({ id, properties: { placed } }) => ({ id, why: placed }))
  return JSON.stringify({ type: 'FeatureCollection', features, unplaced, ...further })
}
