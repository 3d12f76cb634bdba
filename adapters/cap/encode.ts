// Events → CAP 1.2. An alert that came in is passed on as it came, whatever version it had; Tocsin originates none, so only an event
// with a whole alert in it can be said. What is written is read again by our own decoder, and what that does not find is `lost`.

import { Action, AlertScope } from '../../proto/generated/types.ts'
import type {
  Alert,
  AlertArea,
  AlertInfo,
  AlertNamedValue,
  AlertResource,
  Event,
  Point,
  Timestamp,
} from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import type { Decoded, Encoded } from '../adapter.ts'
import { decimal, decimalText } from '../decimal.ts'
import { xmlBytesMax } from '../xml.ts'
import { feetText, kilometresText } from './lengths.ts'
import { namesText } from './lists.ts'
import { lostOf, unsayable } from './lost.ts'
import {
  type Words,
  category,
  certainty,
  certaintyVeryLikely,
  msgType,
  responseType,
  scope,
  severity,
  status,
  urgency,
} from './words.ts'

const namespace = 'urn:oasis:names:tc:emergency:cap:1.2'
const contentType = 'application/cap+xml'

/** `decode` is this adapter's own; passed in, so that the two files do not import each other. */
export function encode(list: readonly Event[], decode: (bytes: Uint8Array) => Decoded): Encoded {
  const [event] = list
  if (!event || list.length > 1) return unsupported('one alert makes one message')
  if (event.body !== 'alert')
    return unsupported('only an alert that came in can be passed on as CAP; none is made of other events')
  const why = unsayable(event)
  if (why) return unsupported(why)
  const bytes = new TextEncoder().encode(documentOf(event, event.alert))
  if (bytes.length > xmlBytesMax)
    return unsupported(`the alert would take ${bytes.length} bytes; at most ${xmlBytesMax}`)
  const decoded = decode(bytes)
  if (decoded.outcome !== 'events') return unsupported(`the alert cannot be said in CAP: ${decoded.why}`)
  const lost = lostOf(event, decoded.events[0]!)
  return 'why' in lost ? unsupported(lost.why) : { outcome: 'bytes', bytes, contentType, lost: lost.names }
}

const unsupported = (why: string): Encoded => ({ outcome: 'unsupported', why })

function documentOf(event: Event, alert: Alert): string {
  const { sentText = timeText(event.sentAt), infos = [] } = alert
  const unread = new Map((event.attributes ?? []).map(({ name = '', value = '' }) => [name, value]))
  const lines = [
    leaf('identifier', alert.identifier),
    leaf('sender', alert.sender),
    leaf('sent', sentText),
    wordLeaf('status', status, event.messageStatus),
    wordLeaf('msgType', msgType, event.action || Action.REPORT),
    leaf('source', alert.source),
    wordLeaf('scope', scope, alert.scope ?? AlertScope.UNSPECIFIED),
    leaf('restriction', alert.restriction),
    leaf('addresses', namesText(alert.addresses ?? [])),
    ...(alert.codes ?? []).map((code) => leaf('code', code)),
    leaf('note', alert.note),
    leaf('references', alert.references?.join(' ')),
    leaf('incidents', namesText(alert.incidents ?? [])),
    ...infos.map((info, i) =>
      branch(
        'info',
        infoLines(info, (name) => unread.get(`info[${i}].${name}`)),
      ),
    ),
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="${namespace}">${lines.join('')}</alert>\n`
}

/** In the order of CAP 1.2 §4, which is a sequence. `unread` has times that were none, as they were written. */
function infoLines(info: AlertInfo, unread: (name: string) => string | undefined): string[] {
  const time = (name: string, value: Timestamp | undefined): string =>
    leaf(name, value ? timeText(value) : unread(name))
  const certaintyText = info.certainty ? certainty.names.get(info.certainty) : undefined
  return [
    leaf('language', info.language),
    ...(info.categories ?? []).map((each) => wordLeaf('category', category, each)),
    leaf('event', info.event),
    ...(info.responseTypes ?? []).map((each) => wordLeaf('responseType', responseType, each)),
    wordLeaf('urgency', urgency, info.urgency),
    wordLeaf('severity', severity, info.severity),
    leaf('certainty', info.certaintyVeryLikely ? certaintyVeryLikely : certaintyText),
    leaf('audience', info.audience),
    ...(info.eventCodes ?? []).map((each) => namedBranch('eventCode', each)),
    time('effective', info.effectiveAt),
    time('onset', info.onsetAt),
    time('expires', info.expiresAt),
    leaf('senderName', info.senderName),
    leaf('headline', info.headline),
    leaf('description', info.description),
    leaf('instruction', info.instruction),
    leaf('web', info.web),
    leaf('contact', info.contact),
    ...parametersOf(info).map((each) => namedBranch('parameter', each)),
    ...(info.resources ?? []).map((each) => branch('resource', resourceLines(each))),
    ...(info.areas ?? []).map((each) => branch('area', areaLines(each))),
  ]
}

/** The end of the hazard has no element; the parameter of the NWS says it, where the source did not say it so itself. */
function parametersOf({ parameters = [], endsAt }: AlertInfo): readonly AlertNamedValue[] {
  if (!endsAt || parameters.some(({ name }) => name === 'eventEndingTime')) return parameters
  return [...parameters, { name: 'eventEndingTime', value: timeText(endsAt) }]
}

const resourceLines = (resource: AlertResource): string[] => [
  leaf('resourceDesc', resource.description),
  leaf('mimeType', resource.contentType),
  leaf('size', resource.sizeBytes === undefined ? undefined : String(toBigInt(resource.sizeBytes))),
  leaf('uri', resource.uri),
  leaf('derefUri', resource.content?.length ? Buffer.from(resource.content).toString('base64') : undefined),
  leaf('digest', resource.digest),
]

const areaLines = ({ description, location = {}, altitudeM, ceilingM }: AlertArea): string[] => [
  leaf('areaDesc', description),
  ...(location.polygons ?? []).map(({ points = [] }) => leaf('polygon', points.map(pairText).join(' '))),
  ...(location.circles ?? []).map(({ center = {}, radiusM = 0 }) =>
    leaf('circle', `${pairText(center)} ${kilometresText(radiusM)}`),
  ),
  ...(location.geocodes ?? []).map(({ scheme = '', code = '' }) =>
    namedBranch('geocode', { name: scheme, value: code }),
  ),
  leaf('altitude', altitudeM === undefined ? undefined : feetText(altitudeM)),
  leaf('ceiling', ceilingM === undefined ? undefined : feetText(ceilingM)),
]

const pairText = ({ latitude = 0, longitude = 0 }: Point): string => `${plain(latitude)},${plain(longitude)}`

/** Without an exponent, which CAP does not have. */
function plain(number: number): string {
  const exact = decimal(number)
  return exact ? decimalText(exact) : ''
}

/** CAP 1.2 §3.3.2: with an offset, and "-00:00" for UTC, never "Z". */
function timeText(time: Timestamp | undefined): string {
  const ns = timestampNs(time)
  return ns === undefined ? '' : rfc3339(ns).replace('Z', '-00:00')
}

const leaf = (name: string, text: string | undefined): string => (text ? `\n<${name}>${escaped(text)}</${name}>` : '')
const wordLeaf = <N extends number>(name: string, { names }: Words<N>, number: N | 0 | undefined): string =>
  leaf(name, number ? names.get(number) : undefined)
const branch = (name: string, lines: readonly string[]): string => `\n<${name}>${lines.join('')}\n</${name}>`
const namedBranch = (element: string, { name = '', value = '' }: AlertNamedValue): string =>
  `\n<${element}><valueName>${escaped(name)}</valueName><value>${escaped(value)}</value></${element}>`

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }
/** What XML 1.0 §2.2 does not have at all becomes U+FFFD. */
const unsaid = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const escaped = (text: string): string =>
  text.replaceAll(unsaid, '\ufffd').replaceAll(/[&<>\r]/g, (character) => escapes[character] ?? '')
