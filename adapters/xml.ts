// XML from people we do not know → a tree of elements with their places in the text, for every format that is XML. Safe first: strict
// bytes, no DOCTYPE (so no entities but the five of XML and no fetching), and a bound on size, depth, tags and attributes, each checked
// before the next thing is read. What was wrong is said by line and column, never by quoting the payload.

import { SaxesParser } from 'saxes'
import type { Fault } from './adapter.ts'

export interface XmlElement {
  /** The local name, and the namespace by its URI; '' for none. */
  readonly name: string
  readonly namespace: string
  /** By qualified name, such as "xml:lang". */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** All text directly within it, put together. */
  readonly text: string
  /** Where its tag begins, both from 1. */
  readonly line: number
  readonly column: number
}

export type XmlRead = { readonly root: XmlElement } | { readonly fault: Fault; readonly why: string }

/** An alert with the polygons of a whole country in nine languages has 450 kB. */
export const xmlBytesMax = 1_000_000
/** A CAP alert within an EDXL envelope within a feed is 12 deep; saxes takes time by the square of the depth. */
const depthMax = 64
const elementsMax = 20_000
/** Tags, comments, references such as "&amp;": each costs as much as hundreds of letters, so they are counted before parsing. */
const markupMax = 60_000
const attributesMax = 10_000
/** Of one element; saxes compares each with all before it. */
const elementAttributesMax = 64

export function readXml(bytes: Uint8Array): XmlRead {
  if (bytes.length === 0) return { fault: 'length', why: 'no bytes' }
  if (bytes.length > xmlBytesMax) return { fault: 'length', why: `${bytes.length} bytes; at most ${xmlBytesMax}` }
  const decoded = textOf(bytes)
  return 'fault' in decoded ? decoded : treeOf(decoded.text)
}

type Text = { readonly text: string } | { readonly fault: Fault; readonly why: string }

/** Labels of XML declarations that we read; the web reads iso-8859-1 as windows-1252, since C1 controls are never meant. */
const encodings: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  ascii: 'utf-8',
  'iso-8859-1': 'windows-1252',
  'iso8859-1': 'windows-1252',
  latin1: 'windows-1252',
  'windows-1252': 'windows-1252',
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const windows1252 = new TextDecoder('windows-1252')

function textOf(bytes: Uint8Array): Text {
  const [first = 0, second = 0] = bytes
  // XML 1.0 appendix F: a byte order mark of UTF-16, or a zero byte beside "<" (UTF-16 and UTF-32 without one).
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe) || first === 0 || second === 0) {
    return { fault: 'unsupported', why: 'UTF-16 or UTF-32; send it as UTF-8' }
  }
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/.exec(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1'),
  )
  const encoding = encodings[declared?.[1]?.toLowerCase() ?? 'utf-8']
  if (!encoding) return { fault: 'unsupported', why: 'an encoding other than UTF-8, ISO-8859-1 and windows-1252' }
  if (encoding === 'windows-1252') return { text: windows1252.decode(bytes) }
  try {
    return { text: utf8.decode(bytes) }
  } catch {
    return { fault: 'syntax', why: `not UTF-8 from line ${soundLines(bytes)} on; declare its encoding, or send UTF-8` }
  }
}

/** The line of the first byte that is not UTF-8, found by halving. */
function soundLines(bytes: Uint8Array): number {
  let [sound, broken] = [0, bytes.length]
  while (broken - sound > 1) {
    const middle = (sound + broken) >> 1
    if (isSound(bytes.subarray(0, middle))) sound = middle
    else broken = middle
  }
  return bytes.subarray(0, sound).reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 1)
}

function isSound(bytes: Uint8Array): boolean {
  try {
    // What is cut within a character may still become one.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Leaves the parser from within its handlers. */
class Stop extends Error {
  readonly fault: Fault
  constructor(fault: Fault, why: string) {
    super(why)
    this.fault = fault
  }
}

interface Growing {
  readonly element: XmlElement & { children: XmlElement[]; attributes: Map<string, string>; text: string }
}

function markupIn(text: string): number {
  let count = 0
  for (let i = 0; i < text.length && count <= markupMax; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0x3c || unit === 0x26) count++
  }
  return count
}

function treeOf(text: string): XmlRead {
  if (markupIn(text) > markupMax)
    return { fault: 'length', why: `more than ${markupMax} tags, comments and references` }
  const parser = new SaxesParser({ xmlns: true, position: true })
  const open: Growing[] = []
  let root: XmlElement | undefined
  let elements = 0
  let attributes = 0
  let ownAttributes = 0
  let place = { line: 1, column: 1 }
  const where = (): string => `line ${parser.line}, column ${Math.max(1, parser.column)}`

  parser.on('doctype', () => {
    throw new Stop('unsupported', `${where()}: a DOCTYPE; it is never read, so send the message without it`)
  })
  parser.on('error', (error) => {
    throw new Stop('syntax', `${where()}: ${plainReason(error.message)}`)
  })
  parser.on('opentagstart', ({ name }) => {
    place = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) }
    elements += 1
    ownAttributes = 0
    if (elements > elementsMax) throw new Stop('length', `${where()}: more than ${elementsMax} elements`)
    if (open.length >= depthMax) throw new Stop('length', `${where()}: elements nested deeper than ${depthMax}`)
  })
  parser.on('attribute', () => {
    attributes += 1
    ownAttributes += 1
    if (ownAttributes > elementAttributesMax || attributes > attributesMax) {
      const most = ownAttributes > elementAttributesMax ? `${elementAttributesMax} in an element` : `${attributesMax}`
      throw new Stop('length', `${where()}: more attributes than ${most}`)
    }
  })
  parser.on('opentag', (tag) => {
    const named = new Map(Object.values(tag.attributes).map(({ name, value }) => [name, value]))
    const element = { name: tag.local, namespace: tag.uri, attributes: named, children: [], text: '', ...place }
    open.at(-1)?.element.children.push(element)
    root ??= element
    open.push({ element })
  })
  parser.on('closetag', () => void open.pop())
  const addText = (more: string): void => {
    const last = open.at(-1)
    if (last) last.element.text += more
  }
  parser.on('text', addText)
  parser.on('cdata', addText)

  try {
    parser.write(text).close()
  } catch (error) {
    if (error instanceof Stop) return { fault: error.fault, why: error.message }
    throw error
  }
  return root ? { root } : { fault: 'syntax', why: 'no root element' }
}

/** What saxes says, without its "file:line:column: " and without the names of the payload, which it puts last. */
function plainReason(message: string): string {
  const reason = message.replace(/^[^ ]*?\d+:\d+: /, '')
  return reason.split(/[:"]|\.$/)[0] || 'not well-formed'
}
