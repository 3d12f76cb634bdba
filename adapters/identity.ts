// The identity that a source gives its message, as bytes of one length: two gateways that read the same message agree on it, and
// nobody can make another message that has it.

import { hash } from 'node:crypto'

/** SHA-256 over the parts, each with its length before it, so that no two lists of parts give the same text. */
export const identityOf = (...parts: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(digestOf(parts), 'hex'))

/** The same as hexadecimal text, for a URN that would be too long. */
export const identityText = (...parts: readonly string[]): string => digestOf(parts)

const digestOf = (parts: readonly string[]): string =>
  hash('sha256', parts.map((part) => `${part.length}:${part}`).join(','))
