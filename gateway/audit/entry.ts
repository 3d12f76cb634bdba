// A note as it is written: bounded, so that nobody who chooses names and topics chooses how large the audit grows, and in the words of
// NENA i3 LogEvent (STA-010.3 §4.12.3).

import { AuditOutcome } from '../../proto/generated/types.ts'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { nsPerMs, timestamp } from '../../proto/time.ts'
import type { AuditNote } from './audit.ts'

// What is said of the audit itself, and looked for by who verifies it.
export const damagedAction = 'audit_damaged'
export const removedAction = 'audit_removed'
export const restoredAction = 'restore'

/** Whose audit it is. */
export interface AuditSite {
  /** i3 elementId. */
  readonly gateway: string
  /** i3 agencyId. */
  readonly owner: string
}

const charsMax = {
  action: 64,
  principal: 300,
  address: 100,
  object: 1_024,
  text: 1_024,
  name: 128,
  value: 4_096,
} as const
const detailsMax = 64

const outcomes = { done: AuditOutcome.DONE, denied: AuditOutcome.DENIED, failed: AuditOutcome.FAILED } as const

/** Without its number and digest, which it is given when it is written. */
export function entryOf(note: AuditNote, now: bigint, { gateway, owner }: AuditSite): AuditEntry {
  const { action, type, outcome, principal, address, object, text, details, count, since } = note
  return {
    at: timestamp(wholeMs(now)),
    action: clipped(action, charsMax.action),
    type,
    outcome: outcomes[outcome],
    element: gateway,
    ...(owner && { agency: owner }),
    ...(principal && { principal: clipped(principal, charsMax.principal) }),
    ...(address && { address: clipped(address, charsMax.address) }),
    ...(object && { object: clipped(object, charsMax.object) }),
    ...(text && { text: clipped(text, charsMax.text) }),
    ...(details && { details: detailsOf(details) }),
    ...(count !== undefined && { count }),
    ...(since !== undefined && { since: timestamp(wholeMs(since)) }),
  }
}

const wholeMs = (ns: bigint): bigint => (ns / nsPerMs) * nsPerMs

const detailsOf = (details: Readonly<Record<string, string>>) =>
  Object.entries(details)
    .slice(0, detailsMax)
    .map(([name, value]) => ({ name: clipped(name, charsMax.name), value: clipped(value, charsMax.value) }))

/** No half of a surrogate pair, which UTF-8 does not have. */
function clipped(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed()
  return `${text.slice(0, most - 1).toWellFormed()}…`
}
