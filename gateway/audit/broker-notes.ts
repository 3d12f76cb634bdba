// What the broker tells of connections and of what is not allowed, as entries. A client that does the same again and again, and a flood of
// them from one address, are one entry a minute with a count.

import type { BrokerEvent, CutReason, RefusalReason } from '../../broker/port.ts'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { MqttPrincipal, Permissions } from '../policy/principals.ts'
import type { Audit } from './audit.ts'
import { handshakeText } from './handshakes.ts'

const protocols = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' } as const

const whyRefused: Readonly<Partial<Record<RefusalReason, string>>> = {
  credentials: 'The name or the secret is wrong, or none was given where one is needed.',
  not_allowed: 'This principal may not connect here.',
  client_id: 'The client id is not one that it may have.',
  unavailable: 'The gateway could not take it just then.',
  connections: 'There were as many connections as the gateway takes.',
  address_connections: 'There were as many connections from this address as one may have.',
  connect_rate: 'Connections came faster than one address may make them.',
  address: 'The listener is for other addresses, or the last day of its exception is over.',
  sessions: 'There were as many sessions as the gateway keeps.',
  will_forbidden:
    'Its will is for a topic on which it may not publish, or asks for answers where it may not read them.',
  authentication_method: 'It asked for enhanced authentication, which is not spoken here.',
  certificate: 'It showed no certificate of an authority that is trusted.',
  origin: 'It is a page of another origin.',
  protocol: 'What it sent was no MQTT.',
}

const whyCut: Readonly<Partial<Record<CutReason, string>>> = {
  left: 'It went.',
  keep_alive: 'It was silent for longer than its keep-alive.',
  protocol: 'It was cut: it broke the standard.',
  too_large: 'It was cut: its packet was above the limit.',
  slow: 'It was cut: it did not read what it had subscribed to.',
  unstored: 'It was cut: its message could not be stored.',
  taken_over: 'Another connection came with its client id.',
  receive_maximum: 'It was cut: too many of its messages waited for PUBREL.',
}

/** `next` hears of it as well. */
export function brokerNotes(audit: Audit, next: (event: BrokerEvent) => void): (event: BrokerEvent) => void {
  return (event) => {
    next(event)
    if (event.kind === 'connected') {
      const { clientId, principal, address, listener, protocolVersion } = event
      audit.repeated(`mqtt in ${principal} ${address}`, {
        action: 'sign_in',
        type: SystemEventType.SIGNED_IN,
        outcome: 'done',
        principal,
        address,
        object: listener,
        details: { client_id: clientId, protocol: protocols[protocolVersion] },
      })
    } else if (event.kind === 'disconnected') {
      const { clientId, principal, why } = event
      // All go when the gateway stops, which is an entry of its own.
      if (why === 'closing') return
      audit.repeated(`mqtt out ${principal} ${why}`, {
        action: 'sign_out',
        type: SystemEventType.SIGNED_OUT,
        outcome: why === 'left' || why === 'keep_alive' ? 'done' : 'failed',
        principal,
        text: whyCut[why] ?? why,
        details: { client_id: clientId, why },
      })
    } else if (event.kind === 'refused') {
      // Who was refused for what he showed is noted where that is looked at: each time, and under which name.
      if (!isAboutCredentials(event.why)) refused(audit, event)
    } else if (event.kind === 'forbidden') {
      const { action, clientId, principal, topic } = event
      audit.repeated(`mqtt forbidden ${principal} ${action}`, {
        action,
        type: SystemEventType.ACCESS_DENIED,
        outcome: 'denied',
        principal,
        object: topic,
        text: 'It may not do this on this topic.',
        details: { client_id: clientId },
      })
    }
  }
}

const isAboutCredentials = (why: RefusalReason): boolean =>
  why === 'credentials' || why === 'not_allowed' || why === 'unavailable'

interface RefusedConnect {
  readonly address: string
  readonly listener: string
  readonly why: RefusalReason
  readonly clientId?: string
  /** As the client gave it. */
  readonly username?: string
  /** More than `why` says. */
  readonly text?: string
}

function refused(audit: Audit, { address, listener, why, clientId = '', username, text }: RefusedConnect): void {
  audit.repeated(`mqtt refused ${address} ${why} ${text ?? ''}`, {
    action: 'sign_in',
    type: SystemEventType.ACCESS_DENIED,
    outcome: 'denied',
    address,
    object: listener,
    text: why === 'certificate' && text !== undefined ? handshakeText(text) : (text ?? whyRefused[why] ?? why),
    details: {
      why,
      ...(clientId !== '' && { client_id: clientId }),
      ...(username !== undefined && { name_given: username }),
    },
  })
}

const noAnswer = { refused: 'unavailable' } as const

function mayBeNoted(audit: Audit): boolean {
  try {
    audit.refuseUnwritten()
    return true
  } catch {
    return false
  }
}

/** The same permissions; who is let in while the audit cannot be written depends on the settings, and who subscribes to what is noted. */
export function auditedPermissions(permissions: Permissions, audit: Audit): Permissions {
  return {
    ...permissions,
    async authenticate(attempt) {
      const answer = mayBeNoted(audit) ? await permissions.authenticate(attempt) : noAnswer
      if ('refused' in answer) refused(audit, { ...attempt, ...answer, why: answer.refused })
      return answer
    },
    maySubscribe(principal: MqttPrincipal, filter) {
      const may = permissions.maySubscribe(principal, filter)
      if (may) {
        audit.repeated(`mqtt subscribe ${principal.name} ${filter}`, {
          action: 'subscribe',
          type: SystemEventType.SUBSCRIPTION_REQUESTED,
          outcome: 'done',
          principal: principal.name,
          object: filter,
        })
      }
      return may
    },
  }
}
