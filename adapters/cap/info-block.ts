// <info>: what an alert says in one language, or of one of its parts, with its <resource>s and <area>s.

import type { AlertInfo, AlertNamedValue, AlertResource } from '../../proto/generated/types.ts'
import { uint64 } from '../../proto/int64.ts'
import { parseRfc3339, timestamp } from '../../proto/time.ts'
import type { XmlElement } from '../xml.ts'
import { readArea } from './area.ts'
import { type Fields, type Notes, fieldsOf, neededText, prose, text, time, warn, word, wordOf } from './fields.ts'
import { namedValue } from './named-value.ts'
import { type Words, category, certainty, certaintyVeryLikely, responseType, severity, urgency } from './words.ts'

const known = (
  'language category event responseType urgency severity certainty audience eventCode effective onset expires senderName ' +
  'headline description instruction web contact parameter resource area'
).split(' ')

/** `path` names it in the warnings and among the attributes: "info[0]". */
export function readInfo(element: XmlElement, notes: Notes, path: string): AlertInfo {
  const fields = fieldsOf(element, notes, known)
  const parameters = namedValues(fields, 'parameter')
  // NWS: when the hazard ends, where `expires` is the end of the product.
  const ending = parameters.find(({ name }) => name === 'eventEndingTime')
  const endsAt = ending && parseRfc3339(ending.value ?? '')
  return withoutAbsent<AlertInfo>({
    language: text(fields, 'language'),
    categories: wordList(fields, 'category', category),
    event: neededText(fields, 'event'),
    responseTypes: wordList(fields, 'responseType', responseType),
    urgency: word(fields, 'urgency', urgency),
    severity: word(fields, 'severity', severity),
    certainty: word(fields, 'certainty', certainty),
    certaintyVeryLikely: isVeryLikely(fields) || undefined,
    audience: text(fields, 'audience'),
    eventCodes: namedValues(fields, 'eventCode'),
    effectiveAt: time(fields, 'effective', path),
    onsetAt: time(fields, 'onset', path),
    expiresAt: time(fields, 'expires', path),
    endsAt: endsAt === undefined ? undefined : timestamp(endsAt),
    senderName: text(fields, 'senderName'),
    headline: prose(fields, 'headline'),
    description: prose(fields, 'description'),
    instruction: prose(fields, 'instruction'),
    web: text(fields, 'web'),
    contact: text(fields, 'contact'),
    parameters,
    resources: (fields.byName.get('resource') ?? []).map((resource) => readResource(resource, notes)),
    areas: (fields.byName.get('area') ?? []).map((area) => readArea(area, notes)),
  })
}

/** Leaves out what is not there: undefined, and lists of nothing. */
export function withoutAbsent<T>(fields: { readonly [Key in keyof T]-?: T[Key] | undefined }): T {
  const present = Object.entries(fields).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(present) as T
}

function wordList<N extends number>(fields: Fields, name: string, words: Words<N>): N[] {
  if (name === 'category' && !fields.byName.has(name)) warn(fields.notes, fields.element, 'has no category')
  return (fields.byName.get(name) ?? []).flatMap((element) => wordOf(fields.notes, element, words) ?? [])
}

const isVeryLikely = ({ byName }: Fields): boolean =>
  (byName.get('certainty') ?? []).slice(0, 1).some((element) => element.text.trim() === certaintyVeryLikely)

const namedValues = ({ byName, notes }: Fields, name: string): AlertNamedValue[] =>
  (byName.get(name) ?? []).flatMap((element) => namedValue(element, notes) ?? [])

function readResource(element: XmlElement, notes: Notes): AlertResource {
  const fields = fieldsOf(element, notes, ['resourceDesc', 'mimeType', 'size', 'uri', 'derefUri', 'digest'])
  const size = text(fields, 'size')
  const isSize = size !== undefined && /^\d{1,18}$/.test(size)
  if (size !== undefined && !isSize) warn(notes, fields.byName.get('size')![0]!, 'is not a number of bytes')
  return withoutAbsent<AlertResource>({
    description: neededText(fields, 'resourceDesc'),
    contentType: text(fields, 'mimeType'),
    sizeBytes: isSize ? uint64(BigInt(size)) : undefined,
    uri: text(fields, 'uri'),
    content: contentOf(fields),
    digest: text(fields, 'digest'),
  })
}

/** derefUri: the file itself in base64 (CAP 1.2 §3.2.3). */
function contentOf(fields: Fields): Uint8Array | undefined {
  const [element] = fields.byName.get('derefUri') ?? []
  const said = element && text(fields, 'derefUri')?.replaceAll(/\s+/g, '')
  if (!element || said === undefined) return undefined
  if (said.length % 4 !== 1 && /^[A-Za-z0-9+/]*={0,2}$/.test(said)) return Uint8Array.from(Buffer.from(said, 'base64'))
  warn(fields.notes, element, 'is not base64; it is left out')
  return undefined
}
