// What a stream says, as server-sent events. Each event has the cursor after itself as its id, although the log gives a cursor for
// each batch only; streams at the same place share the text.

import { GapReason, Lane as WireLane } from '../../proto/generated/types.ts'
import type { Batch, SubscribeResponse } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { toBigInt, toNumber } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { ReaderPlace } from '../grpc/batches.ts'
import { decodeCursor, encodeCursor } from '../grpc/cursor.ts'
import type { Log } from '../log/log.ts'
import { nameOf } from './filter-parameters.ts'
import { tokenText } from './given.ts'
import { isVoid, recordJson } from './shapes.ts'

/** One stream's: turns encoded SubscribeResponses into text, in the order they come; empty: nothing to say. */
export type StreamTexts = (encoded: Buffer) => Buffer

const responseCodec = codec('tocsin.v1.SubscribeResponse')
const nothing = Buffer.alloc(0)

interface Written {
  readonly from: ReaderPlace['bookmark']
  readonly through: ReaderPlace
  readonly text: Buffer
}

export function createStreamTexts(log: Pick<Log, 'epoch'>): (start: ReaderPlace) => StreamTexts {
  /** By the batch, which streams at the same place share. */
  const shared = new WeakMap<Buffer, Written>()

  return (start) => {
    let place: ReaderPlace = { bookmark: start.bookmark, loggedAt: start.loggedAt }
    return (encoded) => {
      const known = shared.get(encoded)
      if (known && isSame(known.from, place.bookmark)) {
        place = known.through
        return known.text
      }
      const response = responseCodec.decode(encoded)
      const from = place.bookmark
      const text = Buffer.from(textOf(response, place, log.epoch))
      place = placeAfter(response) ?? place
      if (response.item === 'batch') shared.set(encoded, { from, through: place, text })
      return text.length > 0 ? text : nothing
    }
  }
}

const isSame = (a: ReaderPlace['bookmark'], b: ReaderPlace['bookmark']): boolean =>
  a.urgent === b.urgent && a.routine === b.routine

function textOf(response: SubscribeResponse, place: ReaderPlace, epoch: bigint): string {
  switch (response.item) {
    case 'batch':
      return batchText(response.batch, place, epoch)
    case 'gap': {
      const { lane, from, to, reason, text = '' } = response.gap
      const gap = {
        lane: nameOf(WireLane, lane),
        from: toNumber(from),
        to: toNumber(to),
        reason: nameOf(GapReason, reason),
        text,
      }
      return message({ name: 'gap', json: gap })
    }
    case 'caughtUp':
      return message({ name: 'caught_up', id: response.caughtUp.cursor, json: {} })
    case 'heartbeat': {
      const { urgentHead, routineHead, sentAt, cursor } = response.heartbeat
      const heads = { urgentHead: toNumber(urgentHead), routineHead: toNumber(routineHead) }
      return message({ name: 'heartbeat', id: cursor, json: { ...heads, sentAt: rfc3339(timestampNs(sentAt) ?? 0n) } })
    }
    default:
      return ''
  }
}

function batchText({ records = [], cursor, snapshot }: Batch, place: ReaderPlace, epoch: bigint): string {
  const bookmark = { ...place.bookmark }
  const loggedAt = { ...place.loggedAt }
  const shown = records.filter((record) => !isVoid(record))
  const last = shown.at(-1)
  const texts = shown.map((record) => {
    const lane = record.lane === WireLane.URGENT ? 'urgent' : 'routine'
    bookmark[lane] = toNumber(record.sequence)
    loggedAt[lane] = toBigInt(record.loggedAtNs)
    // A snapshot is not in the order of the log: who was cut off in it is given it again.
    const isWhole = snapshot || record === last
    const id = isWhole ? cursor : encodeCursor({ epoch, bookmark, loggedAt, inSnapshot: false })
    return message({ id, json: recordJson(record) })
  })
  return texts.join('')
}

function placeAfter(response: SubscribeResponse): ReaderPlace | undefined {
  const { item } = response
  const bytes =
    item === 'batch'
      ? response.batch.cursor
      : item === 'caughtUp'
        ? response.caughtUp.cursor
        : item === 'heartbeat'
          ? response.heartbeat.cursor
          : undefined
  if (!bytes?.length) return undefined
  const { bookmark, loggedAt, inSnapshot } = decodeCursor(bytes, 'cursor')
  return inSnapshot ? undefined : { bookmark, loggedAt }
}

/** An event without a name is what `EventSource.onmessage` gets. JSON has no line breaks of its own. */
function message({ name, id, json }: { name?: string; id?: Uint8Array | undefined; json: unknown }): string {
  const head = `${name === undefined ? '' : `event: ${name}\n`}${id?.length ? `id: ${tokenText(id)}\n` : ''}`
  return `${head}data: ${JSON.stringify(json)}\n\n`
}

/** The last word of a stream that the gateway ends; "error" would be taken for an error of the browser's own. */
export function endText(error: unknown): string {
  const told = error instanceof GatewayError ? error : undefined
  const text = 'The gateway failed on this stream: resume from the last id.'
  return message({ name: 'end', json: { error: told?.code ?? 'internal', message: told?.message ?? text } })
}
