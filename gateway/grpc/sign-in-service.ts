// SignInService: a person comes in, goes out, and asks who the gateway takes him for.

import type { SignInRequest, SignInResponse, WhoAmIResponse } from '../../proto/generated/types.ts'
import { Label } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestamp } from '../../proto/time.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import type { SignIn } from '../people/sign-in.ts'
import type { RegisteredPrincipal } from '../policy/registry.ts'
import { labelsAllowed } from '../policy/view.ts'
import type { Caller, Principal } from './access.ts'
import type { Registrar } from './registrar.ts'

/** What both faces need of signing in. */
export interface SignInDoor extends Pick<SignIn, 'signIn' | 'signOut'> {
  certifiedBy(caller: Caller): RegisteredPrincipal | undefined
}

export function addSignInService(registrar: Registrar, { signIn: door }: { readonly signIn: SignInDoor }): void {
  const service = serviceDefinition('tocsin.v1.SignInService')
  registrar.openUnary<SignInRequest>([service, 'SignIn'], (request, caller) => signIn(door, request, caller))
  registrar.unary([service, 'SignOut'], (_request, { principal }) => {
    signOut(door, principal)
    return {}
  })
  registrar.unary([service, 'WhoAmI'], (_request, { principal }) => whoIs(principal))
}

export async function signIn(door: SignInDoor, request: SignInRequest, caller: Caller): Promise<SignInResponse> {
  const { name = '', secret = '', totpCode = '', position = '' } = request
  const place = { address: caller.address, certified: door.certifiedBy(caller) }
  const { session, token } = await door.signIn({ name, secret, code: totpCode, position }, place)
  return { token, principal: session.person, position: session.position, endsAt: ofMs(session.endsAtMs) }
}

export function signOut(door: SignInDoor, { session }: Principal): void {
  if (session) return door.signOut(session)
  throw new GatewayError('not_set_up', 'This call is made without a session, so there is none to end.')
}

const labels = [Label.PUBLIC, Label.OPS, Label.PII, Label.PHI, Label.CJI]

export function whoIs({ name, session, endsAtMs, rights }: Principal): WhoAmIResponse {
  const allowed = rights.reads ? labelsAllowed(rights) : 0
  // `everything` holds every name there could be.
  const mayAll = rights.calls.has('')
  return {
    principal: name,
    position: session?.position ?? '',
    ...(endsAtMs !== undefined && { endsAt: ofMs(endsAtMs) }),
    labels: labels.filter((label) => (allowed & (1 << label)) !== 0),
    calls: mayAll ? [] : [...rights.calls].toSorted(),
    mayAll,
  }
}

const ofMs = (ms: number) => timestamp(BigInt(ms) * 1_000_000n)
