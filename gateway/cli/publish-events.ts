// Sends events of our own schema over gRPC, in batches that are acknowledged when they are on the gateway's disk.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Event, PublishResponse, PublishResult } from '../../proto/generated/types.ts'
import { Fate } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import { type Given, UsageError } from './command.ts'
import { connect, type Connection } from './connection.ts'
import { nameOf } from './event-summary.ts'
import { createProgress } from './progress.ts'
import { counted, safe, type Terminal } from './terminal.ts'

/** Below what a PublishRequest may hold: 1,000 events and 1 MB. */
const batchEventsMax = 500
const batchBytesMax = 900_000
/** Refused and ignored events that are told one by one. */
const toldMax = 20
const eventCodec = codec('tocsin.v1.Event')

export async function publishEvents(file: string, given: Given, terminal: Terminal): Promise<number> {
  const source = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8')
  const events = parseEvents(source).map((value, at) => encode(value, at))
  if (events.length === 0) throw new UsageError(`${file} holds no event`)
  const connection = connect(given)
  const progress = createProgress('publishing', (count) => counted(count, 'event'))
  const counts = new Map<Fate, number>()
  let done = 0
  try {
    await exchange(connection, batchesOf(events), (results) => {
      for (const result of results) {
        const fate = result.fate ?? Fate.UNSPECIFIED
        counts.set(fate, (counts.get(fate) ?? 0) + 1)
        done += 1
        if ((fate === Fate.REFUSED || fate === Fate.IGNORED) && (counts.get(fate) ?? 0) <= toldMax) {
          const why = [result.fault, result.why].filter((word) => word).join(': ')
          terminal.tell(`event ${done} is ${nameOf(Fate, fate)}: ${safe(why)}`)
        }
      }
      progress.at(done, events.length)
    })
  } finally {
    progress.end()
    connection.close()
    const parts = [...counts].map(([fate, count]) => `${count} ${nameOf(Fate, fate)}`)
    if (done > 0) terminal.print(`${counted(done, 'event')} of ${events.length} answered: ${parts.join(', ')}`)
  }
  return (counts.get(Fate.REFUSED) ?? 0) > 0 || done < events.length ? 1 : 0
}

/** A list, one event, or one on each line; each an event, or `{event: …}` as `tocsin watch --json` writes. */
function parseEvents(source: string): unknown[] {
  const trimmed = source.trim()
  if (trimmed === '') return []
  const whole = tryJson(trimmed)
  if (whole !== undefined) return [whole].flat()
  return trimmed.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === '') return []
    const value = tryJson(line)
    if (value === undefined) throw new UsageError(`line ${at + 1} is no JSON`)
    return [value]
  })
}

function tryJson(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch {
    return undefined
  }
}

function encode(value: unknown, at: number): Uint8Array {
  const inner = typeof value === 'object' && value !== null && 'event' in value ? value.event : value
  try {
    const event: Event = eventCodec.fromJson(inner)
    return eventCodec.encode(event)
  } catch (error) {
    const why = error instanceof Error ? error.message.replace('.tocsin.v1.', '') : String(error)
    throw new UsageError(`event ${at + 1} is not of the schema: ${why}`)
  }
}

function* batchesOf(events: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const event of events) {
    if (batch.length > 0 && (batch.length >= batchEventsMax || bytes + event.length > batchBytesMax)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += event.length
  }
  if (batch.length > 0) yield batch
}

async function exchange(
  connection: Connection,
  batches: Iterable<Uint8Array[]>,
  answered: (results: readonly PublishResult[]) => void,
): Promise<void> {
  const stream = connection.publish()
  const over = new Promise<void>((resolve, reject) => {
    stream.on('data', ({ results = [] }: PublishResponse) => answered(results))
    stream.on('error', (error) => reject(connection.explain(error)))
    stream.on('end', resolve)
  })
  // Its rejection is told by the await below, also when it comes while we still write.
  over.catch(() => undefined)
  let number = 0
  for (const events of batches) {
    number += 1
    if (stream.destroyed) break
    if (!stream.write({ batch: number, events })) await Promise.race([once(stream, 'drain'), over])
  }
  stream.end()
  await over
}
