// Requests that are sent again because the answer was lost: one with the same Idempotency-Key of the same sender gets the answer of
// the first, and its message is taken once. Follows draft-ietf-httpapi-idempotency-key-header-07.

import { createHash } from 'node:crypto'
import { GatewayError } from '../../proto/errors.ts'
import { nsPerSecond } from '../../proto/time.ts'
import type { Clock } from '../clock.ts'
import type { Reply } from './route.ts'

export interface Repeats {
  /** Calls `run` unless it did so before for this key; while that is under way, waits for it. What was not taken is forgotten. */
  once(key: RepeatKey, run: () => Promise<Reply>): Promise<Reply>
}

export interface RepeatKey {
  readonly sender: string
  readonly key: string
  /** Digest of what was asked. */
  readonly request: Uint8Array
}

interface Known {
  readonly request: string
  readonly since: bigint
  readonly reply: Promise<Reply>
}

const keptNs = 24n * 3_600n * nsPerSecond
/** About 1 kB each. */
const entriesMax = 20_000

export function createRepeats({ clock }: { readonly clock: Clock }): Repeats {
  /** The oldest first. */
  const known = new Map<string, Known>()

  function forget(now: bigint): void {
    for (const [name, { since }] of known) {
      if (known.size < entriesMax && now - since < keptNs) return
      known.delete(name)
    }
  }

  return {
    once({ sender, key, request }, run) {
      const now = clock.monotonic()
      forget(now)
      const name = digest(sender, key).toString('base64')
      const asked = Buffer.from(request).toString('base64')
      const before = known.get(name)
      if (before && before.request !== asked) {
        const text = 'This Idempotency-Key was used for another message: give each message a key of its own.'
        return Promise.reject(new GatewayError('key_reused', text))
      }
      if (before) return before.reply
      const reply = run()
      known.set(name, { request: asked, since: now, reply })
      reply.catch(() => known.delete(name))
      return reply
    },
  }
}

/** Parts cannot run into each other: each is preceded by its length. */
export function digest(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest()
}
