// <alert> → one event: the whole alert in its body, and what every consumer looks at first in the envelope. Without the elements that
// say who speaks, which message it is, whether it is real and what it does, it is refused; anything else that is wrong is a warning.

import { Action, AlertScope, Flag, Label, Relation } from '../../proto/generated/types.ts'
import type {
  Alert,
  AlertInfo,
  Attribute,
  Certainty,
  Event,
  Handling,
  Location,
  MessageStatus,
  Reference,
  Severity,
  Text,
  Urgency,
} from '../../proto/generated/types.ts'
import { parseRfc3339, timestamp } from '../../proto/time.ts'
import type { Fault } from '../adapter.ts'
import { identityOf, identityText } from '../identity.ts'
import type { XmlElement } from '../xml.ts'
import { type Fields, type Notes, fieldsOf, nameOf, text, texts, warn, word } from './fields.ts'
import { readInfo, withoutAbsent } from './info-block.ts'
import { parseNames, parseReferences, parseTriple, vtecLines } from './lists.ts'
import { type Words, listed, msgType, numberOf, scope, status } from './words.ts'

export type AlertRead = { readonly event: Event; readonly warnings: readonly string[] } | Refusal
type Refusal = { readonly fault: Fault; readonly why: string }

const known =
  'identifier sender sent status msgType source scope restriction addresses code note references incidents info'.split(
    ' ',
  )

/** The event's own bound on references. */
const referencesMax = 1_000

export function readAlert(element: XmlElement): AlertRead {
  const notes: Notes = { warnings: [], unread: [], isOutOfRange: false }
  const fields = fieldsOf(element, notes, known)
  const identifier = needed(fields, 'identifier')
  if (typeof identifier === 'object') return identifier
  const sender = needed(fields, 'sender')
  if (typeof sender === 'object') return sender
  const sentText = needed(fields, 'sent')
  if (typeof sentText === 'object') return sentText
  const messageStatus = neededWord(fields, 'status', status)
  if (typeof messageStatus === 'object') return messageStatus
  const action = neededWord(fields, 'msgType', msgType)
  if (typeof action === 'object') return action

  const infos = (fields.byName.get('info') ?? []).map((info, i) => readInfo(info, notes, `info[${i}]`))
  const vtec = new Set(infos.flatMap(({ parameters = [] }) => parameters.flatMap(({ value = '' }) => vtecLines(value))))
  const alert = withoutAbsent<Alert>({
    identifier,
    sender,
    sentText,
    scope: word(fields, 'scope', scope),
    restriction: text(fields, 'restriction'),
    addresses: parseNames(text(fields, 'addresses') ?? ''),
    codes: texts(fields, 'code'),
    note: text(fields, 'note'),
    references: referencesOf(fields),
    incidents: parseNames(text(fields, 'incidents') ?? ''),
    source: text(fields, 'source'),
    infos,
    vtec: [...vtec],
    signedBy: undefined,
    sourceUri: undefined,
    messageTypeText: text(fields, 'msgType'),
  })
  const sent = parseRfc3339(sentText)
  if (sent === undefined) noteSent(fields, sentText)
  // CAP 1.2 §3.2.1: these two speak of others; without, nobody can tell of which.
  if ((action === Action.UPDATE || action === Action.CANCEL) && !alert.references) {
    warn(notes, element, 'updates or cancels, and names no other message')
  }
  const event: Event = { ...envelopeOf(alert, messageStatus, action, notes), body: 'alert', alert }
  if (sent !== undefined) event.sentAt = timestamp(sent)
  return { event, warnings: notes.warnings }
}

function envelopeOf(alert: Alert, messageStatus: MessageStatus, action: Action, notes: Notes): Event {
  const { identifier = '', sender = '', sentText = '', infos = [] } = alert
  const [first] = infos
  const location = first && locationOf(first)
  const textsOf = infos.flatMap(textOf)
  const references = eventReferences(alert, action)
  return {
    dedupKey: identityOf('cap', sender, identifier, sentText),
    subject: subjectOf(sender, identifier, sentText),
    messageStatus,
    action,
    origin: { system: sender },
    handling: handlingOf(alert),
    ...(references.length > 0 && { references }),
    ...(first && first.effectiveAt && { effectiveAt: first.effectiveAt }),
    ...(first && !first.effectiveAt && first.onsetAt && { effectiveAt: first.onsetAt }),
    ...(first?.expiresAt && { expiresAt: first.expiresAt }),
    // The enums of the info have the words and numbers of the event's.
    ...(first?.urgency && { urgency: first.urgency satisfies Urgency }),
    ...(first?.severity && { severity: first.severity satisfies Severity }),
    ...(first?.certainty && { certainty: first.certainty satisfies Certainty }),
    ...(location && { location }),
    ...(textsOf.length > 0 && { texts: textsOf }),
    ...(notes.unread.length > 0 && { attributes: notes.unread satisfies Attribute[] }),
    ...(notes.isOutOfRange && { flags: [Flag.OUT_OF_RANGE] }),
  }
}

/** What every CAP message says of itself, and what others say to name it: `subject` of a reference and of an event are the same. */
export function subjectOf(sender: string, identifier: string, sent: string): string {
  const subject = `cap:${sender},${identifier},${sent}`
  return Buffer.byteLength(subject) <= subjectBytesMax
    ? subject
    : `cap:sha256:${identityText(sender, identifier, sent)}`
}

const subjectBytesMax = 256

const relations: Readonly<Record<number, Relation>> = {
  [Action.UPDATE]: Relation.SUPERSEDES,
  [Action.CANCEL]: Relation.CANCELS,
}

export function eventReferences({ references = [] }: Alert, action: Action): Reference[] {
  return references.flatMap((reference) => {
    const triple = parseTriple(reference)
    if (!triple) return []
    const subject = subjectOf(triple.sender, triple.identifier, triple.sent)
    return [{ subject, relation: relations[action] ?? Relation.CORRELATES }]
  })
}

/** CAP 1.2 §3.2.1 scope: public to all; restricted by a rule in words; private to those named. Without a scope: as private to nobody. */
export function handlingOf({ scope: said, restriction, addresses = [], infos = [] }: Alert): Handling {
  if (said === AlertScope.PUBLIC) return { labels: [Label.PUBLIC] }
  const labels = infos.some(({ contact }) => contact) ? [Label.OPS, Label.PII] : [Label.OPS]
  if (said === AlertScope.PRIVATE && addresses.length > 0) return { labels, releasableTo: addresses }
  return { labels, ...(said === AlertScope.RESTRICTED && restriction && { caveat: restriction }) }
}

/** The areas of an info as one place; codes named twice stand once. */
function locationOf({ areas = [] }: AlertInfo): Location | undefined {
  const polygons = areas.flatMap(({ location }) => location?.polygons ?? [])
  const circles = areas.flatMap(({ location }) => location?.circles ?? [])
  const geocodes = new Map(
    areas.flatMap(({ location }) => location?.geocodes ?? []).map((each) => [`${each.scheme}\n${each.code}`, each]),
  )
  const description = areas.flatMap((area) => area.description ?? []).join('; ')
  const location: Location = {
    ...(polygons.length > 0 && { polygons }),
    ...(circles.length > 0 && { circles }),
    ...(geocodes.size > 0 && { geocodes: [...geocodes.values()] }),
    ...(description !== '' && { description }),
  }
  return Object.keys(location).length > 0 ? location : undefined
}

/** CAP 1.2 §3.2.2: without a language it is en-US. */
function textOf({ language = 'en-US', headline, description, instruction }: AlertInfo): Text[] {
  if (!headline && !description && !instruction) return []
  return [
    {
      language,
      ...(headline && { headline }),
      ...(description && { description }),
      ...(instruction && { instruction }),
    },
  ]
}

function referencesOf(fields: Fields): string[] {
  const references = parseReferences(text(fields, 'references') ?? '', referencesMax + 1)
  const [element] = fields.byName.get('references') ?? []
  if (!element) return references
  if (references.some((reference) => !parseTriple(reference)))
    warn(fields.notes, element, 'is not "sender,identifier,sent"')
  if (references.length <= referencesMax) return references
  warn(fields.notes, element, `has more than ${referencesMax} messages; the first ones are taken`)
  return references.slice(0, referencesMax)
}

function noteSent({ byName, notes }: Fields, sentText: string): void {
  const isLocal = parseRfc3339(sentText, 'Z') !== undefined
  warn(notes, byName.get('sent')![0]!, isLocal ? 'has no offset from UTC' : 'is not a date and time')
}

const refusal = (fault: Fault, element: XmlElement, what: string): Refusal => ({
  fault,
  why: `line ${element.line}: ${nameOf(element)} ${what}`,
})

function needed({ byName, element }: Fields, name: string): string | Refusal {
  const [found] = byName.get(name) ?? []
  if (!found) return refusal('syntax', element, `has no ${name}`)
  return found.text.trim() || refusal('syntax', found, 'is empty')
}

function neededWord<N extends number>(fields: Fields, name: string, words: Words<N>): N | Refusal {
  const said = needed(fields, name)
  if (typeof said === 'object') return said
  const element = fields.byName.get(name)![0]!
  const found = numberOf(words, said)
  if (!found) return refusal('range', element, `is none of ${listed(words)}`)
  if (!found.isExact) warn(fields.notes, element, 'is written in other letters than those of the standard')
  return found.number
}
