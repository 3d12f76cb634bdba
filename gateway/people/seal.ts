// Secrets that the gateway itself must be able to read again, such as those of authenticator apps: AES-256-GCM under a key that lies in a
// file of its own beside state.sqlite, so that a copy of the database alone gives none of them away.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'

export const sealKeyFile = 'people.key'

export interface Seal {
  /** `about` must be the same again to open it: one person's cannot be put in another's place. */
  close(secret: Uint8Array, about: string): string
  /** Undefined: it was closed under another key, for another, or was altered. */
  open(sealed: string, about: string): Uint8Array | undefined
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** The key is made when it is first needed. */
export function createSeal(dataDir: string): Seal {
  const path = join(dataDir, sealKeyFile)
  let known: Buffer | undefined
  const key = (): Buffer => (known ??= readKey(path) ?? makeKey(path))

  return {
    close(secret, about) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key(), nonce).setAAD(Buffer.from(about))
      return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < nonceBytes + tagBytes) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key(), bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
      } catch {
        return undefined
      }
    },
  }
}

function readKey(path: string): Buffer | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  // Bits 077: group and others.
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new GatewayError('unsafe_settings', `${path} can be read by other users; run chmod 600 ${path}`)
  }
  const key = Buffer.from(text.trim(), 'base64url')
  if (key.length === keyBytes) return key
  throw new GatewayError('log_foreign', `${path} holds no key of this gateway: bring it back from where it is kept`)
}

function makeKey(path: string): Buffer {
  const key = randomBytes(keyBytes)
  const half = `${path}.new`
  const file = openSync(half, 'w', 0o600)
  try {
    writeSync(file, `${key.toString('base64url')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  // Never over one that is there.
  linkSync(half, path)
  unlinkSync(half)
  return key
}
