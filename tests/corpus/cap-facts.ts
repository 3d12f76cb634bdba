// An alert as a list of facts, each with a name such as "info[0].area[1].circle[0]", from our event and from what others made of the
// same message. Texts are compared without the blanks around them, times as moments, numbers as numbers, names in any order of a list.

import type { AlertInfo, Event, Point, Timestamp } from '../../proto/generated/types.ts'
import {
  certainty,
  category,
  msgType,
  responseType,
  scope,
  severity,
  status,
  urgency,
} from '../../adapters/cap/words.ts'
import { toBigInt } from '../../proto/int64.ts'
import { parseRfc3339, rfc3339, timestampNs } from '../../proto/time.ts'

type Facts = Map<string, string>

export function alertFacts(event: Event): Facts {
  const facts: Facts = new Map()
  if (event.body !== 'alert') return facts
  const { alert } = event
  put(facts, 'identifier', alert.identifier)
  put(facts, 'sender', alert.sender)
  put(facts, 'sent', alert.sentText)
  put(facts, 'status', status.names.get(event.messageStatus as 1))
  put(facts, 'msgType', msgType.names.get(event.action as 1))
  put(facts, 'scope', scope.names.get(alert.scope as 1))
  put(facts, 'source', alert.source)
  put(facts, 'restriction', alert.restriction)
  put(facts, 'addresses', alert.addresses?.join(' '))
  put(facts, 'note', alert.note)
  put(facts, 'references', alert.references?.join(' '))
  put(facts, 'incidents', alert.incidents?.join(' '))
  list(facts, 'code', alert.codes)
  for (const [i, info] of (alert.infos ?? []).entries()) putInfo(facts, `info[${i}]`, info, unreadTimes(event, i))
  return facts
}

const unreadTimes = (event: Event, i: number): ReadonlyMap<string, string> =>
  new Map(
    (event.attributes ?? []).flatMap(({ name = '', value = '' }) =>
      name.startsWith(`info[${i}].`) ? [[name.slice(name.indexOf('.') + 1), value] as const] : [],
    ),
  )

function putInfo(facts: Facts, at: string, info: AlertInfo, unread: ReadonlyMap<string, string>): void {
  for (const name of [
    'language',
    'event',
    'audience',
    'senderName',
    'headline',
    'description',
    'instruction',
    'web',
    'contact',
  ] as const)
    put(facts, `${at}.${name}`, info[name])
  list(
    facts,
    `${at}.category`,
    info.categories?.map((each) => category.names.get(each as 1) ?? ''),
  )
  list(
    facts,
    `${at}.responseType`,
    info.responseTypes?.map((each) => responseType.names.get(each as 1) ?? ''),
  )
  put(facts, `${at}.urgency`, urgency.names.get(info.urgency as 1))
  put(facts, `${at}.severity`, severity.names.get(info.severity as 1))
  put(facts, `${at}.certainty`, info.certaintyVeryLikely ? 'Very Likely' : certainty.names.get(info.certainty as 1))
  put(facts, `${at}.effective`, momentText(info.effectiveAt) ?? unread.get('effective'))
  put(facts, `${at}.onset`, momentText(info.onsetAt) ?? unread.get('onset'))
  put(facts, `${at}.expires`, momentText(info.expiresAt) ?? unread.get('expires'))
  list(
    facts,
    `${at}.eventCode`,
    info.eventCodes?.map(({ name, value }) => pair(name, value)),
  )
  list(
    facts,
    `${at}.parameter`,
    info.parameters?.map(({ name, value }) => pair(name, value)),
  )
  for (const [r, resource] of (info.resources ?? []).entries()) {
    put(facts, `${at}.resource[${r}].resourceDesc`, resource.description)
    put(facts, `${at}.resource[${r}].mimeType`, resource.contentType)
    put(
      facts,
      `${at}.resource[${r}].size`,
      resource.sizeBytes === undefined ? undefined : String(toBigInt(resource.sizeBytes)),
    )
    put(facts, `${at}.resource[${r}].uri`, resource.uri)
    put(facts, `${at}.resource[${r}].digest`, resource.digest)
  }
  for (const [a, { description, location = {} }] of (info.areas ?? []).entries()) {
    const area = `${at}.area[${a}]`
    put(facts, `${area}.areaDesc`, description)
    list(
      facts,
      `${area}.polygon`,
      location.polygons?.map(({ points = [] }) => polygonKey(points.map(positionOf))),
    )
    list(
      facts,
      `${area}.circle`,
      location.circles?.map(({ center = {}, radiusM = 0 }) => `${positionOf(center).join(' ')} ${radiusM}`),
    )
    list(
      facts,
      `${area}.geocode`,
      location.geocodes?.map(({ scheme, code }) => pair(scheme, code)),
    )
  }
}

type Position = readonly [number, number]
const positionOf = ({ latitude = 0, longitude = 0 }: Point): Position => [longitude, latitude]

/** Points of a ring whatever way round, wherever begun, closed or not. */
export function polygonKey(ring: readonly Position[]): string {
  return [...new Set(ring.map(([x, y]) => `${x} ${y}`))].toSorted().join(', ')
}

const pair = (name: unknown, value: unknown): string => `${String(name ?? '').trim()}=${String(value ?? '').trim()}`
const momentText = (time: Timestamp | undefined): string | undefined => {
  const ns = timestampNs(time)
  return ns === undefined ? undefined : rfc3339(ns)
}

function put(facts: Facts, name: string, value: string | undefined): void {
  const text = value?.trim().replaceAll(/\s+/g, ' ')
  if (text) facts.set(name, text)
}

function list(facts: Facts, name: string, values: readonly string[] | undefined): void {
  for (const [i, value] of (values ?? []).entries()) put(facts, `${name}[${i}]`, value)
}

/** As cap-ts names things ("info_list"), and as JSON of the same alert does ("info"). */
export function referenceFacts(said: unknown): Facts {
  const facts: Facts = new Map()
  const alert = record(said)
  for (const name of [
    'identifier',
    'sender',
    'sent',
    'status',
    'msgType',
    'scope',
    'source',
    'restriction',
    'note',
    'references',
  ])
    put(facts, name, text(alert[name]))
  put(facts, 'addresses', text(alert['addresses'])?.replaceAll('"', ''))
  put(facts, 'incidents', text(alert['incidents'])?.replaceAll('"', ''))
  list(
    facts,
    'code',
    many(alert, 'code').map((each) => text(each) ?? ''),
  )
  for (const [i, each] of many(alert, 'info').entries()) {
    const info = record(each)
    const at = `info[${i}]`
    const plain =
      'language event audience senderName headline description instruction web contact urgency severity certainty'
    for (const name of plain.split(' ')) put(facts, `${at}.${name}`, text(info[name]))
    for (const name of ['effective', 'onset', 'expires']) put(facts, `${at}.${name}`, moment(text(info[name])))
    for (const name of ['category', 'responseType'])
      list(
        facts,
        `${at}.${name}`,
        many(info, name).map((value) => text(value) ?? ''),
      )
    for (const name of ['eventCode', 'parameter']) list(facts, `${at}.${name}`, many(info, name).map(named))
    for (const [r, resource] of many(info, 'resource').entries())
      for (const name of ['resourceDesc', 'mimeType', 'size', 'uri', 'digest'])
        put(facts, `${at}.resource[${r}].${name}`, text(record(resource)[name]))
    for (const [a, said_] of many(info, 'area').entries()) {
      const area = record(said_)
      put(facts, `${at}.area[${a}].areaDesc`, text(area['areaDesc']))
      list(
        facts,
        `${at}.area[${a}].polygon`,
        many(area, 'polygon').map((each_) => polygonKey(ringOf(text(each_) ?? ''))),
      )
      list(
        facts,
        `${at}.area[${a}].circle`,
        many(area, 'circle').map((each_) => circleOf(text(each_) ?? '')),
      )
      list(facts, `${at}.area[${a}].geocode`, many(area, 'geocode').map(named))
    }
  }
  return facts
}

/** German alerts as their JSON has them. The CAP file was made of it by others, who split it by language and left some of it out. */
export function mowFacts(said: unknown): Facts {
  const left = /^code|\.(?:language|responseType|polygon)/
  return new Map([...referenceFacts(said)].filter(([name]) => !left.test(name)))
}

/** What the Swiss publisher's own JSON says of an alert; its CAP is made of it. */
export function alertswissFacts(said: unknown): Facts {
  const facts: Facts = new Map()
  const alert = record(said)
  put(facts, 'identifier', text(alert['identifier']))
  put(facts, 'sender', text(alert['sender']))
  put(facts, 'references', text(alert['reference']))
  put(facts, 'info[0].event', text(alert['event']))
  put(facts, 'info[0].headline', text(record(alert['title'])['title']))
  const word = text(alert['severity']) ?? ''
  put(facts, 'info[0].severity', word.slice(0, 1).toUpperCase() + word.slice(1))
  const instructions = many(alert, 'instructions').map((each) => text(record(each)['text']) ?? '')
  put(facts, 'info[0].instruction', instructions.join(' '))
  for (const [a, each] of many(alert, 'areas').entries()) {
    const rings = many(record(each), 'polygons').map(
      (polygon) => (record(polygon)['coordinates'] ?? []) as [string, string][],
    )
    list(
      facts,
      `info[0].area[${a}].polygon`,
      rings.map((ring) => polygonKey(ring.map(([y, x]): Position => [Number(x), Number(y)]))),
    )
  }
  return facts
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined

function many(of: Record<string, unknown>, name: string): unknown[] {
  const value = of[`${name}_list`] ?? of[name]
  const values = Array.isArray(value) ? value : value === undefined || value === null || value === '' ? [] : [value]
  return values.filter((each) => !(typeof each === 'string' && each.trim() === ''))
}

const named = (value: unknown): string => pair(record(value)['valueName'], record(value)['value'])
const moment = (said: string | undefined): string | undefined => {
  const ns = said === undefined ? undefined : parseRfc3339(said.trim())
  return ns === undefined ? said : rfc3339(ns)
}
const ringOf = (said: string): Position[] =>
  said
    .trim()
    .split(/\s+/)
    .map((each): Position => [wrapped(Number(each.split(',')[1])), Number(each.split(',')[0])])
/** Beyond the antimeridian, as RFC 7946 has it. */
const wrapped = (longitude: number): number =>
  Math.abs(longitude) <= 180 ? longitude : Math.round((longitude - Math.sign(longitude) * 360) * 1e9) / 1e9
const circleOf = (said: string): string => {
  const [place = '', radius = ''] = said.trim().split(/\s+/)
  return `${ringOf(place)[0]!.join(' ')} ${Number(radius) * 1000}`
}
