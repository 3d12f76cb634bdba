// The dispatcher at the console: subscribes by gRPC as any console does, shows each event on the line that `tocsin watch` shows, and
// remembers what was seen.

import type { Event, Frame, Record as StoredRecord, SubscribeResponse } from '../proto/generated/types.ts'
import { Lane } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { codec } from '../proto/wire.ts'
import { readWords } from '../gateway/cli/command.ts'
import { connect } from '../gateway/cli/connection.ts'
import { createEventLines, eventOf } from '../gateway/cli/event-line.ts'
import type { Terminal } from '../gateway/cli/terminal.ts'
import { watch } from '../gateway/cli/watch.ts'

export interface Dispatcher {
  readonly seen: readonly Event[]
  /** Resolves when everything that is in the log now was seen. */
  caughtUp(): Promise<void>
  /** What is in quarantine, the oldest first. */
  refusals(): Promise<Frame[]>
  close(): void
}

const frameCodec = codec('tocsin.v1.Frame')
const caughtUpMsMax = 10_000
const pageSize = 1_000

export function startDispatcher(grpc: string, terminal: Terminal): Dispatcher {
  const connection = connect(readWords(watch, ['--server', grpc]))
  const lines = createEventLines(terminal)
  const seen: Event[] = []
  const heads = new Map<number, number>()
  let failure: Error | undefined

  const stream = connection.open('EventService/Subscribe', { start: 'earliest', earliest: {} })
  stream.on('data', (response: SubscribeResponse) => {
    if (response.item === 'batch') for (const record of response.batch.records ?? []) see(record)
  })
  stream.on('error', (error: Error) => (failure ??= connection.explain(error)))

  function see(record: StoredRecord): void {
    const event = eventOf(record)
    if (event) seen.push(event)
    heads.set(record.lane ?? Lane.UNSPECIFIED, toNumber(record.sequence))
    terminal.print(lines.line(record))
  }

  return {
    seen,
    async caughtUp() {
      const { lanes = [] } = await connection.call('AdminService/GetStatus', {})
      const isSeen = (): boolean =>
        lanes.every(({ lane = Lane.UNSPECIFIED, head }) => (heads.get(lane) ?? 0) >= toNumber(head))
      const lastMs = performance.now() + caughtUpMsMax
      while (!isSeen()) {
        if (failure) throw failure
        if (performance.now() > lastMs) throw new Error('the dispatcher was not given everything that is in the log')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async refusals() {
      const { frames = [] } = await connection.call('AdminService/ListRefusals', { pageSize })
      return frames.map((bytes) => frameCodec.decode(bytes)).toReversed()
    },
    close() {
      stream.cancel()
      connection.close()
    },
  }
}
