// The topics on which the gateway publishes. Each part is one level, whatever stands in it: all but the unreserved characters of
// RFC 3986 is percent-encoded, so that no name of a device opens a level, reads as a wildcard or leaves a control character.
//
//   tocsin/v1/<jurisdiction>/<message_status>/<lane>/<kind>/<subject>         protobuf
//   tocsin/v1/<jurisdiction>/<message_status>/<lane>/<kind>/<subject>/json    ProtoJSON
//   tocsin/refused/<client id>                                                what was wrong with a message of this client

import { hash } from 'node:crypto'
import { EventKind, MessageStatus } from '../../../proto/generated/types.ts'
import type { RecordHeader } from '../../../proto/generated/types.ts'
import type { Lane } from '../../log/log.ts'

export const eventRoot = 'tocsin/v1'
export const refusedRoot = 'tocsin/refused'
export const jsonLevel = 'json'

/** A subject is at most 256 bytes, thrice that when encoded; more than this in one level helps nobody to subscribe. */
export const levelCharsMax = 512
/** Behind a level that was cut, so that two that begin alike are still told apart. */
const digestChars = 16
/** Stands for what is not said: an empty level would be invisible. */
const unsaid = '-'

/** A county has some thousands of subjects; one who invents them must not grow us. */
const rememberedMax = 20_000
const remembered = new Map<string, string>()

export function eventTopic({ jurisdiction, messageStatus, kind, subject }: RecordHeader, lane: Lane): string {
  const status = statusNames.get(messageStatus ?? MessageStatus.UNSPECIFIED) ?? unsaid
  const body = kindNames.get(kind ?? EventKind.UNSPECIFIED) ?? unsaid
  return `${eventRoot}/${levelOf(jurisdiction)}/${status}/${lane}/${body}/${levelOf(subject)}`
}

export const refusedTopic = (clientId: string): string => `${refusedRoot}/${levelOf(clientId)}`

/** One level of a topic, never empty and never longer than `levelCharsMax`. */
export function levelOf(text: string | undefined): string {
  if (!text) return unsaid
  const known = remembered.get(text)
  if (known !== undefined) return known
  if (remembered.size >= rememberedMax) remembered.clear()
  const level = bounded(percentEncoded(text), text)
  remembered.set(text, level)
  return level
}

/** encodeURIComponent leaves five characters that RFC 3986 §2.2 reserves, `!*'()`. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

function bounded(level: string, text: string): string {
  if (level.length <= levelCharsMax) return level
  const kept = level.slice(0, levelCharsMax - digestChars - 1).replace(/%.?$/, '')
  return `${kept}~${hash('sha256', text, 'hex').slice(0, digestChars)}`
}

const namesOf = (values: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(values).flatMap(([name, value]) => (value === 0 ? [] : [[value, name.toLowerCase()]])))
const statusNames = namesOf(MessageStatus)
const kindNames = namesOf(EventKind)
