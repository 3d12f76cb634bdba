// What a message of the mixed traffic is like: everything follows from its stream and its number, so that nobody has to remember it and
// every reader can tell whether it came as it was sent.

import type { Excuse } from '../faults/ledger.ts'
import type { Arrival } from '../faults/mqtt-client.ts'
import type { Mqtt5Properties } from '../faults/mqtt5-properties.ts'

export type Version = 4 | 5

/** Of QoS 1, whose acknowledgement comes when it is done. */
export const isRetained = (n: number): boolean => n % 10 === 7
/** In MQTT 5 some have a second to live, some so long that their time is never over, and some are too large for who takes little. */
export const isShortLived = (n: number): boolean => n % 13 === 5 && !isRetained(n)
const isLongLived = (n: number): boolean => n % 13 === 9
const isLarge = (n: number): boolean => n % 17 === 3

export const shortLifeSeconds = 1
const longLifeSeconds = 3_600
const paddingBytes = 400
/** Any but a large one is smaller. */
export const smallPacketBytes = 350

export const expires = (_stream: number, n: number): Excuse | undefined => (isShortLived(n) ? 'expired' : undefined)
export const expiresOrIsLarge = (stream: number, n: number): Excuse | undefined =>
  isLarge(n) ? 'tooLarge' : expires(stream, n)

export function payloadOf(stream: number, n: number, version: Version): string {
  return `${stream} ${n} ${version === 5 && isLarge(n) ? 'x'.repeat(paddingBytes) : ''}`
}

export function numberOf({ payload }: Arrival): { stream: number; n: number } {
  const [stream = '-1', n = '-1'] = payload.toString('latin1', 0, 40).split(' ')
  return { stream: Number(stream), n: Number(n) }
}

export function propertiesOf(stream: number, n: number): Mqtt5Properties {
  const messageExpirySeconds = isShortLived(n) ? shortLifeSeconds : isLongLived(n) ? longLifeSeconds : undefined
  return {
    ...(messageExpirySeconds !== undefined && { messageExpirySeconds }),
    ...(n % 3 === 0 && { contentType: `text/${stream}`, payloadFormat: 1 }),
    ...(n % 5 === 0 && { responseTopic: `answers/${stream}`, correlation: `${stream}-${n}` }),
    ...(n % 4 !== 0 && { user: userOf(n) }),
  }
}

// A name twice, numbers, and in no order of any alphabet.
const userOf = (n: number): readonly (readonly [string, string])[] => [
  ['unit', `m-${n % 7}`],
  ['10', String(n)],
  ['2', ''],
  ['unit', 'ä€'],
]

const carried = ['contentType', 'payloadFormat', 'responseTopic', 'correlation', 'user'] as const

/** What of MQTT 5 did not come as it was sent; the rest of its life may be shorter by what it has waited. */
export function alterationOf({ properties: got }: Arrival, stream: number, n: number): string | undefined {
  const sent = propertiesOf(stream, n)
  for (const name of carried) {
    if (JSON.stringify(got[name]) !== JSON.stringify(sent[name])) {
      return `${name} ${JSON.stringify(got[name])} for ${JSON.stringify(sent[name])}`
    }
  }
  const [left, given] = [got.messageExpirySeconds, sent.messageExpirySeconds]
  if ((left === undefined) !== (given === undefined)) return `expiry ${left} for ${given}`
  // A second may be over while the identifier of QoS 2 goes to disk, when its delivery has begun.
  const least = given === shortLifeSeconds ? 0 : 1
  return left !== undefined && (left < least || left > given!) ? `expiry ${left} of ${given}` : undefined
}
