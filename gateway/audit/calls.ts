// Calls over gRPC and HTTP as entries: who called what from where, and whether it was done. The first of a kind is written at once, more
// of it within a minute are counted; what changes something and what is refused names what it was about.

import { SystemEventType } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Audit, AuditNote } from './audit.ts'
import { type FailedHandshake, handshakeText } from './handshakes.ts'
import { addReading, isLabelled, newReading, type Reading, readingDetails } from './reads.ts'

export interface CallNotes {
  /** `error` is why it was not done; `reading` what was given of what is labelled. */
  call(call: AuditedCall, error?: unknown, reading?: Reading): void
  stream(call: AuditedCall): OpenStream
  handshake(failed: FailedHandshake): void
  /** Throws GatewayError audit_failed while labelled data may not be given, because it could not be written that it was. */
  refuseUnwritten(): void
  close(): void
}

/** A stream that was begun: what it gives of what is labelled is an entry a minute, and one when it ends. */
export interface OpenStream {
  given(reading: Reading): void
  end(error?: unknown): void
}

export interface AuditedCall {
  /** As the service or the table of routes has it: "GetEvent", "listEvents". */
  readonly name: string
  readonly face: 'grpc' | 'http'
  readonly address: string
  /** Absent: nobody vouched for the caller. */
  readonly principal?: string | undefined
  /** Whether it is a right of those who run the gateway. */
  readonly administers?: boolean
  /** Whether it changes something: each is an entry then. */
  readonly changes?: boolean
  readonly object?: string | undefined
  readonly details?: Readonly<Record<string, string>>
}

export function createCallNotes(audit: Audit): CallNotes {
  const open = new Set<() => void>()
  const timer = setInterval(() => open.forEach((tell) => tell()), streamEveryMs).unref()

  function noteOf({ name, address, principal, administers, object, details }: AuditedCall, error: unknown): AuditNote {
    const outcome = outcomeOf(error)
    return {
      action: snakeCase(name),
      type: outcome === 'denied' ? SystemEventType.ACCESS_DENIED : typeOf(name, administers ?? false),
      outcome,
      address,
      ...(principal !== undefined && { principal }),
      ...(object !== undefined && { object }),
      ...(details && { details }),
      ...(error !== undefined && { text: textOf(error) }),
    }
  }

  function put(call: AuditedCall, note: AuditNote): void {
    const { name, address, principal, face } = call
    // What was changed, and what was given of what is labelled, is told each time.
    if (note.outcome !== 'denied' && (call.changes || note.details)) return audit.note(note)
    audit.repeated(`${face} ${name} ${principal ?? '?'} ${hostOf(address)} ${note.outcome} ${note.type}`, note)
  }

  const detailed = (note: AuditNote, reading: Reading | undefined): AuditNote => {
    const details = reading && readingDetails(reading)
    return details ? { ...note, details: { ...note.details, ...details } } : note
  }

  return {
    call: (call, error, reading) => put(call, detailed(noteOf(call, error), reading)),
    stream(call) {
      put(call, { ...noteOf(call, undefined), type: SystemEventType.SUBSCRIPTION_REQUESTED })
      let reading = newReading()
      const tell = (): void => {
        if (!isLabelled(reading)) return
        put(call, detailed({ ...noteOf(call, undefined), type: SystemEventType.DATA_READ }, reading))
        reading = newReading()
      }
      open.add(tell)
      return {
        given: (more) => addReading(reading, more),
        end(error) {
          if (!open.delete(tell)) return
          const note = noteOf(call, error)
          const type = note.outcome === 'denied' ? note.type : SystemEventType.SUBSCRIPTION_TERMINATED
          put(call, detailed({ ...note, action: `${note.action}_end`, type }, reading))
        },
      }
    },
    handshake({ face, address, code }) {
      audit.repeated(`${face} handshake ${hostOf(address)} ${code}`, {
        action: 'sign_in',
        type: SystemEventType.ACCESS_DENIED,
        outcome: 'denied',
        address,
        object: face,
        text: handshakeText(code),
        details: { why: code },
      })
    },
    refuseUnwritten: () => audit.refuseUnwritten(),
    close: () => clearInterval(timer),
  }
}

const streamEveryMs = 60_000

const outcomeOf = (error: unknown): AuditNote['outcome'] =>
  error === undefined ? 'done' : isDenial(error) ? 'denied' : 'failed'

const isDenial = (error: unknown): boolean =>
  error instanceof GatewayError && (error.code === 'not_authenticated' || error.code === 'not_allowed')

/** The gateway's own sentences; whatever else went wrong is told by its log. */
const textOf = (error: unknown): string =>
  error instanceof GatewayError ? error.message : 'The gateway failed on this call; its log says why.'

function typeOf(name: string, administers: boolean): SystemEventType {
  if (/^replay/i.test(name)) return SystemEventType.REFUSALS_REPLAYED
  if (/^signOut/i.test(name)) return SystemEventType.SIGNED_OUT
  if (/^backup/i.test(name)) return SystemEventType.BACKUP_MADE
  if (/^(put|remove|unlock)Principal|^(admit|block)Device|sealBreakGlass/i.test(name))
    return SystemEventType.POLICY_CHANGE
  if (/^publish|ingest/i.test(name)) return SystemEventType.MESSAGE
  return administers ? SystemEventType.ADMINISTERED : SystemEventType.DATA_READ
}

/** "GetEvent" and "getEvent" are "get_event". */
export const snakeCase = (name: string): string =>
  name.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

/** Always with a port; an IPv6 host may be bare. */
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'))
