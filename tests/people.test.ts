// People who sign in: codes of authenticator apps, one answer for all that is wrong, lock-outs, sessions and the sealed account.

import { argon2Sync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { AuditNote } from '../gateway/audit/audit.ts'
import { openState } from '../gateway/log/state.ts'
import { breakGlassName, createBreakGlass } from '../gateway/people/break-glass.ts'
import { createLockouts, networkOf } from '../gateway/people/lockouts.ts'
import { createSeal, sealKeyFile } from '../gateway/people/seal.ts'
import { createSessions, type Session } from '../gateway/people/sessions.ts'
import { createSignIn, type SignInAttempt, type SignInSettings } from '../gateway/people/sign-in.ts'
import { base32, codeOfStep, stepAt } from '../gateway/people/totp.ts'
import { createHashGate } from '../gateway/policy/hash-gate.ts'
import { createAccess } from '../gateway/policy/readers.ts'
import { createRegistry, type RegisteredPrincipal } from '../gateway/policy/registry.ts'
import { readRoles } from '../gateway/policy/roles.ts'
import { hashSecret, secretMatches } from '../gateway/policy/secrets.ts'
import { principal } from './tools/registry.ts'
import { tempFolder } from './tools/temp-folder.ts'

const startMs = 1_790_000_000_000
const minuteMs = 60_000
const app = Buffer.from('12345678901234567890')
// Of "correct horse", with a cost that lets a test try a thousand times: argon2id, 1 MiB, one pass.
const secret = 'correct horse'
const salt = Buffer.alloc(16, 7)
const cheap = { nonce: salt, memory: 1024, passes: 1, parallelism: 1, tagLength: 32 }
const cheapTag = argon2Sync('argon2id', { message: Buffer.from(secret), ...cheap })
const cheapHash = `argon2id$1024$1$1$${salt.toString('base64url')}$${cheapTag.toString('base64url')}`

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

interface HouseOptions {
  readonly dataDir?: string
  readonly settings?: Partial<SignInSettings>
  readonly secretHash?: string
}

function openHouse({ dataDir = tempFolder('people'), settings, secretHash = cheapHash }: HouseOptions = {}) {
  const state = openState({ dataDir })
  const registry = createRegistry(state)
  const time = { ms: startMs, monotonicMs: 5_000 }
  const clock = {
    now: () => BigInt(time.ms) * 1_000_000n,
    monotonic: () => BigInt(time.monotonicMs) * 1_000_000n,
  }
  const wait = (ms: number): void => {
    time.ms += ms
    time.monotonicMs += ms
  }
  const seal = createSeal(dataDir)
  const notes: AuditNote[] = []
  const alarms = new Map<string, string>()
  const ringing = {
    raise: (code: string, _about: string, text: string) => void alarms.set(code, text),
    clear: (code: string) => void alarms.delete(code),
  }
  const roles = readRoles([])
  const sessions = createSessions(state, clock)
  const breakGlass = createBreakGlass({ registry, roles, alarms: ringing, roleNames: ['records', 'operator'] })
  const cut: string[] = []
  const signIn = createSignIn({
    registry,
    sessions,
    state,
    seal,
    breakGlass,
    gate: createHashGate({ atOnceMax: 2, waitingMax: 2_000, perHostMax: 2_000 }),
    clock,
    audit: {
      note: (note) => void notes.push(note),
      repeated: (_key, note) => void notes.push(note),
      refuseUnwritten() {},
    },
    alarms: ringing,
    settings: { sessionMs: 12 * 60 * minuteMs, certificateRequired: false, ...settings },
    cut: (id) => void cut.push(id),
  })
  closing.push(() => signIn.close())
  const access = createAccess({ registry, roles, clock, loopback: true, jurisdiction: 'county-a.example', sessions })
  const enter = (name: string, given: Partial<RegisteredPrincipal> = {}): void =>
    registry.put(principal(name, { roles: ['dispatcher'], secretHash, totp: seal.close(app, name), ...given }))
  if (!registry.get('person:anna')) enter('person:anna')
  const code = (): string => codeOfStep(app, stepAt(time.ms))
  const attempt = (given: Partial<SignInAttempt> = {}): SignInAttempt => ({
    name: 'anna',
    secret,
    code: code(),
    position: '',
    ...given,
  })
  const enterBy = (given: Partial<SignInAttempt> = {}, address = '10.0.0.9:50000', certified?: RegisteredPrincipal) =>
    signIn.signIn(attempt(given), { address, ...(certified && { certified }) })
  const answerTo = async (given: Partial<SignInAttempt>, address?: string): Promise<string> =>
    enterBy(given, address).then(
      () => 'let in',
      (error: Error) => error.message,
    )
  const as = (token: string, extra = {}) =>
    access.authenticate({
      face: 'grpc',
      address: '10.0.0.9:50001',
      loopback: false,
      authorization: `Bearer ${token}`,
      ...extra,
    }) as { refused: string } | { principal: { name: string; endsAtMs: number } }
  return { state, registry, time, wait, seal, notes, alarms, sessions, breakGlass, signIn, access, enter, enterBy, answerTo, as, cut, code, dataDir } // prettier-ignore
}

describe('what the gateway must read again', () => {
  test('lies in the database under a key that is in another file, for its owner alone', () => {
    const house = openHouse()
    expect(statSync(join(house.dataDir, sealKeyFile)).mode & 0o777).toBe(0o600)
    const kept = house.registry.get('person:anna')?.totp ?? ''
    expect(Buffer.from(kept, 'base64url').includes(app)).toBe(false)
    expect(Buffer.from(createSeal(house.dataDir).open(kept, 'person:anna')!)).toEqual(app)
    const elsewhere = createSeal(tempFolder('other-key'))
    expect(elsewhere.open(kept, 'person:anna')).toBeUndefined()
  })

  test('cannot be altered, nor put in the place of another person’s', () => {
    const seal = createSeal(tempFolder('seal'))
    const sealed = seal.close(app, 'person:anna')
    expect(seal.open(sealed, 'person:ben')).toBeUndefined()
    fc.assert(
      fc.property(fc.nat(Buffer.from(sealed, 'base64url').length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(sealed, 'base64url')
        bytes[at]! ^= flip
        expect(seal.open(bytes.toString('base64url'), 'person:anna')).toBeUndefined()
      }),
    )
  })

  test('is refused with the line to change when others can read its key', () => {
    const folder = tempFolder('seal')
    createSeal(folder).close(app, 'person:anna')
    const path = join(folder, sealKeyFile)
    chmodSync(path, 0o640)
    expect(() => createSeal(folder).close(app, 'person:anna')).toThrow(/chmod 600/)
  })
})

describe('a person', () => {
  test('comes in with name, secret and code, for a shift, and is who he is to every door', async () => {
    const house = openHouse()
    const { token, session } = await house.enterBy({ position: 'fire 2' })
    expect(token).toMatch(/^tocsin_s_[\w-]{12}_[\w-]{43}$/)
    expect(session).toMatchObject({ person: 'person:anna', position: 'fire 2', bound: false })
    expect(house.as(token)).toMatchObject({
      principal: { name: 'person:anna', endsAtMs: startMs + 12 * 60 * minuteMs },
    })
    house.wait(12 * 60 * minuteMs)
    expect(house.as(token)).toEqual({ refused: 'This session has ended: sign in again.' })
    const [entry] = house.notes
    expect(entry).toMatchObject({
      action: 'sign_in',
      outcome: 'done',
      principal: 'person:anna',
      address: '10.0.0.9:50000',
    })
  })

  test('gets one answer for a wrong name, a wrong secret, a wrong code, a used code, a switched-off account and no app', async () => {
    const house = openHouse()
    house.enter('person:off', { disabled: true })
    house.enter('service:rms')
    const { totp: _none, ...plain } = house.registry.get('person:anna')!
    house.registry.put({ ...plain, name: 'person:noapp' })
    const used = house.code()
    await house.enterBy()
    const answers = new Set([
      await house.answerTo({ name: 'nobody' }),
      await house.answerTo({ secret: 'wrong' }),
      await house.answerTo({ code: '000000' }),
      await house.answerTo({ code: used }),
      await house.answerTo({ code: '' }),
      await house.answerTo({ name: 'off' }),
      await house.answerTo({ name: 'service:rms' }),
      await house.answerTo({ name: 'noapp', code: '' }),
      await house.answerTo({ name: '__proto__' }),
    ])
    expect([...answers]).toEqual([expect.stringMatching(/^The name, the secret or the code is wrong/)])
  })

  test('whose code was used is not let in by it again after a restart', async () => {
    const house = openHouse()
    const used = house.code()
    await house.enterBy({ code: used })
    house.state.close()
    const after = openHouse({ dataDir: house.dataDir })
    expect(await after.answerTo({ code: used })).not.toBe('let in')
    after.wait(30_000)
    expect(await after.answerTo({})).toBe('let in')
  })

  test('stays signed in over a restart, and goes out for good', async () => {
    const house = openHouse()
    const { token } = await house.enterBy()
    house.state.close()
    const after = openHouse({ dataDir: house.dataDir })
    const answered = after.as(token) as unknown as { principal: { session: Session } }
    expect(answered).toMatchObject({ principal: { name: 'person:anna' } })
    after.signIn.signOut(answered.principal.session)
    expect(after.cut).toEqual([answered.principal.session.id])
    expect(after.as(token)).toHaveProperty('refused')
    after.state.close()
    expect(openHouse({ dataDir: house.dataDir }).as(token)).toHaveProperty('refused')
  })

  test('leaves nothing on disk that would let somebody in', async () => {
    const house = openHouse()
    const { token } = await house.enterBy()
    const used = house.code()
    house.state.close()
    const bytes = readFileSync(join(house.dataDir, 'state.sqlite'))
    for (const word of [token, token.slice(-43), secret, base32(app)]) expect(bytes.includes(word)).toBe(false)
    expect(bytes.includes(app)).toBe(false)
    expect(JSON.stringify(house.notes)).not.toMatch(new RegExp(`${secret}|${used}|${token.slice(-43)}`))
  })

  test('who types the secret into the field of the name does not have it written to the audit', async () => {
    const house = openHouse()
    await house.answerTo({ name: secret })
    expect(house.notes).toHaveLength(1)
    expect(JSON.stringify(house.notes)).not.toContain(secret)
  })

  test.each<[string, Partial<SignInAttempt>, RegExp]>([
    ['no name', { name: '' }, /^name must/],
    ['a secret of 1,025 bytes', { secret: 'x'.repeat(1_025) }, /^secret may/],
    ['a code of 17 digits', { code: '1'.repeat(17) }, /^totp_code may/],
    ['a position of two lines', { position: 'a\nb' }, /^position may/],
  ])('is told what cannot be meant before anything is computed: %s', async (_what, given, said) => {
    const house = openHouse()
    expect(await house.answerTo(given)).toMatch(said)
    expect(house.notes).toEqual([])
  })
})

describe('the certificate of a position', () => {
  const sha256 = 'ab'.repeat(32)
  const shown = { fingerprint256: 'AB:'.repeat(31) + 'AB', subject: { CN: 'x' }, valid_to: 'Dec 1 2030 00:00:00 GMT' }
  const other = { ...shown, fingerprint256: 'CD:'.repeat(31) + 'CD' }

  test('with a person’s session gives the person’s rights there, and nothing at another position or without it', async () => {
    const house = openHouse()
    const position = principal('service:console-3', { certificates: [sha256] })
    house.registry.put(position)
    house.registry.put(principal('service:console-4', { certificates: ['cd'.repeat(32)] }))
    const { token, session } = await house.enterBy({ position: 'somewhere else' }, '10.0.0.9:50000', position)
    expect(session).toMatchObject({ position: 'service:console-3', bound: true })
    const there = house.as(token, { certificate: shown })
    expect(there).toMatchObject({ principal: { name: 'person:anna' } })
    expect(house.as(token, { certificate: other })).toEqual({ refused: expect.stringContaining('another position') })
    expect(house.as(token)).toEqual({ refused: expect.stringContaining('another position') })
    house.registry.put({ ...position, disabled: true })
    expect(house.as(token, { certificate: shown })).toHaveProperty('refused')
  })

  test('that is revoked stands for no position, neither for signing in nor with a session', async () => {
    const house = openHouse()
    const position = principal('service:console-3', { certificates: [sha256] })
    house.registry.put(position)
    const { token } = await house.enterBy({}, undefined, position)
    const { registry, sessions } = house
    const parts = { registry, sessions, roles: readRoles([]), clock: { now: () => BigInt(startMs) * 1_000_000n } }
    const revocation = { why: () => 'It is revoked.' }
    const access = createAccess({ ...parts, loopback: true, jurisdiction: 'x', revocation })
    const caller = { face: 'grpc', address: '10.0.0.9:1', loopback: false, certificate: shown as never } as const
    expect(access.certifiedBy(caller)).toBeUndefined()
    expect(access.authenticate({ ...caller, authorization: `Bearer ${token}` })).toEqual({ refused: 'It is revoked.' })
  })

  test('stands in place of the app, and may be asked for of everybody', async () => {
    const house = openHouse({ settings: { certificateRequired: true } })
    const position = principal('service:console-3', { certificates: [sha256] })
    const { totp: _none, ...plain } = house.registry.get('person:anna')!
    house.registry.put({ ...plain, name: 'person:ben' })
    expect(await house.answerTo({})).toContain('access.position_required')
    await expect(house.enterBy({ name: 'ben', code: '' }, undefined, position)).resolves.toBeDefined()
  })
})

describe('who guesses', () => {
  test('is locked out after five failures for fifteen minutes, with the right secret too, and by no setting of the clock', async () => {
    const house = openHouse()
    const { token } = await house.enterBy()
    for (let n = 0; n < 5; n += 1) await house.answerTo({ secret: `wrong ${n}` })
    house.wait(30_000)
    const locked = await house.answerTo({})
    expect(locked).toBe(await house.answerTo({ name: 'nobody' }))
    expect(house.alarms.get('sign_in_locked')).toContain('1 accounts')
    expect(house.notes.filter(({ action }) => action === 'lock').map(({ object }) => object)).toEqual(['person:anna'])
    house.time.ms += 60 * minuteMs
    expect(await house.answerTo({})).toBe(locked)
    // A lock is no business of who is in already.
    expect(house.as(token)).toHaveProperty('principal')
    house.wait(15 * minuteMs)
    expect(await house.answerTo({})).toBe('let in')
    expect(house.alarms.has('sign_in_locked')).toBe(false)
  })

  test('in 1,000 tries at once is never let in by the one that is right among them, and the others are not held up', async () => {
    const house = openHouse()
    house.enter('person:ben')
    // The right one stands behind five wrong ones.
    const tries = Array.from({ length: 1_000 }, (_, n) =>
      house.answerTo(n === 700 ? {} : { secret: `guess ${n}` }, `10.0.${n % 25}.9:50000`),
    )
    const answers = await Promise.all(tries)
    expect(answers.filter((answer) => answer === 'let in')).toEqual([])
    expect(new Set(answers).size).toBe(1)
    expect(await house.answerTo({ name: 'ben' }, '10.1.0.1:50000')).toBe('let in')
    // Each of the 25 addresses failed 40 times, which is below 50.
    expect(house.signIn.locks()).toEqual([{ of: 'account', name: 'person:anna' }])
  })

  test('over many names is locked out by address, where others are not', async () => {
    const house = openHouse()
    for (let n = 0; n < 50; n += 1) await house.answerTo({ name: `nobody-${n}` })
    expect(house.signIn.locks()).toEqual([{ of: 'address', name: '10.0.0.9' }])
    expect(await house.answerTo({})).not.toBe('let in')
    expect(await house.answerTo({}, '10.0.0.10:50000')).toBe('let in')
  })

  test('locks nobody whom an operator opens again', async () => {
    const house = openHouse()
    expect(house.signIn.unlock('person:anna')).toBe(false)
    for (let n = 0; n < 5; n += 1) await house.answerTo({ secret: 'wrong' })
    expect(house.signIn.unlock('person:anna')).toBe(true)
    expect(await house.answerTo({})).toBe('let in')
  })

  test('learns nothing from the time it takes: a wrong name and a wrong secret are told apart by nothing', async () => {
    const house = openHouse({ secretHash: await hashSecret(Buffer.from(secret)) })
    const timesOf = { name: [] as number[], secret: [] as number[] }
    for (let n = 0; n < 40; n += 1) {
      // In turn, so that a busy machine is busy for both.
      for (const kind of n % 2 === 0 ? (['name', 'secret'] as const) : (['secret', 'name'] as const)) {
        const from = performance.now()
        await house.answerTo(kind === 'name' ? { name: 'nobody' } : { secret: 'wrong' }, `10.0.${n}.9:1`)
        timesOf[kind].push(performance.now() - from)
      }
    }
    const median = (times: number[]): number => times.toSorted((a, b) => a - b)[times.length / 2]!
    const [name, wrong] = [median(timesOf.name), median(timesOf.secret)]
    // A name that was answered without hashing would take less than one.
    expect(Math.abs(name - wrong) / Math.max(name, wrong)).toBeLessThan(0.3)
    expect(Math.min(name, wrong)).toBeGreaterThan(5)
  }, 60_000)

  test('floods the door: so many wait and no more, a few of one address, and each has its turn', async () => {
    const gate = createHashGate({ atOnceMax: 1, waitingMax: 4, perHostMax: 3 })
    const { promise: held, resolve: go } = Promise.withResolvers<void>()
    let most = 0
    let now = 0
    const work = async (): Promise<string> => {
      most = Math.max(most, (now += 1))
      await held
      now -= 1
      return 'done'
    }
    const one = Array.from({ length: 6 }, () => gate.run('10.0.0.1', work).catch((error: Error) => error.message))
    const others = ['2', '3', '4'].map((host) => gate.run(host, work).catch((error: Error) => error.message))
    go()
    const answers = await Promise.all([...one, ...others])
    expect(answers.filter((answer) => answer === 'done')).toHaveLength(5)
    expect(answers.slice(0, 3)).toEqual(['done', 'done', 'done'])
    expect(answers[3]).toContain('try again in a few seconds')
    expect(most).toBe(1)
    expect(gate.waiting).toBe(0)
  })

  test('has the whole of an IPv6 network counted as one, and IPv4 however it is written', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:0db8:0:0:ffff::2'))
    expect(networkOf('2001:db8::1')).not.toBe(networkOf('2001:db8:0:1::1'))
    expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1')
    fc.assert(fc.property(fc.ipV6(), (host) => void expect(networkOf(host)).toMatch(/^[0-9a-f:]+::\/64$/)))
  })

  test('from ever new addresses makes us remember only so many', () => {
    const lockouts = createLockouts({ monotonic: () => 0n })
    for (let n = 0; n < 50; n += 1) lockouts.failed(undefined, '10.9.9.9')
    for (let n = 0; n < 30_000; n += 1) lockouts.failed(undefined, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    expect(lockouts.isLocked(undefined, '10.9.9.9')).toBe(true)
  })
})

describe('the sealed account', () => {
  const envelope = base32(randomBytes(20))

  test('opens once, for four hours, without app or certificate, whatever is locked, and everybody hears of it', async () => {
    const house = openHouse({ settings: { certificateRequired: true } })
    house.breakGlass.seal({ secretHash: await hashSecret(Buffer.from(envelope)) })
    expect(house.alarms.has('break_glass')).toBe(false)
    for (let n = 0; n < 50; n += 1) await house.answerTo({ name: 'break-glass', secret: 'A' })
    const typed = envelope.toLowerCase().replaceAll(/(.{4})/g, '$1-')
    const { token } = await house.enterBy({ name: 'break-glass', secret: typed, code: '' })
    expect(house.as(token)).toMatchObject({
      principal: { name: breakGlassName, endsAtMs: startMs + 4 * 60 * minuteMs },
    })
    expect(house.alarms.get('break_glass')).toContain('tocsin break-glass seal')
    expect(await house.answerTo({ name: 'break-glass', secret: envelope, code: '' })).not.toBe('let in')
    house.state.close()
    const after = openHouse({ dataDir: house.dataDir })
    expect(after.alarms.has('break_glass')).toBe(true)
    expect(after.as(token)).toHaveProperty('principal')
  }, 60_000)

  test('is sealed by nothing but a hash, and not by changing it as a principal', () => {
    const house = openHouse()
    expect(() => house.breakGlass.seal({ secretHash: 'hunter2' })).toThrow(/secret_hash/)
    expect(existsSync(join(house.dataDir, sealKeyFile))).toBe(true)
  })
})

test('hashes of secrets are of the whole secret', async () => {
  expect(await secretMatches(Buffer.from(secret), cheapHash)).toBe(true)
  expect(await secretMatches(Buffer.from(`${secret} `), cheapHash)).toBe(false)
})
