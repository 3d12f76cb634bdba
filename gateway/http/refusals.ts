// /v1/refusals: the quarantine, and reading it again after a fix.

import { GatewayError } from '../../proto/errors.ts'
import { Fate } from '../../proto/generated/types.ts'
import type {
  Frame,
  ListRefusalsRequest,
  ReplayRefusalsRequest,
  ReplayRefusalsResponse,
} from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { Access } from '../grpc/access.ts'
import { listRefusals, replayRefusals } from '../grpc/refusals.ts'
import type { Log } from '../log/log.ts'
import type { Replay } from '../replay.ts'
import { permitCall } from '../grpc/access.ts'
import { bytesType, frameReply } from './events.ts'
import { type Given, tokenText } from './given.ts'
import type { Call, Parameters, Reply, Route } from './route.ts'
import { frameJson } from './shapes.ts'

export interface RefusalParts {
  readonly log: Log
  readonly access: Access
  readonly replay: Replay
}

const frameCodec = codec('tocsin.v1.Frame')

const matching: Parameters = {
  fault: { in: 'query', kind: 'texts', about: 'Only these kinds of fault, such as syntax, range, forbidden.' },
  topic: { in: 'query', kind: 'texts', about: 'Only these topics, as MQTT topic filters.' },
  adapter: { in: 'query', kind: 'texts', about: 'Only of these adapters.' },
  sender: { in: 'query', kind: 'texts', about: 'Only of these senders, such as mqtt:gauge-7.' },
  from: { in: 'query', kind: 'time', about: 'Received at or after this time.', example: '1d' },
  to: { in: 'query', kind: 'time', about: 'Received before this time.' },
  replayed: { in: 'query', kind: 'flag', default: false, about: 'Also those that were read again since.' },
}
const id: Parameters = { id: { in: 'path', kind: 'id', required: true, about: 'The id of the frame.' } }
const dryRun: Parameters = {
  dry_run: { in: 'query', kind: 'flag', default: false, about: 'Says what would come of it, and changes nothing.' },
}

export function refusalRoutes(parts: RefusalParts): readonly Route[] {
  const { log, access } = parts
  return [
    {
      method: 'GET',
      path: '/v1/refusals',
      group: 'Refusals',
      name: 'listRefusals',
      about: 'What was refused, why, and what to do about it; newest first.',
      parameters: {
        ...matching,
        payload: { in: 'query', kind: 'flag', default: false, about: 'Also the bytes, as base64.' },
        limit: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many.' },
        page: { in: 'query', kind: 'token', about: '`nextPage` of the page before, with the same other parameters.' },
      },
      answers: [{ status: 200, about: 'A page.', type: 'application/json', schema: 'RefusalPage' }],
      handle(call) {
        permitCall(access, call.principal, 'ListRefusals')
        return list(call)
      },
    },
    {
      method: 'GET',
      path: '/v1/refusals/{id}',
      group: 'Refusals',
      name: 'getRefusal',
      about: 'One refused message with its bytes. With `Accept: application/octet-stream` only these.',
      parameters: id,
      answers: [
        { status: 200, about: 'The message.', type: 'application/json', schema: 'Frame' },
        { status: 200, about: 'Its bytes.', type: bytesType },
      ],
      handle(call) {
        permitCall(access, call.principal, 'ListRefusals')
        const frame = refusal(call)
        return frameReply(call.accept, call.view.mayReadFrame(frame) ? frame : { ...frame, payload: new Uint8Array() })
      },
    },
    {
      method: 'POST',
      path: '/v1/refusals/{id}/replay',
      group: 'Refusals',
      name: 'replayRefusal',
      about: 'Reads one refused message again, with its original time and sender.',
      parameters: { ...id, ...dryRun },
      answers: [{ status: 200, about: 'What came of it.', type: 'application/json', schema: 'ReplayedOne' }],
      handle: replayOne,
    },
    {
      method: 'POST',
      path: '/v1/refusals/replay',
      group: 'Refusals',
      name: 'replayRefusals',
      about: 'Reads all refused messages that match again, oldest first, and answers when it is done.',
      parameters: { ...matching, ...dryRun },
      answers: [{ status: 200, about: 'What came of them.', type: 'application/json', schema: 'Replayed' }],
      async handle(call) {
        const request = { matching: requestOf(call.given), dryRun: call.given.flag('dry_run') }
        return { json: await replay(call, request) }
      },
    },
  ]

  function list({ given, view }: Call): Reply {
    const page = given.token('page')
    const request: ListRefusalsRequest = {
      ...requestOf(given),
      includePayload: given.flag('payload'),
      pageSize: given.count('limit') ?? 0,
      ...(page && { pageToken: page }),
    }
    const { frames = [], nextPageToken } = listRefusals(log, request, view)
    const refusals = frames.map((frame) => frameJson(frameCodec.decode(frame)))
    return { json: { refusals, ...(nextPageToken?.length && { nextPage: tokenText(nextPageToken) }) } }
  }

  function refusal({ given }: Call): Frame {
    const frame = log.findFrame(given.id('id'))
    if (frame?.fate === Fate.REFUSED) return frame
    throw new GatewayError('not_found', 'No refused message with this id is in quarantine, or no longer.')
  }

  async function replayOne(call: Call): Promise<Reply> {
    permitCall(access, call.principal, 'ReplayRefusals')
    const { id: frameId = new Uint8Array() } = refusal(call)
    let came: Awaited<ReturnType<Replay>> | undefined
    const told: Replay = async (kept, options) => (came = await parts.replay(kept, options))
    await replay(call, { frameIds: [frameId], dryRun: call.given.flag('dry_run') }, told)
    return { json: { fate: came?.fate ?? 'refused', ...(came?.why && { why: came.why }) } }
  }

  function replay(call: Call, request: ReplayRefusalsRequest, by: Replay = parts.replay) {
    permitCall(access, call.principal, 'ReplayRefusals')
    const { socket } = call
    // It takes as long as it takes: an idle connection is not a lost one.
    socket.setTimeout(0)
    return new Promise<Record<string, number>>((resolve, reject) => {
      let last: ReplayRefusalsResponse = {}
      replayRefusals(
        log,
        {
          request,
          get cancelled() {
            return socket.destroyed
          },
          write: (progress) => (last = progress),
          end: () => resolve(countsOf(last)),
        },
        by,
        reject,
      )
    })
  }
}

function requestOf(given: Given): ListRefusalsRequest {
  const [from, to] = [given.time('from'), given.time('to')]
  return {
    faults: [...given.texts('fault')],
    channels: [...given.texts('topic')],
    adapters: [...given.texts('adapter')],
    senders: [...given.texts('sender')],
    includeReplayed: given.flag('replayed'),
    ...(from !== undefined && { from: timestamp(from) }),
    ...(to !== undefined && { to: timestamp(to) }),
  }
}

const countsOf = ({ total, read, stored, refused, duplicate, ignored }: ReplayRefusalsResponse) => ({
  total: toNumber(total),
  read: toNumber(read),
  stored: toNumber(stored),
  refused: toNumber(refused),
  duplicate: toNumber(duplicate),
  ignored: toNumber(ignored),
})
