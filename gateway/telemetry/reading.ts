// What consoles ask of a store, passed on to its reader in a thread: long questions hold up nobody who sends. One for every store.

import { timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { Clock } from '../clock.ts'
import type { LanePosition, Log } from '../log/log.ts'
import { wireListed } from './answers.ts'
import { listPlan, pageToken, queryPlan } from './requests.ts'
import type { ListPlan, ListedSeries, MayRead, QueryPlan, SeriesKey, SeriesReader, TelemetryStore } from './store.ts'
import { type Caller, createThread, type Handlers } from './thread.ts'

export interface Reading extends TelemetryStore {
  close(): Promise<void>
}

export interface ReadingParts {
  /** The thread; it serves `readerHandlers`. */
  readonly program: URL
  readonly data: object
  readonly log: Log
  readonly clock: Clock
  /** What of the log the store has. */
  readonly place: () => LanePosition
}

const answerCodec = codec('tocsin.v1.QuerySeriesResponse')

export function createReading({ program, data, log, clock, place }: ReadingParts): Reading {
  const asking = new Map<number, MayRead>()
  let requests = 0
  const thread = createThread({
    program,
    name: 'tocsin-series',
    data,
    handlers: {
      permit: (request: number, series: readonly SeriesKey[]) => {
        const mayRead = asking.get(request)
        return series.map((each) => mayRead?.(each) ?? true)
      },
    },
  })

  async function ask<Result>(method: string, plan: object, mayRead: MayRead): Promise<Result> {
    const request = ++requests
    asking.set(request, mayRead)
    try {
      return await thread.call<Result>(method, [request, plan])
    } finally {
      asking.delete(request)
    }
  }

  /** When the first record was logged that the store does not have. */
  function completeUntilNs(): bigint {
    let least = clock.now()
    const reached = place()
    for (const lane of ['urgent', 'routine'] as const) {
      const next = log.read(lane, reached[lane], { records: 1, bytes: 1 })?.records[0]
      if (next && next.loggedAt < least) least = next.loggedAt
    }
    return least
  }

  const querySeriesBytes: TelemetryStore['querySeriesBytes'] = async (request, mayRead) => {
    const completeUntil = timestamp(completeUntilNs())
    const bytes = await ask<Uint8Array>('query', queryPlan(request, clock.now()), mayRead)
    // Encoded messages that stand one behind the other are one message.
    return Buffer.concat([bytes, answerCodec.encode({ completeUntil })])
  }

  return {
    querySeriesBytes,
    querySeries: async (request, mayRead) => answerCodec.decode(await querySeriesBytes(request, mayRead)),
    async listSeries(request, mayRead) {
      const plan = listPlan(request)
      const found = await ask<readonly ListedSeries[]>('list', plan, mayRead)
      const page = found.slice(0, plan.size)
      const end = page.at(-1)
      return {
        series: page.map((each) => wireListed(each)),
        ...(end && found.length > plan.size && { nextPageToken: pageToken(request, end) }),
      }
    },
    close: () => thread.close(),
  }
}

/** Inside the thread. `caller` is asked for when a question comes, since it is made from these. */
export function readerHandlers(reader: SeriesReader, caller: () => Caller): Handlers {
  const permitFor = (request: number) => (series: readonly SeriesKey[]) =>
    caller().call<readonly boolean[]>('permit', [request, series])
  return {
    // A copy with memory of its own, which is handed over.
    query: async (request: number, plan: QueryPlan) =>
      new Uint8Array(answerCodec.encode(await reader.query(plan, permitFor(request)))),
    list: (request: number, plan: ListPlan) => reader.list(plan, permitFor(request)),
    close: () => reader.close(),
  }
}
