// POST /v1/ingest/<adapter>: a message as its format has it, taken the same way as everybody's. The answer says what became of it,
// and comes when it is on disk; one that is not taken is never answered with 2xx.

import type { Frame } from '../../adapters/adapter.ts'
import { GatewayError } from '../../proto/errors.ts'
import { clockWarning } from '../clock-faults.ts'
import type { Access } from '../grpc/access.ts'
import type { Clock } from '../clock.ts'
import { idText } from '../ids.ts'
import type { Fate, Receive, Transport } from '../inputs/receive.ts'
import { nearest } from '../nearest.ts'
import { adviceFor } from '../refusal-advice.ts'
import { ingestRoot, type Routes } from '../routes.ts'
import { mediaTypeOf } from './media-types.ts'
import { createRepeats, digest } from './repeats.ts'
import type { Answer, Call, Parameters, Reply, Route } from './route.ts'

export interface IngestParts {
  readonly access: Pick<Access, 'mayIngest'>
  readonly clock: Clock
  readonly receive: Receive
  readonly routes: Routes
  /** Names of adapters that have an input. */
  readonly adapters: readonly string[]
  /** The setting http.ingest. */
  readonly enabled: boolean
}

/** As the largest MQTT packet. */
export const ingestBytesMax = 1 << 20
/** As an MQTT topic: a device is the end of one. */
const deviceBytesMax = 200
const deviceLevelsMax = 12
const keyCharsMax = 255
const contextMax = 16

/** What a form of a web page can send without being asked; a format that is text has a media type of its own. */
const formTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])

const deviceParameter: Parameters = {
  device: {
    in: 'path',
    kind: 'text',
    required: true,
    rest: true,
    about: 'Who says it, where the format does not tell; may have several levels.',
    example: 'gauge-7',
  },
}
const parameters: Parameters = {
  adapter: { in: 'path', kind: 'text', required: true, about: 'The format, such as senml.', example: 'senml' },
  'Idempotency-Key': {
    in: 'header',
    kind: 'text',
    about: 'The same for each attempt to send one message: however often it comes within 24 hours, it is taken once.',
  },
}

export function ingestRoutes(parts: IngestParts): readonly Route[] {
  const repeats = createRepeats(parts)
  const answers: readonly Answer[] = [
    { status: 201, about: 'Stored: every event of it is on disk.', type: 'application/json', schema: 'Taken' },
    { status: 200, about: 'Here before, or without an event.', type: 'application/json', schema: 'Taken' },
    {
      status: 202,
      about: 'Kept, and given to nobody until somebody admits its device.',
      type: 'application/json',
      schema: 'Taken',
    },
    { status: 403, about: 'Refused by policy, and in quarantine.', type: 'application/json', schema: 'Taken' },
    { status: 422, about: 'Refused: it is in quarantine, with the reason.', type: 'application/json', schema: 'Taken' },
  ]
  const route = {
    method: 'POST',
    group: 'Messages',
    about:
      'Takes a message in the format of an adapter. Parameters of the query go with it, for formats that need them. 503: it was not taken; send it again.',
    openQuery: true,
    body: { about: 'The message, byte for byte as the format has it.', bytesMax: ingestBytesMax },
    answers,
    handle: take,
  } as const
  return [
    { ...route, path: '/v1/ingest/{adapter}', name: 'ingest', parameters },
    {
      ...route,
      path: '/v1/ingest/{adapter}/{device}',
      name: 'ingestFromDevice',
      parameters: { ...parameters, ...deviceParameter },
    },
  ]

  async function take(call: Call): Promise<Reply> {
    if (!parts.enabled) {
      throw new GatewayError('not_set_up', 'This gateway takes no messages over HTTP: set http.ingest to true.')
    }
    const channel = channelOf(call)
    if (!parts.access.mayIngest(call.principal, channel)) throw notHere(call.principal.name)
    const frame = frameOf(call, channel)
    const key = call.given.text('Idempotency-Key')
    if (key === undefined) return receive(call, frame, transport)
    if (key.length > keyCharsMax) throw invalid(`Idempotency-Key may have ${keyCharsMax} characters.`)
    const { name } = call.principal
    const context = JSON.stringify(frame.properties ?? [])
    const request = digest(channel, frame.contentType ?? '', context, frame.bytes)
    // The log recognises it also when the gateway was started anew in between.
    const resendKey = new Uint8Array(digest(name, key, request).subarray(0, 16))
    return repeats.once({ sender: name, key, request }, () =>
      receive(call, frame, { ...transport, resent: true, resendKey }),
    )
  }

  async function receive({ principal }: Call, frame: Frame, how: Transport): Promise<Reply> {
    const { name, authenticity } = principal
    return replyOf(await parts.receive({ name, authenticity, link: 'http' }, frame, how))
  }

  function channelOf({ given }: Call): string {
    const [adapter = '', device] = [given.text('adapter'), given.text('device')]
    if (!parts.adapters.includes(adapter)) {
      const near = nearest(adapter, parts.adapters)
      const hint = near ? `did you mean ${near}?` : `there are ${parts.adapters.join(', ')}.`
      throw new GatewayError('not_found', `No input of this gateway reads this format; ${hint}`)
    }
    const channel =
      device === undefined ? `${ingestRoot}/${adapter}` : `${ingestRoot}/${adapter}/${checkedDevice(device)}`
    if (parts.routes.find(channel)) return channel
    const text = `No input reads ${ingestRoot}/${adapter}: see "inputs" and "mappings" in the settings.`
    throw new GatewayError('not_found', text)
  }

  function frameOf({ body, contentType, given }: Call, channel: string): Frame {
    const media = mediaTypeOf(contentType)
    if (media === undefined || formTypes.has(media)) {
      const said =
        contentType === '' ? 'missing' : media === undefined ? 'no media type' : 'what a form of a page sends'
      const text = `Content-Type is ${said}: say what it is, such as application/json, application/xml or application/octet-stream.`
      throw new GatewayError('unsupported_media_type', text)
    }
    const properties = [...given.context()]
    if (properties.length > contextMax) throw invalid(`The query may have ${contextMax} parameters.`)
    return {
      bytes: body,
      receivedAt: parts.clock.now(),
      channel,
      contentType,
      ...(properties.length > 0 && { properties }),
    }
  }
}

/** HTTP has no retained messages; a 2xx is at least once, as QoS 1 is. */
const transport: Transport = { qos: 1, retain: false, resent: false }

// What an MQTT topic may not hold (MQTT 5 §4.7, broker/packets.ts), so that a device is the same whichever way it comes.
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const unfit = /[+#\u0000-\u001f\u007f-\u009f]|[\ud800-\udfff]/u

function checkedDevice(device: string): string {
  const levels = device.split('/')
  const isFit = !unfit.test(device) && levels.length <= deviceLevelsMax && Buffer.byteLength(device) <= deviceBytesMax
  if (isFit && !levels.includes('')) return device
  const text = `The device in the path may have ${deviceBytesMax} bytes and ${deviceLevelsMax} levels, none of them empty, without +, # and control characters.`
  throw invalid(text)
}

function replyOf(fate: Fate): Reply {
  const frameId = idText(fate.frameId)
  switch (fate.fate) {
    case 'stored': {
      const eventIds = fate.eventIds.map(idText)
      const headers = eventIds.length === 1 ? { location: `/v1/events/${eventIds[0]}` } : {}
      const warnings = fate.clockFault ? { warnings: [clockWarning(fate.clockFault)] } : {}
      return { status: 201, headers, json: { fate: 'stored', frameId, eventIds, ...warnings } }
    }
    case 'refused': {
      const { fault, why } = fate
      const status = fault === 'forbidden' || fault === 'blocked' ? 403 : 422
      return { status, json: { fate: 'refused', frameId, fault, why, whatToDo: adviceFor(fault) } }
    }
    case 'ignored':
      return { json: { fate: 'ignored', frameId, why: fate.why } }
    case 'waiting':
      return { status: 202, json: { fate: 'waiting', frameId } }
    case 'duplicate':
    case 'carried':
      return { json: { fate: fate.fate, frameId } }
  }
}

const notHere = (principal: string): GatewayError =>
  new GatewayError(
    'not_allowed',
    `${principal} may not send messages here: ask those who run this gateway for the topic, or for the role publisher.`,
  )

const invalid = (text: string): GatewayError => new GatewayError('invalid_argument', text)
