// Who is let in over gRPC and HTTP, as whom, and what a principal may be.

import type { PeerCertificate } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Caller, Principal } from '../gateway/grpc/access.ts'
import { putPrincipal } from '../gateway/grpc/principals.ts'
import { openState } from '../gateway/log/state.ts'
import { namesInCertificate, spiffeId } from '../gateway/policy/certificate-names.ts'
import { createAccess } from '../gateway/policy/readers.ts'
import { createRegistry, type RegisteredPrincipal } from '../gateway/policy/registry.ts'
import { builtinRoles, readRoles } from '../gateway/policy/roles.ts'
import { makeToken, readToken } from '../gateway/policy/tokens.ts'
import { EventKind } from '../proto/generated/types.ts'
import type { PutPrincipalRequest } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { openRegistry, principal, principals } from './tools/registry.ts'
import { tempFolder } from './tools/temp-folder.ts'

const nowMs = 1_790_000_000_000
const nowNs = BigInt(nowMs) * 1_000_000n
const day = 86_400_000
const caller: Caller = { face: 'grpc', address: '10.0.0.9:50000', loopback: false }

function tokenOf(endsInDays: number, roles: readonly string[] = []) {
  const { id, sha256, text } = makeToken()
  const digest = Buffer.from(sha256).toString('base64url')
  return { text, kept: { id, sha256: digest, expiresAtMs: nowMs + endsInDays * day, roles, note: '' } }
}

function accessOf(...entered: RegisteredPrincipal[]) {
  const registry = openRegistry(...entered)
  const parts = { registry, roles: readRoles([]), clock: { now: () => nowNs }, jurisdiction: 'county-a.example' }
  return createAccess({ ...parts, loopback: true })
}

type Answered = { refused: string } | { principal: Principal }
const answer = (access: ReturnType<typeof accessOf>, given: Partial<Caller>): Answered =>
  access.authenticate({ ...caller, ...given }) as Answered
const refusal = (answered: Answered): string => ('refused' in answered ? answered.refused : 'let in')
const bearer = (text: string): Partial<Caller> => ({ authorization: `Bearer ${text}` })

describe('a token', () => {
  const { text, kept } = tokenOf(1)
  const rms = principal('service:rms', { roles: ['observer', 'medical'], tokens: [kept] })

  test('lets its principal in with its roles, until it ends', () => {
    const found = answer(accessOf(rms), bearer(text))
    expect(found).toMatchObject({
      principal: { name: 'service:rms', authenticity: 'authenticated', endsAtMs: nowMs + day },
    })
    expect('principal' in found && [...found.principal.rights.include]).toEqual(['PII', 'PHI'])
  })

  test('may stand for some of the roles only, and never for one that its principal has not', () => {
    const narrow = tokenOf(1, ['observer', 'operator'])
    const found = answer(accessOf({ ...rms, tokens: [narrow.kept] }), bearer(narrow.text))
    expect('principal' in found && [...found.principal.rights.include]).toEqual([])
    expect('principal' in found && [...found.principal.rights.calls]).toEqual([])
  })

  test('that is wrong, of nobody, or of somebody who is switched off gets the same answer', () => {
    const unknown = refusal(answer(accessOf(rms), bearer(makeToken().text)))
    const otherSecret = `${text.slice(0, -43)}${makeToken().text.slice(-43)}`
    expect(unknown).toContain('not known here')
    expect(refusal(answer(accessOf(rms), bearer(otherSecret)))).toBe(unknown)
    expect(refusal(answer(accessOf({ ...rms, disabled: true }), bearer(text)))).toBe(unknown)
  })

  test('that has ended says so', () => {
    const old = tokenOf(-1)
    expect(refusal(answer(accessOf({ ...rms, tokens: [old.kept] }), bearer(old.text)))).toContain('has ended')
  })

  test('is not guessed at: whoever sends one is judged by it, on this machine too', () => {
    expect(refusal(answer(accessOf(rms), { ...bearer('tocsin_x'), loopback: true }))).toContain('Bearer <token>')
    expect(refusal(answer(accessOf(rms), { authorization: 'Basic cm9vdDpyb290', loopback: true }))).toContain('Bearer')
  })

  test('is read from any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (any) => void readToken(any)))
    expect(readToken(`bearer ${text}`)?.matches(kept.sha256)).toBe(true)
  })
})

describe('a certificate', () => {
  const registry = openRegistry(principal('device:gauge-7'), principal('person:anna'), principal('service:anna'))
  const named = (subjectaltname: string, CN = '') =>
    namesInCertificate({ subject: { CN }, subjectaltname }, 'county-a.example', registry)?.name

  test('is known by its SPIFFE id, of this jurisdiction only', () => {
    expect(named(`URI:${spiffeId('county-a.example', 'device:gauge-7')}`)).toBe('device:gauge-7')
    expect(named('DNS:x, URI:spiffe://county-a.example/person/anna')).toBe('person:anna')
    expect(named('URI:spiffe://county-b.example/device/gauge-7', 'gauge-7')).toBeUndefined()
    expect(named('URI:spiffe://county-a.example/device/gauge-7/x')).toBeUndefined()
    const two = 'URI:spiffe://county-a.example/device/gauge-7, URI:spiffe://county-a.example/person/anna'
    expect(named(two)).toBeUndefined()
  })

  test('of an agency’s own authority is known by a common name that one principal alone has', () => {
    expect(named('', 'gauge-7')).toBe('device:gauge-7')
    expect(named('', 'person:anna')).toBe('person:anna')
    expect(named('', 'anna')).toBeUndefined()
    expect(named('', 'nobody')).toBeUndefined()
  })

  test('is known by its digest, whatever it says of itself; one that nobody entered is refused with what to do', () => {
    const shown = (fingerprint256: string): Partial<Caller> => ({
      certificate: { subject: { CN: 'x' }, fingerprint256, valid_to: 'Dec 1 2030 00:00:00 GMT' } as PeerCertificate,
    })
    const access = accessOf(principal('person:anna', { certificates: ['ab'.repeat(32)] }))
    expect(answer(access, shown('AB:'.repeat(31) + 'AB'))).toMatchObject({ principal: { name: 'person:anna' } })
    expect(refusal(answer(access, shown('CD:'.repeat(31) + 'CD')))).toContain('tocsin principals add')
  })
})

test('who shows nothing is let in on this machine alone, and there only as the settings say', () => {
  const access = accessOf()
  expect(answer(access, { loopback: true })).toMatchObject({ principal: { name: 'grpc:anonymous' } })
  expect(refusal(answer(access, {}))).toContain('Say who you are')
  const parts = { registry: openRegistry(), roles: readRoles([]), clock: { now: () => nowNs }, jurisdiction: 'x' }
  const strict = createAccess({ ...parts, loopback: false })
  expect(refusal(answer(strict, { loopback: true }))).toContain('Say who you are')
})

test('every role that is built in adds only what it says: nobody but records, medical and law enforcement sees PHI or CJI', () => {
  const seeing = (label: string): string[] =>
    Object.entries(builtinRoles).flatMap(([name, { include }]) =>
      include.some((each) => each === label) ? [name] : [],
    )
  expect(seeing('PHI')).toEqual(['medical', 'records'])
  expect(seeing('CJI')).toEqual(['law_enforcement', 'records'])
  const changing = Object.entries(builtinRoles).flatMap(([name, { calls }]) =>
    calls.includes('PutPrincipal') ? [name] : [],
  )
  expect(changing).toEqual(['operator'])
})

describe('roles of the settings', () => {
  test('stand beside those that are built in', () => {
    const roles = readRoles([{ name: 'water_board', include: ['PII'], calls: ['GetStatus'] }])
    expect(roles.get('water_board')).toMatchObject({ reads: true, ops: true, frames: false, include: ['PII'] })
  })
  test.each([
    [[{ name: 'operator' }], /roles: operator is built in/],
    [[{ name: 'Water Board' }], /roles\.0\.name: is small letters/],
    [[{ name: 'x', include: ['SECRET'] }], /roles\.0\.include\.0/],
    [[{ name: 'x', calls: ['Everything'] }], /roles\.0\.calls\.0/],
    [[{ name: 'x', colour: 'red' }], /colour/],
  ])('%j is refused with its place', (tree, said) => {
    expect(() => readRoles(tree)).toThrow(said)
  })
})

describe('what is entered', () => {
  const clock = { now: () => nowNs }
  const put = (request: PutPrincipalRequest, house = principals()) => putPrincipal(house, request, clock)

  test('a device may publish where its name stands, and nowhere else', () => {
    expect(put({ principal: { principal: 'device:gauge-7' } }).principal?.publishTopics).toEqual([
      'tocsin/in/+/gauge-7',
    ])
  })

  test('secrets and tokens are kept when they are not spoken of, and never given back', () => {
    const house = principals()
    const { id, sha256 } = makeToken()
    const expiresAt = timestamp(nowNs + 86_400_000_000_000n)
    const secretHash = 'argon2id$19456$2$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    put({ principal: { principal: 'service:rms' }, secretHash, addTokens: [{ id, sha256, expiresAt }] }, house)
    const { principal: changed } = put({ principal: { principal: 'service:rms', note: 'records' } }, house)
    expect(changed).toMatchObject({ note: 'records', methods: ['secret', 'token'], tokens: [{ id }] })
    expect(JSON.stringify(changed)).not.toContain('argon2id')
    expect(changed?.tokens?.[0]?.sha256 ?? []).toHaveLength(0)
    expect(
      put({ principal: { principal: 'service:rms' }, removeSecret: true, removeTokens: [id] }, house).principal,
    ).toMatchObject({ methods: [], tokens: [] })
  })

  test.each<[string, PutPrincipalRequest, RegExp]>([
    ['no kind', { principal: { principal: 'gauge-7' } }, /principal must be <kind>:<name>/],
    ['another kind than its name', { principal: { principal: 'device:a', kind: 'person' } }, /kind must be device/],
    ['a name with a slash', { principal: { principal: 'device:a/b' } }, /principal must be/],
    ['a role that there is not', { principal: { principal: 'person:a', roles: ['boss'] } }, /roles holds a role/],
    ['a filter that is none', { principal: { principal: 'device:a', publishTopics: ['a/#/b'] } }, /publish_topics/],
    ['a secret in plain text', { principal: { principal: 'device:a' }, secretHash: 'hunter2' }, /secret_hash must be/],
    ['a kind of event that there is not', { principal: { principal: 'person:a', kinds: [99 as EventKind] } }, /kinds/],
    ['a box that is none', { principal: { principal: 'person:a', areas: [{ south: 95 }] } }, /south|box/],
    [
      'a digest that is none',
      { principal: { principal: 'person:a', certificateSha256: ['ab'] } },
      /certificate_sha256/,
    ],
    [
      'a token without end',
      { principal: { principal: 'service:a' }, addTokens: [{ id: 'a'.repeat(12), sha256: Buffer.alloc(32) }] },
      /add_tokens\.expires_at/,
    ],
  ])('is refused with the field that is wrong: %s', (_what, request, said) => {
    expect(() => put(request)).toThrow(said)
  })

  test('one name is entered once, and a certificate belongs to one', () => {
    const house = principals()
    const certificateSha256 = ['ab'.repeat(32)]
    put({ principal: { principal: 'person:anna', certificateSha256 }, onlyNew: true }, house)
    expect(() => put({ principal: { principal: 'person:anna' }, onlyNew: true }, house)).toThrow(/entered already/)
    expect(() => put({ principal: { principal: 'person:ben', certificateSha256 } }, house)).toThrow(/another principal/)
  })

  test('is there after a restart, and whoever has it open is told of a change', () => {
    const dataDir = tempFolder('registry')
    const state = openState({ dataDir })
    const registry = createRegistry(state)
    const told: string[] = []
    registry.onChange((name) => told.push(name))
    registry.put(principal('device:gauge-7', { certificates: ['ab'.repeat(32)] }))
    registry.put(principal('device:gauge-8'))
    expect(registry.remove('device:gauge-8')).toBe(true)
    expect(registry.remove('device:gauge-8')).toBe(false)
    expect(told).toEqual(['device:gauge-7', 'device:gauge-8', 'device:gauge-8'])
    state.close()
    const after = createRegistry(openState({ dataDir }))
    expect(after.list().map(({ name }) => name)).toEqual(['device:gauge-7'])
    expect(after.byCertificate('ab'.repeat(32))?.name).toBe('device:gauge-7')
  })
})
