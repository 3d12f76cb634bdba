// Reading the elements of one CAP element by their names, once each: what is empty, said twice, of another namespace or unknown is
// noted as a warning with its line, so that nothing is passed over in silence.

import type { Timestamp } from '../../proto/generated/types.ts'
import { parseRfc3339, timestamp } from '../../proto/time.ts'
import { type Decimal, parseDecimal } from '../decimal.ts'
import type { XmlElement } from '../xml.ts'
import { type Words, listed, numberOf } from './words.ts'

/** What is gathered while an alert is read. */
export interface Notes {
  readonly warnings: string[]
  /** Facts that have no field, such as a time that is none: name and text. */
  readonly unread: { name: string; value: string }[]
  isOutOfRange: boolean
}

/** As many as a person reads; the frame has all. */
const warningsMax = 100

export function warn(notes: Notes, element: XmlElement, what: string): void {
  const { length } = notes.warnings
  if (length < warningsMax) notes.warnings.push(`line ${element.line}: ${nameOf(element)} ${what}`)
  else if (length === warningsMax) notes.warnings.push('further warnings are left out')
}

/** A name of the payload is shown only where it is a plain word. */
export const nameOf = ({ name }: XmlElement): string => (/^[A-Za-z][\w-]{0,39}$/.test(name) ? name : 'an element')

export interface Fields {
  readonly element: XmlElement
  readonly notes: Notes
  readonly byName: ReadonlyMap<string, readonly XmlElement[]>
}

const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#'

export function fieldsOf(element: XmlElement, notes: Notes, known: readonly string[]): Fields {
  const byName = new Map<string, XmlElement[]>()
  for (const child of element.children) {
    if (child.namespace !== element.namespace) {
      const isSignature = child.namespace === signatureNamespace && child.name === 'Signature'
      warn(notes, child, isSignature ? 'is there and is not verified' : 'of another namespace is not read')
    } else if (!known.includes(child.name)) warn(notes, child, `is unknown in ${nameOf(element)} and is not read`)
    else byName.set(child.name, [...(byName.get(child.name) ?? []), child])
  }
  return { element, notes, byName }
}

/** The text that a person meant, without the blanks and line breaks around it; absent when there is none. */
export function textOf(notes: Notes, element: XmlElement): string | undefined {
  if (element.children.length > 0) warn(notes, element, 'holds elements, which are left out')
  return element.text.trim() || undefined
}

export function only({ byName, notes }: Fields, name: string): XmlElement | undefined {
  const [first, second] = byName.get(name) ?? []
  if (second) warn(notes, second, 'stands twice; the first one is taken')
  return first
}

export function text(fields: Fields, name: string): string | undefined {
  const element = only(fields, name)
  if (!element) return undefined
  const said = textOf(fields.notes, element)
  if (said === undefined) warn(fields.notes, element, 'is empty')
  return said
}

/** Words to people that a sender wrote in several elements are one text: what to do second is as needful as what to do first. */
export function prose(fields: Fields, name: string): string | undefined {
  const [, second] = fields.byName.get(name) ?? []
  if (second) warn(fields.notes, second, 'stands more than once; the texts are put together')
  const said = texts(fields, name)
  return said.length > 0 ? said.join('\n') : undefined
}

export function texts(fields: Fields, name: string): string[] {
  return (fields.byName.get(name) ?? []).flatMap((element) => {
    const said = textOf(fields.notes, element)
    if (said === undefined) warn(fields.notes, element, 'is empty')
    return said === undefined ? [] : [said]
  })
}

/** As `text`, with a warning when it is missing. */
export function neededText(fields: Fields, name: string): string | undefined {
  if (!fields.byName.has(name)) warn(fields.notes, fields.element, `has no ${name}`)
  return text(fields, name)
}

export function wordOf<N extends number>(notes: Notes, element: XmlElement, words: Words<N>): N | undefined {
  const said = textOf(notes, element)
  if (said === undefined) {
    warn(notes, element, 'is empty')
    return undefined
  }
  const found = numberOf(words, said)
  if (!found) warn(notes, element, `is none of ${listed(words)}`)
  else if (!found.isExact) warn(notes, element, 'is written in other letters than those of the standard')
  return found?.number
}

export function word<N extends number>(fields: Fields, name: string, words: Words<N>): N | undefined {
  const element = only(fields, name)
  if (element) return wordOf(fields.notes, element, words)
  warn(fields.notes, fields.element, `has no ${name}`)
  return undefined
}

/** Not more than fit an attribute; nobody writes a time that long. */
const unreadCharsMax = 100
const unreadMax = 200

/** A time that is none is kept as it was written, under the name of its element; a local time of an unknown place is none. */
export function time(fields: Fields, name: string, path: string): Timestamp | undefined {
  const element = only(fields, name)
  const said = element && text(fields, name)
  if (!element || said === undefined) return undefined
  const ns = parseRfc3339(said)
  if (ns !== undefined) return timestamp(ns)
  warn(
    fields.notes,
    element,
    parseRfc3339(said, 'Z') === undefined ? 'is not a date and time' : 'has no offset from UTC',
  )
  if (fields.notes.unread.length < unreadMax && said.length <= unreadCharsMax)
    fields.notes.unread.push({ name: `${path}.${name}`, value: said })
  return undefined
}

/** A decimal number; CAP writes no exponents, but "+41.12" is seen. */
export const decimalOf = (said: string): Decimal | undefined => parseDecimal(said.replace(/^\+/, ''))
