// /v1/events.geojson and /v1/alerts.geojson: what there is, on a map.

import type { ListEventsRequest, Record as WireRecord } from '../../proto/generated/types.ts'
import { Lane, MessageStatus } from '../../proto/generated/types.ts'
import { uint64 } from '../../proto/int64.ts'
import { codec } from '../../proto/wire.ts'
import type { Clock } from '../clock.ts'
import { compileFilter } from '../grpc/filter.ts'
import { listEvents } from '../grpc/list-events.ts'
import type { Log } from '../log/log.ts'
import type { Places } from '../places/places.ts'
import { type AlertState, findAlerts, type FoundAlert } from './alerts.ts'
import { inTurns, listParameters, listRequest } from './events.ts'
import { filterOf, filterParameters, statusOf } from './filter-parameters.ts'
import { collectionOf, featureOf, geojsonType } from './geojson.ts'
import { tokenText } from './given.ts'
import type { Call, Parameters, Reply, Route } from './route.ts'

export interface MapParts {
  readonly log: Log
  readonly clock: Clock
  readonly places: Places
}

const pageCodec = codec('tocsin.v1.ListEventsResponse')
/** Shapes of counties are large. */
const featuresMax = 500

const { status, ...otherFilters } = filterParameters

export const alertParameters: Parameters = {
  ...otherFilters,
  status: {
    in: 'query',
    kind: 'name',
    of: status?.of ?? [],
    default: 'actual',
    about: 'Only this message status; an exercise is never among what is real.',
  },
  include: {
    in: 'query',
    kind: 'names',
    of: ['expired', 'cancelled', 'superseded'],
    about: 'Also those that hold no longer.',
  },
}

export function mapRoutes({ log, clock, places }: MapParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/events.geojson',
      group: 'Maps and feeds',
      name: 'mapEvents',
      about:
        'Events as GeoJSON. Each feature says how it was placed (`placedBy`: polygon, circle, point, zone, county, state, unplaced); what has no place has no geometry and is listed in `unplaced`.',
      parameters: {
        ...listParameters,
        limit: { in: 'query', kind: 'count', min: 1, max: featuresMax, default: 100, about: 'At most so many.' },
      },
      answers: [{ status: 200, about: 'A page.', type: geojsonType, schema: 'FeatureCollection' }],
      handle: ({ given, view }) => mapEvents(listRequest(given), view),
    },
    {
      method: 'GET',
      path: '/v1/alerts.geojson',
      group: 'Maps and feeds',
      name: 'mapAlerts',
      about:
        'Public alerts that hold now, as GeoJSON: not those that were cancelled, replaced or ran out. They are relayed, never originated here.',
      parameters: alertParameters,
      answers: [{ status: 200, about: 'The alerts.', type: geojsonType, schema: 'FeatureCollection' }],
      handle: mapAlerts,
    },
  ]

  async function mapEvents(request: ListEventsRequest, view: Call['view']): Promise<Reply> {
    const { records = [], nextPageToken } = pageCodec.decode(await listEvents({ log }, request, view))
    const features = await inTurns(records, (record) => featureOf(places, record))
    const page = nextPageToken?.length ? { nextPage: tokenText(nextPageToken) } : {}
    return { type: geojsonType, body: collectionOf(present(features), page) }
  }

  async function mapAlerts(call: Call): Promise<Reply> {
    const found = alertsFor(log, clock, call)
    const byRecord = new Map(found.map((each) => [wireRecord(each), each]))
    const features = await inTurns([...byRecord.keys()], (record) => {
      const each = byRecord.get(record)
      return each && featureOf(places, record, alertProperties(each))
    })
    return { type: geojsonType, body: collectionOf(present(features)) }
  }
}

const present = <Value>(values: readonly (Value | undefined)[]): Value[] =>
  values.filter((value) => value !== undefined)

export function alertsFor(log: Log, clock: Clock, { given, view }: Call): FoundAlert[] {
  const { messageStatuses: _, ...filter } = filterOf(given)
  return findAlerts(log, {
    view,
    filter: compileFilter(filter),
    status: statusOf(given) ?? MessageStatus.ACTUAL,
    states: given.texts('include') as readonly AlertState[],
    now: clock.now(),
  })
}

const wireRecord = ({ record: { lane, sequence, loggedAt, event, frameId } }: FoundAlert): WireRecord => ({
  lane: lane === 'urgent' ? Lane.URGENT : Lane.ROUTINE,
  sequence,
  loggedAtNs: uint64(loggedAt),
  event,
  frameId,
})

/** Of the first information block; the others say the same in other languages. */
function alertProperties({ alert, state }: FoundAlert): object {
  const [info = {}] = alert.infos ?? []
  const { event, headline, senderName } = info
  const area = (info.areas ?? []).map(({ description }) => description ?? '').filter(Boolean)
  return {
    state,
    sender: alert.sender ?? '',
    identifier: alert.identifier ?? '',
    sent: alert.sentText ?? '',
    ...(senderName && { senderName }),
    ...(event && { alert: event }),
    ...(headline && { headline }),
    ...(area.length > 0 && { area: area.join('; ') }),
  }
}
