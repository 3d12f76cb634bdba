// Codes of authenticator apps: RFC 6238 as they all speak it, HMAC-SHA-1, six digits, a step of thirty seconds. Arithmetic only; that a
// step is used once is for who keeps the last one.

import { createHmac, timingSafeEqual } from 'node:crypto'

export const totpSecretBytes = 20
const stepMs = 30_000
const digits = 6
/** A phone may be off by a step either way (RFC 6238 §5.2). */
const stepsOff = [-1, 0, 1] as const

/** RFC 4226 §5.3. */
export function codeOfStep(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', secret).update(counter).digest()
  const at = digest[digest.length - 1]! & 0x0f
  return String((digest.readUInt32BE(at) & 0x7fff_ffff) % 10 ** digits).padStart(digits, '0')
}

export const stepAt = (nowMs: number): number => Math.floor(nowMs / stepMs)

/** The step that the code belongs to, later than `after`; undefined: none near now. All are computed, whichever matches. */
export function stepOfCode(secret: Uint8Array, code: string, nowMs: number, after: number): number | undefined {
  const given = Buffer.from(code)
  const now = stepAt(nowMs)
  const found = stepsOff.map((off) => {
    const wanted = Buffer.from(codeOfStep(secret, now + off))
    const isSame = given.length === wanted.length && timingSafeEqual(given, wanted)
    return isSame && now + off > after ? now + off : undefined
  })
  return found.find((step) => step !== undefined)
}

/** What an app reads from a QR code: https://github.com/google/google-authenticator/wiki/Key-Uri-Format. */
export function otpauthUrl(secret: Uint8Array, name: string, issuer: string): string {
  const label = [issuer, name].map(encodeURIComponent).join(':')
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 §6, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text
}
