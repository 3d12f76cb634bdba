// Tokens for programs: `tocsin_<id>_<secret>`. The secret has 256 bits, so its SHA-256 is as good as a slow hash, and is all that is kept.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const idBytes = 9
const secretBytes = 32
const form = /^tocsin_([\w-]{12})_([\w-]{43})$/

export interface NewToken {
  readonly id: string
  readonly sha256: Uint8Array
  /** Shown once. */
  readonly text: string
}

export function makeToken(): NewToken {
  const id = randomBytes(idBytes).toString('base64url')
  const secret = randomBytes(secretBytes)
  return { id, sha256: digestOf(secret), text: `tocsin_${id}_${secret.toString('base64url')}` }
}

export const isTokenId = (text: string): boolean => /^[\w-]{12}$/.test(text)
export const tokenDigestBytes = 32

export interface SentToken {
  readonly id: string
  /** `sha256` is base64url. */
  matches(sha256: string): boolean
}

/** Of the value of `authorization`; undefined: it holds no token of ours. */
export function readToken(authorization: string | undefined): SentToken | undefined {
  const [, text = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  const [, id, secret] = form.exec(text) ?? []
  if (id === undefined || secret === undefined) return undefined
  const digest = digestOf(Buffer.from(secret, 'base64url'))
  return { id, matches: (sha256) => timingSafeEqual(digest, Buffer.from(sha256, 'base64url')) }
}

const digestOf = (secret: Uint8Array): Buffer => createHash('sha256').update(secret).digest()
