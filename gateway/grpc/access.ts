// Who calls, and what they may see and do. The gRPC and HTTP faces only ask: policy gives the answers, through the functions named
// here.

import type { PeerCertificate } from 'node:tls'
import type { ServerUnaryCall } from '@grpc/grpc-js'
import type { Frame, RecordHeader } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { StoredRecord } from '../log/log.ts'
import type { SliceFacts } from './slice-index.ts'
import { isLoopback } from '../policy/principals.ts'
import type { Session } from '../people/sessions.ts'
import type { CallName, Rights } from '../policy/rights.ts'

/** What is known of a caller before anybody has vouched for it. */
export interface Caller {
  /** By which door it came; who shows no name is called after it. */
  readonly face: 'grpc' | 'http'
  /** "127.0.0.1:50312"; for people and the audit. */
  readonly address: string
  readonly loopback: boolean
  /** The client's certificate, verified against the authority in the settings. */
  readonly certificate?: PeerCertificate
  /** The `authorization` metadata or header as sent, such as "Bearer …". */
  readonly authorization?: string
}

/** An authenticated reader or sender. */
export interface Principal {
  /** Such as "console:fire-2"; "grpc:anonymous" on loopback without settings. */
  readonly name: string
  readonly authenticity: 'authenticated' | 'unverified'
  readonly rights: Rights
  /** When what it showed ends, milliseconds since 1970; its streams end then. */
  readonly endsAtMs?: number
  /** By which he came in, where he signed in. */
  readonly session?: Session
}

/** `why` is told to the caller, so it says what to do and no more. */
export type Authenticated = { readonly principal: Principal } | { readonly refused: string }

export interface Access {
  /** Asked once for each call. */
  authenticate(caller: Caller): Authenticated | Promise<Authenticated>
  view(principal: Principal): View
  /** Calls of AdminService and ActionService by name, such as "ListRefusals", and "Publish". */
  may(principal: Principal, call: CallName): boolean
  /** Whether it may give messages on a channel: tocsin/in/<adapter>/<device>. */
  mayIngest(principal: Principal, channel: string): boolean
}

/** What one reader may see. A record that it may not see is not sent to it, in no part. */
export interface View {
  /** Readers with equal keys see the same, and share bytes. */
  readonly key: string
  /** True when nothing is withheld: bytes may be handed on without looking. */
  readonly everything: boolean
  /** Whether nothing is withheld of records that have no more than this between them. */
  mayPassWhole(facts: SliceFacts): boolean
  /** By what its header says; the record may still be withheld when it is opened. */
  mayRead(header: RecordHeader): boolean
  /** The record as this reader may have it: itself, a copy without what is beyond the view, or, undefined, nothing. */
  shown(record: StoredRecord): StoredRecord | undefined
  /** Frames as received carry the strictest label of their source. */
  mayReadFrame(frame: Frame): boolean
}

/** Throws not_allowed when `principal` may not make the call. */
export function permitCall(access: Access, principal: Principal, call: CallName): void {
  if (access.may(principal, call)) return
  const text = `${principal.name} may not do this (${call}): ask those who run this gateway for a role that may.`
  throw new GatewayError('not_allowed', text)
}

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext' | 'metadata'>

export function callerOf(call: Call): Caller {
  const address = call.getPeer()
  const certificate = call.getAuthContext().sslPeerCertificate
  const authorization = call.metadata.get('authorization')[0]
  return {
    face: 'grpc',
    address,
    loopback: isLoopback(hostOf(address)),
    // Node gives an empty object when the client showed none.
    ...(certificate?.subject && { certificate }),
    ...(typeof authorization === 'string' && { authorization }),
  }
}

/** `address` is "host:port", with an IPv6 host bare or bracketed. */
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
