// What a call that changes something was about, and what it asked for: in the words of its request, without anything of a secret.

import type {
  ListRefusalsRequest,
  PrincipalEntry,
  PutPrincipalRequest,
  RemovePrincipalRequest,
  ReplayRefusalsRequest,
  UnlockPrincipalRequest,
} from '../../proto/generated/types.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { breakGlassName } from '../people/break-glass.ts'
import { idText } from '../ids.ts'

export interface Asked {
  readonly object?: string | undefined
  readonly details?: Readonly<Record<string, string>>
}

/** By the name of the call; `request` is as it was decoded, undefined for a stream of them. */
export function askedBy(name: string, request: unknown): Asked {
  const about = abouts[name]
  if (about && typeof request === 'object' && request !== null) return about(request as never)
  return { object: idIn(request) }
}

/** Calls that change something: each is an entry, however often it comes. */
export const isChange = (name: string): boolean => Object.hasOwn(abouts, name)

const abouts: Readonly<Record<string, (request: never) => Asked>> = {
  PutPrincipal: putPrincipal,
  RemovePrincipal: ({ principal }: RemovePrincipalRequest): Asked => ({ object: principal }),
  UnlockPrincipal: ({ principal }: UnlockPrincipalRequest): Asked => ({ object: principal }),
  SignOut: (): Asked => ({}),
  SealBreakGlass: (): Asked => ({ object: breakGlassName }),
  ReplayRefusals: replayRefusals,
  AdmitDevice: device,
  BlockDevice: device,
  Backup: ({ name }: { name?: string }): Asked => ({ object: name }),
}

function device({ device: name, principal }: { device?: string; principal?: string }): Asked {
  return { object: name, ...(principal && { details: { principal } }) }
}

const entryCodec = codec('tocsin.v1.PrincipalEntry')

function putPrincipal(request: PutPrincipalRequest): Asked {
  const {
    principal = {},
    secretHash,
    removeSecret,
    addTokens = [],
    removeTokens = [],
    onlyNew,
    totpSecret,
    removeTotp,
  } = request
  const added = addTokens.map(({ id = '', expiresAt }) => {
    const until = timestampNs(expiresAt)
    return until === undefined ? id : `${id} until ${rfc3339(until)}`
  })
  return {
    object: principal.principal,
    details: {
      ...fieldsOf(principal),
      ...(secretHash && { secret: 'a new one' }),
      ...(removeSecret && { secret: 'taken away' }),
      ...(totpSecret?.length && { app: 'a new one' }),
      ...(removeTotp && { app: 'taken away' }),
      ...(added.length > 0 && { tokens_added: added.join(', ') }),
      ...(removeTokens.length > 0 && { tokens_removed: removeTokens.join(', ') }),
      ...(onlyNew && { only_new: 'true' }),
    },
  }
}

/** The fields that were set, as JSON where they are no text. */
function fieldsOf(principal: PrincipalEntry): Record<string, string> {
  const fields = entryCodec.toJson(principal) as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => name !== 'principal' && name !== 'tokens')
      .map(([name, value]) => [snake(name), typeof value === 'string' ? value : (JSON.stringify(value) ?? '')]),
  )
}

function replayRefusals({ frameIds = [], matching, dryRun }: ReplayRefusalsRequest): Asked {
  const [only] = frameIds.length === 1 ? frameIds : []
  return {
    object: only && idText(only),
    details: {
      ...(frameIds.length > 0 ? { frames: String(frameIds.length) } : matchingOf(matching ?? {})),
      ...(dryRun && { dry_run: 'true' }),
    },
  }
}

function matchingOf({ adapters = [], channels = [], senders = [], faults = [] }: ListRefusalsRequest) {
  const named = { adapters, channels, senders, faults }
  const details = Object.entries(named).flatMap(([name, values]) =>
    values.length > 0 ? [[name, values.join(', ')] as const] : [],
  )
  return details.length > 0 ? Object.fromEntries(details) : { frames: 'all' }
}

const idBytes = 16

/** The event or frame that is asked for, where it is one. */
function idIn(request: unknown): string | undefined {
  const id: unknown = typeof request === 'object' && request !== null && 'id' in request ? request.id : undefined
  return id instanceof Uint8Array && id.length === idBytes ? idText(id) : undefined
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
