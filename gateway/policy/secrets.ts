// Secrets of users: only their argon2id hash is kept, and checking a wrong name takes as long as checking a wrong secret.

import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const hash = promisify(argon2)

// OWASP's least for argon2id: 19 MiB, 2 passes, 1 lane; about 50 ms here.
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const
/** Longer ones are refused before hashing, so that nobody makes us hash megabytes. */
const secretBytesMax = 1_024

/** "argon2id$19456$2$1$<salt>$<tag>", both base64url; what `tocsin secret` prints. */
export async function hashSecret(secret: Uint8Array): Promise<string> {
  const nonce = randomBytes(16)
  const tag = await hash('argon2id', { message: secret, nonce, ...cost })
  return [
    'argon2id',
    cost.memory,
    cost.passes,
    cost.parallelism,
    nonce.toString('base64url'),
    tag.toString('base64url'),
  ].join('$')
}

/** Checked for names that are not known, so that the answer takes the same time. */
const nobody = 'argon2id$19456$2$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

export async function secretMatches(secret: Uint8Array, secretHash: string | undefined): Promise<boolean> {
  if (secret.length > secretBytesMax) return false
  const parts = parse(secretHash ?? nobody)
  if (!parts) return false
  const { nonce, tag, memory, passes, parallelism } = parts
  const found = await hash('argon2id', { message: secret, nonce, memory, passes, parallelism, tagLength: tag.length })
  return timingSafeEqual(found, tag) && secretHash !== undefined
}

// OWASP's equivalents of the cost above: less memory with more passes.
const memoryPassesMin = 35_840
const memoryMin = 7_168

/** Whoever reads it could try secrets faster than OWASP thinks safe. */
export function hashIsCheap(secretHash: string): boolean {
  const { memory = 0, passes = 0 } = parse(secretHash) ?? {}
  return memory < memoryMin || memory * passes < memoryPassesMin
}

export const isSecretHash = (text: string): boolean => parse(text) !== undefined

function parse(text: string) {
  const match = /^argon2id\$(\d{4,7})\$(\d{1,2})\$(\d)\$([\w-]{11,})\$([\w-]{43})$/.exec(text)
  if (!match) return undefined
  const [, memory, passes, parallelism, nonce = '', tag = ''] = match
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(nonce, 'base64url'),
    tag: Buffer.from(tag, 'base64url'),
  }
}
