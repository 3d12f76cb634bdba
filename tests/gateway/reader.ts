// A console as simple as can be: reads all that is in a gateway's log over gRPC.

import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js'
import type { Event, ListEventsRequest, ListEventsResponse } from '../../proto/generated/types.ts'
import { codec, serviceDefinition } from '../../proto/wire.ts'

const EventService = makeGenericClientConstructor(serviceDefinition('tocsin.v1.EventService'), 'EventService')
const eventCodec = codec('tocsin.v1.Event')

type List = (request: ListEventsRequest, done: (error: ServiceError | null, answer: ListEventsResponse) => void) => void

/** Every event that matches, oldest first. */
export async function listAll(
  address: string,
  filter: ListEventsRequest['filter'] = {},
  channel = credentials.createInsecure(),
): Promise<Event[]> {
  const client = new EventService(address, channel)
  try {
    const list = (client['ListEvents'] as unknown as List).bind(client)
    const found: Event[] = []
    let pageToken: Uint8Array | undefined
    do {
      const request: ListEventsRequest = { filter, pageSize: 1_000, ...(pageToken ? { pageToken } : undefined) }
      const page = await new Promise<ListEventsResponse>((resolve, reject) => {
        list(request, (error, answer) => (error ? reject(error) : resolve(answer)))
      })
      for (const { event } of page.records ?? []) if (event) found.push(eventCodec.decode(event))
      pageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
    } while (pageToken)
    return found
  } finally {
    client.close()
  }
}

/** The numbers that `createPublisher` sent, by device, in the order of the log. */
export function numbersOf(events: readonly Event[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>()
  for (const event of events) {
    if (event.body !== 'observation') continue
    const device = event.origin?.device ?? ''
    const list = numbers.get(device) ?? []
    for (const { value, ...measurement } of event.observation.measurements ?? []) {
      if ('number' in measurement) list.push(Number(measurement.number))
      else if ('integer' in measurement) list.push(Number(measurement.integer))
      void value
    }
    numbers.set(device, list)
  }
  return numbers
}
