// The certificate authority itself: what it issues, what it refuses, when it warns, and what a wrong file does to doors that are open.

import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { TlsFiles } from '../broker/port.ts'
import { type Alarm, createAlarms } from '../gateway/alarms.ts'
import type { AuditNote } from '../gateway/audit/audit.ts'
import { dayMs, openAuthority } from '../gateway/ca/authority.ts'
import { createExpiryAlarms, isDue } from '../gateway/ca/expiry.ts'
import { foundAuthority, listIssued, loadAuthority, revoke } from '../gateway/ca/folder.ts'
import { type DoorKeys, openDoorKeys } from '../gateway/ca/keys.ts'
import { readLists } from '../gateway/ca/lists.ts'
import { authorityFiles } from '../gateway/ca/paths.ts'
import { createRevocation } from '../gateway/ca/revocation.ts'
import { presentHosts, renewOwn } from '../gateway/ca/server-certificate.ts'
import { cardSvg, cardText } from '../gateway/cli/enrolment-card.ts'
import { qrOf } from '../gateway/cli/qr.ts'
import { runWords } from '../gateway/cli/run-command.ts'
import { refuseUnsafe } from '../gateway/policy/unsafe/unsafe-checks.ts'
import { readSettings } from '../gateway/settings.ts'
import { certificateAuthority } from './tools/certificates.ts'
import type { Outcome } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const nowMs = Date.now()
const clockAt = (ms: number) => ({ now: () => BigInt(ms) * 1_000_000n, monotonic: () => 0n })

async function authorityIn(dataDir: string, madeAtMs = nowMs) {
  await foundAuthority(dataDir, 'county-a.example', madeAtMs)
  return loadAuthority(dataDir)
}

async function tocsin(...words: string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' }
  const code = await runWords(words, {
    print: (line) => void (said.stdout += `${line}\n`),
    tell: (line) => void (said.stderr += `${line}\n`),
    paint: (_style, text) => text,
    width: undefined,
    whenFull: () => {},
  })
  return { code, ...said }
}

describe('what it issues', () => {
  test('a client’s certificate is for clients, of P-256, names a SPIFFE id, and fits its key and its authority', async () => {
    const authority = await authorityIn(tempFolder('ca'))
    const uri = 'spiffe://county-a.example/device/gauge-7'
    const issued = await authority.issue({ commonName: 'gauge-7', usage: 'client', uri, days: 30, nowMs })
    const certificate = new X509Certificate(issued.certificate)
    expect(certificate).toMatchObject({ subject: 'CN=gauge-7', subjectAltName: `URI:${uri}`, ca: false })
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(certificate.serialNumber.toLowerCase()).toBe(issued.serial)
    expect(Date.parse(certificate.validTo)).toBe(Math.floor((nowMs + 30 * dayMs) / 1000) * 1000)
    // A device whose clock lags by five minutes takes it.
    expect(nowMs - Date.parse(certificate.validFrom)).toBeGreaterThanOrEqual(300_000)
    expect(issued.key).toContain('BEGIN PRIVATE KEY')
  })

  test('a request gets a certificate for its own key; one that is changed, weak or none is refused', async () => {
    const authority = await authorityIn(tempFolder('ca'))
    const x509 = await import('../gateway/ca/x509.ts')
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=anybody',
      keys,
      signingAlgorithm: algorithm,
    })
    const wanted = { commonName: 'gauge-7', usage: 'client', uri: 'spiffe://c/device/gauge-7', days: 1, nowMs } as const
    const issued = await authority.issue({ ...wanted, request: Buffer.from(request.toString('pem')) })
    expect(issued.key).toBeUndefined()
    const certificate = new X509Certificate(issued.certificate)
    // Its own words about who it is count for nothing.
    expect(certificate.subject).toBe('CN=gauge-7')
    const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' })).toEqual(spki)

    const changed = Buffer.from(request.rawData)
    changed[changed.indexOf('anybody')] = 'A'.charCodeAt(0)
    await expect(authority.issue({ ...wanted, request: changed })).rejects.toThrow('not signed by the key')
    await expect(authority.issue({ ...wanted, request: Buffer.from('hello') })).rejects.toThrow('PKCS#10')
  })

  test('nothing outlasts its authority, and nothing is issued before it was made', async () => {
    const authority = await authorityIn(tempFolder('ca'))
    const wanted = { commonName: 'x', usage: 'client', uri: 'spiffe://c/device/x' } as const
    await expect(authority.issue({ ...wanted, days: 3_700, nowMs })).rejects.toThrow('outlast its authority')
    await expect(authority.issue({ ...wanted, days: 1, nowMs: nowMs - dayMs })).rejects.toThrow('set the clock first')
  })
})

describe('its folder', () => {
  test('holds nothing that others may read, and is not made twice', async () => {
    const dataDir = tempFolder('ca')
    const authority = await authorityIn(dataDir)
    await renewOwn({ dataDir, authority, jurisdiction: 'c', hosts: ['gw.c', '192.0.2.1', '2001:db8::1'], nowMs })
    const files = authorityFiles(dataDir)
    for (const file of [files.key, files.certificate, files.server, files.serverKey, files.command, files.commandKey]) {
      expect(statSync(file).mode & 0o777).toBe(0o600)
    }
    expect(statSync(files.folder).mode & 0o777).toBe(0o700)
    expect(presentHosts(dataDir)).toEqual(['gw.c', '192.0.2.1', '2001:DB8:0:0:0:0:0:1'])
    await expect(foundAuthority(dataDir, 'c', nowMs)).rejects.toThrow('already')
    chmodSync(files.key, 0o640)
    await expect(async () => loadAuthority(dataDir)).rejects.toThrow(`run chmod 600 ${files.key}`)
  })

  test('a torn file of what was issued is named', async () => {
    const dataDir = tempFolder('ca')
    await authorityIn(dataDir)
    const { issued } = authorityFiles(dataDir)
    const authority = await loadAuthority(dataDir)
    await renewOwn({ dataDir, authority, jurisdiction: 'c', hosts: [], nowMs })
    const [first] = listIssued(dataDir)
    writeFileSync(join(issued, `${first!.serial}.json`), '{"serial":')
    expect(() => listIssued(dataDir)).toThrow(`${first!.serial}.json is not as the authority wrote it`)
  })
})

describe('commands', () => {
  const dataDir = tempFolder('ca-cli')
  const at = ['--data-dir', dataDir]

  test('say what to do when something is missing or cannot be meant', async () => {
    expect(await tocsin('ca', 'list', ...at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('tocsin ca init'),
    })
    expect((await tocsin('revoke', 'device:gauge-7', ...at)).stderr).toContain('make one with tocsin ca init')
    expect((await tocsin('ca', 'init', '--name', 'a b', ...at)).stderr).toContain('neither a DNS name nor an address')
    expect(existsSync(authorityFiles(dataDir).folder)).toBe(false)
    expect((await tocsin('enroll', 'gauge', 'x', ...at)).stderr).toContain('device|system|person|service|partner NAME')
    expect((await tocsin('enroll', 'device', 'a/b', ...at)).stderr).toContain('a/b cannot be a name')
  })

  test('make an authority once, and list what it issued', async () => {
    const made = await tocsin('ca', 'init', '--name', 'gw.c.example', ...at)
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('for gw.c.example, localhost')])
    expect(made.stderr).toContain('tls: {certificate: auto}')
    expect((await tocsin('ca', 'init', ...at)).stderr).toContain('There is an authority in')
    const { stdout } = await tocsin('ca', 'list', ...at)
    expect(stdout).toMatch(/server +[0-9a-f]{32} /)
    expect((await tocsin('revoke', 'server', ...at)).stderr).toContain('tocsin ca renew makes another')
    expect((await tocsin('revoke', 'device:x', ...at)).stderr).toContain('nothing was issued to device:x')
  })

  test('enroll says that a gateway must run, and leaves nothing behind', async () => {
    const out = join(dataDir, 'bundle')
    const outcome = await tocsin('enroll', 'device', 'x', '--out', out, '--server', '127.0.0.1:1', ...at)
    expect([outcome.code, outcome.stderr]).toEqual([1, expect.stringContaining('nothing listens on 127.0.0.1:1')])
    expect(existsSync(out)).toBe(false)
    expect(listIssued(dataDir).map(({ name }) => name)).toEqual(['command', 'server'])
  })
})

test('the card of a bundle says where the gateway is and which authority to trust, and holds no secret', async () => {
  const dataDir = tempFolder('ca')
  const authority = await authorityIn(dataDir)
  await renewOwn({ dataDir, authority, jurisdiction: 'c', hosts: ['gw.c.example'], nowMs })
  const environment = {
    TOCSIN_DATA_DIR: dataDir,
    TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:1883,mqtts://0.0.0.0:8883',
    TOCSIN_GRPC_LISTEN: '[::]:50051',
    TOCSIN_HTTP_LISTEN: '127.0.0.1:8080',
  }
  const settings = readSettings({ environment })
  const text = cardText({ principal: 'device:gauge-7', dataDir, settings, authority: authority.certificate })
  const der = Buffer.from(authority.certificate.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64')
  expect(JSON.parse(text)).toEqual({
    tocsin: 1,
    name: 'device:gauge-7',
    mqtt: 'mqtts://gw.c.example:8883',
    grpc: 'gw.c.example:50051',
    authority_sha256: createHash('sha256').update(der).digest('hex'),
  })
  // As many squares as the code has dark modules.
  const dark = qrOf(text).flat().filter(Boolean).length
  expect(cardSvg(text).match(/h1v1h-1z/g)).toHaveLength(dark)
})

describe('lists of revoked certificates', () => {
  test('name a certificate by issuer and serial; the same serial of another authority stands', async () => {
    const [one, other] = [certificateAuthority('One'), certificateAuthority('Other')]
    const revoked = new X509Certificate(one.issue('a').certificate)
    const list = await (await openAuthority(one)).list([{ serial: revoked.serialNumber, atMs: nowMs }], nowMs)
    const lists = await readLists([{ file: 'one.crl', text: list }], one.certificate + other.certificate, nowMs)
    expect(lists.problems).toEqual([])
    const revocation = createRevocation(() => nowMs)
    expect(revocation.why(revoked, 'device:a')).toBeUndefined()
    expect(revocation.replace(lists)).toEqual(['device:a'])
    expect(revocation.replace(lists)).toEqual([])
    expect(revocation.why(revoked, 'device:a')).toContain('of device:a was revoked')
    expect(revocation.why(new X509Certificate(one.issue('b').certificate), 'device:b')).toBeUndefined()
    expect([...lists.revoked.keys()]).toEqual(['CN=One'])
  })

  test('of an authority that is not trusted, forged, stale or none are told', async () => {
    const [one, forger] = [certificateAuthority('One'), certificateAuthority('One')]
    const read = async (text: string) => readLists([{ file: 'x.crl', text }], one.certificate, nowMs + 400 * dayMs)
    const forged = await (await openAuthority(forger)).list([{ serial: '01', atMs: nowMs }], nowMs)
    expect(await read(forged)).toMatchObject({
      revoked: new Map(),
      problems: [expect.stringContaining('no authority')],
    })
    expect((await read('hello')).problems).toEqual(['x.crl holds no list of revoked certificates in PEM form.'])
    const stale = await (await openAuthority(one)).list([{ serial: '0a', atMs: nowMs }], nowMs)
    const { revoked, problems } = await read(stale)
    // It is better than none.
    expect([...(revoked.get('CN=One') ?? [])]).toEqual(['a'])
    expect(problems).toEqual([expect.stringContaining('should have been replaced')])
  })

  test('a certificate that ends while it is in use is told once', async () => {
    let at = nowMs
    const revocation = createRevocation(() => at)
    const certificate = new X509Certificate(certificateAuthority('One').issue('a').certificate)
    expect(revocation.why(certificate, 'device:a')).toBeUndefined()
    expect(revocation.ended()).toEqual([])
    at = Date.parse(certificate.validTo)
    expect(revocation.ended()).toEqual(['device:a'])
    expect(revocation.ended()).toEqual([])
    expect(revocation.why(certificate, 'device:a')).toContain('has ended')
  })
})

describe('alarms', () => {
  test('come 30, 7 and 1 days before the end and when it has ended, each once, and go with a newer certificate', () => {
    const said: string[] = []
    const alarms = createAlarms(clockAt(nowMs), ({ about }: Alarm, raised) =>
      said.push(`${raised ? '+' : '-'} ${about}`),
    )
    const tell = createExpiryAlarms(alarms)
    const endsAtMs = nowMs + 40 * dayMs
    const ending = { what: 'server.pem', endsAtMs, remedy: 'Renew it.' }
    for (let hour = 0; hour <= 41 * 24; hour += 1) tell([ending], nowMs + hour * 3_600_000)
    tell([{ ...ending, endsAtMs: endsAtMs + 400 * dayMs }], nowMs + 41 * dayMs)
    expect(said).toEqual([
      '+ server.pem, 30 days',
      '+ server.pem, 7 days',
      '- server.pem, 30 days',
      '+ server.pem, 1 day',
      '- server.pem, 7 days',
      '+ server.pem, ended',
      '- server.pem, 1 day',
      '- server.pem, ended',
    ])
    expect(alarms.list()).toEqual([])
  })

  test('a certificate is renewed when less than a third of its life is left', async () => {
    const dataDir = tempFolder('ca')
    const authority = await authorityIn(dataDir)
    const { certificate } = await authority.issue({ commonName: 'x', usage: 'server', hosts: ['x'], days: 300, nowMs })
    expect(isDue(new X509Certificate(certificate), nowMs + 199 * dayMs)).toBe(false)
    expect(isDue(new X509Certificate(certificate), nowMs + 201 * dayMs)).toBe(true)
  })
})

describe('the keys of the doors', () => {
  interface Watched {
    readonly keys: DoorKeys
    readonly renewed: TlsFiles[]
    readonly cut: string[]
    readonly alarms: readonly Alarm[]
    readonly notes: AuditNote[]
  }

  async function watched(dataDir: string, environment: Record<string, string>, atMs = nowMs): Promise<Watched> {
    const settings = readSettings({ environment: { TOCSIN_DATA_DIR: dataDir, ...environment } })
    refuseUnsafe({ settings, environment: {}, now: BigInt(atMs) * 1_000_000n })
    const alarms = createAlarms(clockAt(atMs), () => {})
    const [renewed, cut, notes] = [[] as TlsFiles[], [] as string[], [] as AuditNote[]]
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const audit = { note: (note: AuditNote) => void notes.push(note) }
    const keys = await openDoorKeys({ settings, clock: clockAt(atMs), alarms, audit, logger })
    keys.watch({ renewed: (tls) => renewed.push(tls), cut: (principal) => cut.push(principal) })
    return {
      keys,
      renewed,
      cut,
      notes,
      get alarms() {
        return alarms.list()
      },
    }
  }

  const auto = { TOCSIN_TLS_CERTIFICATE: 'auto', TOCSIN_GATEWAY_JURISDICTION: 'county-a.example' }

  test('of the own authority are renewed by the gateway itself, under the same names', async () => {
    const dataDir = tempFolder('ca')
    const madeAtMs = nowMs - 300 * dayMs
    const authority = await authorityIn(dataDir, madeAtMs)
    await renewOwn({ dataDir, authority, jurisdiction: 'c', hosts: ['gw.c', '192.0.2.1'], nowMs: madeAtMs })
    const { keys, notes } = await watched(dataDir, auto)
    keys.close()
    const certificate = new X509Certificate(Buffer.from(keys.tls!.certificate))
    expect(Date.parse(certificate.validTo) - nowMs).toBeGreaterThan(364 * dayMs)
    expect(presentHosts(dataDir)).toEqual(['gw.c', '192.0.2.1'])
    expect(notes.map(({ action, object }) => [action, object])).toEqual([['renew_certificate', 'server']])
  })

  test('that do not fit each other are an alarm, and those before stay in use; when they fit they are taken', async () => {
    const dataDir = tempFolder('ca')
    const [authority, stranger] = [certificateAuthority('One'), certificateAuthority('Other')]
    const [cert, key] = [join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')]
    const put = (path: string, text: string): void => {
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    }
    const first = authority.issue('one', { dnsNames: ['one'], notAfter: new Date(nowMs + 90 * dayMs) })
    put(cert, first.certificate)
    put(key, first.key)
    const house = await watched(dataDir, { TOCSIN_TLS_CERTIFICATE: cert, TOCSIN_TLS_KEY: key })
    try {
      const second = stranger.issue('two', { dnsNames: ['two'], notAfter: new Date(nowMs + 90 * dayMs) })
      put(cert, second.certificate)
      await expect
        .poll(() => house.alarms.map(({ code }) => code), { timeout: 10_000 })
        .toEqual(['certificate_unusable'])
      expect(house.alarms[0]!.text).toContain(`${key} is not the key of the certificate in ${cert} (CN=two)`)
      expect(house.renewed).toEqual([])
      put(key, second.key)
      await expect.poll(() => house.renewed.length, { timeout: 5_000 }).toBe(1)
      expect(String(house.renewed[0]!.certificate)).toBe(second.certificate)
      expect(house.alarms).toEqual([])
      expect(house.notes.map(({ action }) => action)).toEqual(['load_certificate'])
    } finally {
      house.keys.close()
    }
  }, 30_000)

  test('whoever came by a certificate is cut when it is revoked, and nobody else', async () => {
    const dataDir = tempFolder('ca')
    const authority = await authorityIn(dataDir)
    await renewOwn({ dataDir, authority, jurisdiction: 'c', hosts: [], nowMs })
    const house = await watched(dataDir, auto)
    try {
      const issue = async (name: string) => {
        const wanted = { commonName: name, usage: 'client', uri: `spiffe://county-a.example/device/${name}` } as const
        const issued = await authority.issue({ ...wanted, days: 30, nowMs })
        expect(house.keys.revocation.why(new X509Certificate(issued.certificate), `device:${name}`)).toBeUndefined()
        return { serial: issued.serial, name: `device:${name}`, issued_at_ms: nowMs, ends_at_ms: issued.endsAtMs }
      }
      const [one] = [await issue('one'), await issue('two')]
      const since = Date.now()
      await revoke(dataDir, authority, [one], 'lost', nowMs)
      await expect.poll(() => house.cut, { timeout: 5_000, interval: 20 }).toEqual(['device:one'])
      expect(Date.now() - since).toBeLessThan(3_000)
      await sleep(1_500)
      expect(house.cut).toEqual(['device:one'])
      expect(house.notes.map(({ action, text }) => [action, text])).toEqual([
        ['load_revocations', 'Certificates on the lists of what is revoked: 1. Whoever came by one is cut.'],
      ])
    } finally {
      house.keys.close()
    }
  }, 30_000)

  test('that cannot be used keep the gateway from starting, with the file and what is wrong', async () => {
    const dataDir = tempFolder('ca')
    await expect(watched(dataDir, auto)).rejects.toThrow(/tls\.certificate: .*tocsin ca init/)
    await expect(watched(dataDir, { ...auto, TOCSIN_TLS_KEY: 'x' })).rejects.toThrow(/tls\.key: leave it out/)
    const [cert, key] = [join(dataDir, 'cert.pem'), join(dataDir, 'key.pem')]
    const { certificate } = certificateAuthority('One').issue('one')
    writeFileSync(cert, certificate)
    writeFileSync(
      key,
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    )
    chmodSync(key, 0o600)
    const named = { TOCSIN_TLS_CERTIFICATE: cert, TOCSIN_TLS_KEY: key }
    await expect(watched(dataDir, named)).rejects.toThrow(`${key} is not the key of ${cert}`)
    writeFileSync(cert, readFileSync(key))
    await expect(watched(dataDir, named)).rejects.toThrow(`${cert} cannot be read, or holds no certificate`)
  })
})
