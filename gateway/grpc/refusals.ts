// The quarantine for those who run the gateway: what was refused and why, and its reading again after a fix. A replay is one at a
// time, frame by frame, and tells how far it is.

import { Fate } from '../../proto/generated/types.ts'
import type {
  Frame,
  ListRefusalsRequest,
  ListRefusalsResponse,
  ReplayRefusalsRequest,
  ReplayRefusalsResponse,
} from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { Log } from '../log/log.ts'
import { topicMatches } from '../policy/topic-filters.ts'
import type { Replay } from '../replay.ts'
import type { View } from './access.ts'

const pageSizeDefault = 100
const pageSizeMax = 1_000
/** Clients take 4 MB unless told otherwise. */
const pageBytesMax = 2 << 20
const chunkFrames = 200
/** Frames looked at for one page. */
const scanMax = 20_000
const idBytes = 16
/** A console shows progress; more often is of no use. */
const progressEvery = 50

const frameCodec = codec('tocsin.v1.Frame')

export function listRefusals(log: Log, request: ListRefusalsRequest, view: View): ListRefusalsResponse {
  const { pageToken = new Uint8Array() } = request
  checkId('page_token', pageToken, true)
  const size = Math.min(request.pageSize || pageSizeDefault, pageSizeMax)
  const wanted = refusalFilter(request)
  const frames: Uint8Array[] = []
  let bytes = 0
  let scanned = 0
  let last = pageToken
  for (const frame of keptFrames(log, request, pageToken)) {
    last = frame.id ?? last
    scanned += 1
    if (wanted(frame)) {
      const shown = request.includePayload && view.mayReadFrame(frame) ? frame : { ...frame, payload: new Uint8Array() }
      const encoded = frameCodec.encode(shown)
      frames.push(encoded)
      bytes += encoded.length
    }
    if (frames.length >= size || bytes >= pageBytesMax || scanned >= scanMax) return { frames, nextPageToken: last }
  }
  return { frames }
}

/** Newest first. */
function* keptFrames(log: Log, { carried }: ListRefusalsRequest, before: Uint8Array): Generator<Frame> {
  const fate = carried ? 'carried' : 'refused'
  let last = before
  for (;;) {
    const chunk = log.frames({ fate, limit: chunkFrames, ...(last.length > 0 && { before: last }) })
    yield* chunk
    const end = chunk.at(-1)?.id
    if (!end || chunk.length < chunkFrames) return
    last = end
  }
}

function refusalFilter(request: ListRefusalsRequest): (frame: Frame) => boolean {
  const { adapters = [], senders = [], faults = [], channels = [], includeReplayed = false } = request
  const from = timestampNs(request.from)
  const to = timestampNs(request.to)
  return (frame) => {
    const at = timestampNs(frame.receivedAt) ?? 0n
    if ((from !== undefined && at < from) || (to !== undefined && at >= to)) return false
    // What was refused again is still in quarantine, and waits for the next fix.
    if (frame.replayedAt && frame.replayFate !== Fate.REFUSED && !includeReplayed) return false
    if (!isAmong(adapters, frame.adapter) || !isAmong(senders, frame.sender) || !isAmong(faults, frame.fault))
      return false
    return channels.length === 0 || channels.some((filter) => topicMatches(filter, frame.channel ?? ''))
  }
}

const isAmong = (values: readonly string[], value = ''): boolean => values.length === 0 || values.includes(value)

/** One at a time in this process: two would read the same frames twice. */
let isReplaying = false

/** What a replay needs of its call; a `ServerWritableStream` has it. */
export interface ReplayCall {
  readonly request: ReplayRefusalsRequest
  readonly cancelled: boolean
  write(progress: ReplayRefusalsResponse): unknown
  end(): void
}

export function replayRefusals(log: Log, call: ReplayCall, replay: Replay, fail: (error: unknown) => void): void {
  const { request } = call
  for (const id of request.frameIds ?? []) checkId('frame_ids', id)
  if (isReplaying) throw new GatewayError('already_running', 'Another replay runs: wait for its end, then try again.')
  isReplaying = true
  run()
    .then(() => call.end())
    .catch(fail)
    .finally(() => (isReplaying = false))

  async function run(): Promise<void> {
    const ids = chosenIds(log, request)
    const came = { stored: 0, refused: 0, duplicate: 0, ignored: 0 }
    let read = 0
    for (const id of ids) {
      if (call.cancelled) return
      const frame = log.findFrame(id)
      // Retention may have taken it since it was listed.
      if (frame?.fate === Fate.REFUSED || frame?.fate === Fate.CARRIED) {
        const { fate } = await replay(frame, { dryRun: request.dryRun ?? false })
        came[fate] += 1
      }
      read += 1
      if (read % progressEvery === 0) call.write({ total: ids.length, read, ...came, done: false })
    }
    call.write({ total: ids.length, read, ...came, done: true })
  }
}

/** Oldest first, as they came. Ids are 16 bytes each; the frames themselves are read one by one. */
function chosenIds(log: Log, { frameIds = [], matching }: ReplayRefusalsRequest): readonly Uint8Array[] {
  if (frameIds.length > 0) return frameIds
  const request = matching ?? {}
  const wanted = refusalFilter(request)
  const ids: Uint8Array[] = []
  for (const frame of keptFrames(log, request, new Uint8Array())) if (frame.id && wanted(frame)) ids.push(frame.id)
  return ids.toReversed()
}

function checkId(field: string, id: Uint8Array, mayBeEmpty = false): void {
  if (id.length === idBytes || (mayBeEmpty && id.length === 0)) return
  throw new GatewayError('invalid_argument', `${field} must be ${idBytes} bytes; it is ${id.length}.`)
}
