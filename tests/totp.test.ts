// Codes of authenticator apps, and the QR code that an app reads its secret from.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { qrOf } from '../gateway/cli/qr.ts'
import { base32, codeOfStep, otpauthUrl, stepAt, stepOfCode } from '../gateway/people/totp.ts'

const startMs = 1_790_000_000_000
const app = Buffer.from('12345678901234567890')

describe('codes of an authenticator app', () => {
  // RFC 6238 appendix B, the last six of its eight digits.
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i s it is %s', (seconds, code) => {
    expect(codeOfStep(app, stepAt(seconds * 1_000))).toBe(code)
  })

  test('count one step early or late, and each step once', () => {
    const now = stepAt(startMs)
    for (const off of [-1, 0, 1]) expect(stepOfCode(app, codeOfStep(app, now + off), startMs, -1)).toBe(now + off)
    for (const off of [-2, 2]) expect(stepOfCode(app, codeOfStep(app, now + off), startMs, -1)).toBeUndefined()
    expect(stepOfCode(app, codeOfStep(app, now), startMs, now)).toBeUndefined()
    expect(stepOfCode(app, codeOfStep(app, now - 1), startMs, now)).toBeUndefined()
  })

  test('come of a secret that every app reads', () => {
    // RFC 4648 §10, and the secret of RFC 6238.
    expect(base32(Buffer.from('foobar'))).toBe('MZXW6YTBOI')
    expect(base32(app)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    expect(otpauthUrl(app, 'anna', 'County A')).toBe(
      'otpauth://totp/County%20A:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=County%20A',
    )
  })

  // Codes of these digests were read back by jsQR 1.4.0, like those of 21 more lengths.
  test.each([
    [1, 'b5278945f466eee955819dbf99fb80ad0765d2c739830d3a4b8536893422f749'],
    [84, 'c8c8632a574b1cb28f242b5d77255c0a91b5732a2517e045a24acff96a9c05f7'],
    [180, '2e6af2d9adb48122b973cd37a57aee85be04be4e6f10cf17ac6a3d341100bf40'],
    [666, 'bf28df2e3e1a4365138263e3cea70072747c18a654fc29b69cb54aabda9e6903'],
  ])('stand in a QR code of %i bytes as a reader that is not ours has read it', (length, digest) => {
    const text = Array.from({ length }, (_, at) => String.fromCharCode(33 + ((at * 7 + length) % 90))).join('')
    const rows = qrOf(text).map((row) => row.map(Number).join(''))
    expect(createHash('sha256').update(rows.join('\n')).digest('hex')).toBe(digest)
    expect(() => qrOf('x'.repeat(667))).toThrow(/666 bytes/)
  })
})
