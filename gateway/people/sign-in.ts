// Signing in: a name, a secret and a code of an authenticator app, or of the position's certificate in its place, become a session for a
// shift. One answer for all that is wrong, in one time; nothing here asks the network. A lock closes this door and no other.

import { SystemEventType } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Alarms } from '../alarms.ts'
import type { Audit, AuditNote } from '../audit/audit.ts'
import type { Clock } from '../clock.ts'
import type { State } from '../log/state.ts'
import type { HashGate } from '../policy/hash-gate.ts'
import type { RegisteredPrincipal, Registry } from '../policy/registry.ts'
import { secretMatches } from '../policy/secrets.ts'
import { asPrinted, type BreakGlass, breakGlassMs, breakGlassName } from './break-glass.ts'
import { createLockouts, type Lock, lockoutMs, type Lockouts } from './lockouts.ts'
import type { Seal } from './seal.ts'
import type { Session, Sessions } from './sessions.ts'
import { stepOfCode, totpSecretBytes } from './totp.ts'

export interface SignInAttempt {
  /** "person:anna", or "anna". */
  readonly name: string
  readonly secret: string
  /** Six digits; '' without an app. */
  readonly code: string
  /** Where, in the person's own words; counts only where no certificate says it. */
  readonly position: string
}

/** From where it comes: address with port, and the principal whose certificate was shown. */
export interface SignInPlace {
  readonly address: string
  readonly certified?: RegisteredPrincipal | undefined
}

export interface SignIn {
  /** Rejects with GatewayError not_authenticated, overloaded, invalid_argument, not_set_up or audit_failed. */
  signIn(attempt: SignInAttempt, place: SignInPlace): Promise<{ readonly session: Session; readonly token: string }>
  /** Its token is good for nothing when this returns, and its streams end. */
  signOut(session: Session): void
  /** False: it is not locked. */
  unlock(name: string): boolean
  locks(): readonly Lock[]
  close(): void
}

export interface SignInParts {
  readonly registry: Registry
  readonly sessions: Sessions
  readonly state: Pick<State, 'database' | 'now'>
  readonly seal: Seal
  readonly breakGlass: Pick<BreakGlass, 'opened'>
  readonly gate: HashGate
  readonly clock: Clock
  readonly audit: Pick<Audit, 'note' | 'repeated' | 'refuseUnwritten'>
  readonly alarms: Pick<Alarms, 'raise' | 'clear'>
  readonly settings: SignInSettings
  /** Streams that this session has open must end. */
  cut(sessionId: string): void
}

export interface SignInSettings {
  /** How long a session lasts. */
  readonly sessionMs: number
  /** Only at positions that show a certificate. */
  readonly certificateRequired: boolean
}

/** As policy/secrets.ts takes at most. */
const secretBytesMax = 1_024
const nameCharsMax = 160
const codeCharsMax = 16
const positionCharsMax = 64
const locksEveryMs = 5_000

const wrong =
  'The name, the secret or the code is wrong, a code was used twice, or the account is locked for fifteen minutes after five failures.'

/** Of somebody who has no app, so that the same is computed for all. */
const nobodysApp = new Uint8Array(totpSecretBytes)

export function createSignIn(parts: SignInParts): SignIn {
  const { registry, sessions, state, seal, breakGlass, gate, clock, audit, alarms, settings } = parts
  const lockouts: Lockouts = createLockouts(clock)
  const selectStep = state.database.prepare('SELECT step FROM people_steps WHERE person = ?')
  const replaceStep = state.database.prepare('INSERT OR REPLACE INTO people_steps (person, step) VALUES (?, ?)')
  const timer = setInterval(tellLocks, locksEveryMs).unref()

  const nowMs = (): number => Number(clock.now() / 1_000_000n)
  const lastStep = (person: string): number =>
    Number((selectStep.get(person) as { step: number } | undefined)?.step ?? -1)

  function tellLocks(): void {
    const locks = lockouts.locks()
    if (locks.length === 0) return alarms.clear('sign_in_locked')
    const count = (of: Lock['of']): number => locks.filter((lock) => lock.of === of).length
    // Without names: an alarm is for everybody who may see OPS.
    const text = `Somebody guesses: ${count('account')} accounts and ${count('address')} addresses are locked out of signing in for ${lockoutMs / 60_000} minutes; tocsin audit list --action lock says which, tocsin principals unlock NAME opens one.`
    alarms.raise('sign_in_locked', '', text)
  }

  /** Why not, for the audit alone; a step that was used is on disk when this returns. */
  function whyNot(person: RegisteredPrincipal | undefined, isSecret: boolean, given: Given): string | undefined {
    const { code, certified, host } = given
    const app = person?.totp === undefined ? undefined : seal.open(person.totp, person.name)
    const step = stepOfCode(app ?? nobodysApp, code, nowMs(), person ? lastStep(person.name) : -1)
    const isSealed = person?.name === breakGlassName
    // Of 160 random bits nothing is guessed, and whoever needs it can wait for no lock.
    if (!isSealed && lockouts.isLocked(person?.name, host)) return 'locked'
    if (!person) return 'no person of this name may sign in'
    if (!isSecret) return 'the secret is wrong'
    if (person.totp !== undefined && !app) return 'the key that its app was entered under is not here'
    if (app && step === undefined) return 'the code is wrong, too old, or was used before'
    if (!app && !certified && !isSealed) return 'it has no app, and the position showed no certificate'
    if (app && step !== undefined) state.now(() => void replaceStep.run(person.name, step))
    return undefined
  }

  function refuse(person: RegisteredPrincipal | undefined, why: string, { address, host, position }: Given): never {
    const account = person?.name === breakGlassName ? undefined : person?.name
    const lock = lockouts.failed(account, host)
    if (lock) {
      audit.note({
        ...denied,
        action: 'lock',
        address,
        object: lock.name,
        text: `Locked out: this ${lock.of} failed too often.`,
      })
      tellLocks()
    }
    audit.repeated(`sign in ${person?.name ?? ''} ${host} ${why}`, {
      ...denied,
      action: 'sign_in',
      address,
      // A name that is nobody's may be a secret that was typed into the wrong field.
      ...(person && { object: person.name }),
      text: why,
      ...(position && { details: { position } }),
    })
    throw new GatewayError('not_authenticated', wrong)
  }

  return {
    async signIn(attempt, { address, certified }) {
      checkForm(attempt)
      const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
      const position = certified?.name ?? attempt.position
      const given: Given = { code: attempt.code, certified, host, address, position }
      const isSealed = personOf(registry, attempt.name)?.name === breakGlassName
      if (settings.certificateRequired && !certified && !isSealed) {
        const text = 'People sign in only at positions that show a certificate of their own (access.position_required).'
        throw new GatewayError('not_authenticated', text)
      }
      audit.refuseUnwritten()
      const found = personOf(registry, attempt.name)
      const secret = Buffer.from(isSealed ? asPrinted(attempt.secret) : attempt.secret)
      const isSecret = await gate.run(host, () => secretMatches(secret, found?.secretHash))
      // It may have been changed or taken out while the hash was made. From here on nothing waits: of many tries at once each
      // sees the failures before it.
      const person = personOf(registry, attempt.name)
      const why = whyNot(person, isSecret && person?.secretHash === found?.secretHash, given)
      if (why !== undefined || !person) return refuse(person, why ?? '', given)
      lockouts.succeeded(person.name)
      tellLocks()
      if (isSealed) breakGlass.opened()
      const endsAtMs = nowMs() + (isSealed ? breakGlassMs : settings.sessionMs)
      const begun = sessions.begin({ person: person.name, position, bound: certified !== undefined, endsAtMs })
      audit.note({
        action: 'sign_in',
        type: SystemEventType.SIGNED_IN,
        outcome: 'done',
        principal: person.name,
        address,
        details: detailsOf(begun.session),
      })
      return begun
    },
    signOut({ id }) {
      sessions.end(id)
      parts.cut(id)
    },
    unlock(name) {
      const was = lockouts.unlock(name)
      tellLocks()
      return was
    },
    locks: () => lockouts.locks(),
    close: () => clearInterval(timer),
  }
}

interface Given extends SignInPlace {
  readonly code: string
  readonly host: string
  readonly position: string
}

const denied = { type: SystemEventType.ACCESS_DENIED, outcome: 'denied' } as const satisfies Partial<AuditNote>

const detailsOf = ({ id, position, bound }: Session) => ({
  session: id,
  ...(position && { position }),
  ...(bound && { bound_to_certificate: 'true' }),
})

/** People only, who have a secret and are not switched off. */
function personOf(registry: Registry, name: string): RegisteredPrincipal | undefined {
  const found = registry.get(name.includes(':') ? name : `person:${name}`)
  return found?.kind === 'person' && found.secretHash !== undefined && !found.disabled ? found : undefined
}

function checkForm({ name, secret, code, position }: SignInAttempt): void {
  const fault =
    name === '' || name.length > nameCharsMax
      ? `name must have 1 to ${nameCharsMax} characters`
      : Buffer.byteLength(secret) > secretBytesMax
        ? `secret may have at most ${secretBytesMax} bytes`
        : code.length > codeCharsMax
          ? `totp_code may have at most ${codeCharsMax} characters`
          : position.length > positionCharsMax || /\p{Cc}/u.test(position)
            ? `position may have at most ${positionCharsMax} characters, and no control characters`
            : undefined
  if (fault) throw new GatewayError('invalid_argument', `${fault}.`)
}
