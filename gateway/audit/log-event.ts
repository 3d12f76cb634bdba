// An entry in the words of NENA i3 LogEvent (NENA-STA-010.3, Logging Service; NENA911/Logging-Service loggingservice.yaml), for programs
// that read the logs of other elements as well. What i3 has no word for stands in `extension`.

import { AuditOutcome, SystemEventType } from '../../proto/generated/types.ts'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { hex } from './chain.ts'

export interface LogEvent {
  readonly logEventType: string
  readonly timestamp: string
  readonly elementId: string
  readonly agencyId: string
  readonly agencyAgentId?: string
  readonly ipAddressPort?: string
  /** The entry's number. */
  readonly clientAssignedIdentifier: string
  readonly extension: {
    readonly action: string
    readonly outcome: string
    readonly object?: string
    readonly text?: string
    readonly details?: Readonly<Record<string, string>>
    readonly count?: number
    readonly since?: string
    readonly previousSha256: string
  }
}

export function logEventOf(entry: AuditEntry): LogEvent {
  const { principal, address, object, text, details = [] } = entry
  const count = toNumber(entry.count)
  const since = timestampNs(entry.since)
  return {
    logEventType: logEventType(entry.type),
    timestamp: rfc3339(timestampNs(entry.at) ?? 0n),
    elementId: entry.element ?? '',
    agencyId: entry.agency ?? '',
    ...(principal && { agencyAgentId: principal }),
    ...(address && { ipAddressPort: address }),
    clientAssignedIdentifier: String(toNumber(entry.number)),
    extension: {
      action: entry.action ?? '',
      outcome: outcomeWord(entry.outcome),
      ...(object && { object }),
      ...(text && { text }),
      ...(details.length > 0 && {
        details: Object.fromEntries(details.map(({ name = '', value = '' }) => [name, value])),
      }),
      ...(count > 0 && { count }),
      ...(since !== undefined && { since: rfc3339(since) }),
      previousSha256: hex(entry.previousSha256),
    },
  }
}

const typeNames = new Map(Object.entries(SystemEventType).map(([name, number]) => [number as number, name]))
const outcomeNames = new Map(Object.entries(AuditOutcome).map(([name, number]) => [number as number, name]))

/** "done", "denied", "failed". */
export const outcomeWord = (outcome: AuditEntry['outcome']): string =>
  (outcomeNames.get(outcome ?? 0) ?? 'unspecified').toLowerCase()

/** "PolicyChangeLogEvent" for POLICY_CHANGE; the gateway's own types have names of the same form. */
function logEventType(type: AuditEntry['type']): string {
  const words = (typeNames.get(type ?? 0) ?? 'unspecified').toLowerCase().split('_')
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}LogEvent`
}
