// A start is refused for each unsafe setting: a real gateway is started with each of a list, ends with 2, and says the line to change.
// The list of checks, the cases here and the table in docs/security.md are held against each other.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configuredInputs } from '../gateway/configured-inputs.ts'
import { findUnsafe, unsafeChecks } from '../gateway/policy/unsafe/unsafe-checks.ts'
import type { Site } from '../gateway/policy/unsafe/unsafe-check.ts'
import { readSettings } from '../gateway/settings.ts'
import { nodePath, projectHome } from './gateway/process.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const dayMs = 86_400_000
const folder = tempFolder('unsafe')
const authority = certificateAuthority('County A test authority')
const names = { dnsNames: ['localhost'] }
const server = authority.issue('localhost', names)

/** Of the pieces of a case: a file with its mode. */
function written(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}
function madeFolder(name: string, mode: number): string {
  const path = join(folder, name)
  mkdirSync(path)
  chmodSync(path, mode)
  return path
}

const tls = {
  TOCSIN_TLS_CERTIFICATE: written('cert.pem', server.certificate),
  TOCSIN_TLS_KEY: written('key.pem', server.key),
}
const mqtts = { ...tls, TOCSIN_MQTT_LISTEN: 'mqtts://127.0.0.1:0' }
const weakRsa = authority.issue('weak.county-a.example', { ...names, rsaBits: 1_024 })
const sha1 = authority.issue('old.county-a.example', { ...names, digest: 'sha1' })
const pairOf = (name: string, { certificate, key }: typeof server) => ({
  ...mqtts,
  TOCSIN_TLS_CERTIFICATE: written(`${name}.pem`, certificate),
  TOCSIN_TLS_KEY: written(`${name}-key.pem`, key),
})
const influx = { TOCSIN_INFLUX_URL: 'http://127.0.0.1:9', TOCSIN_INFLUX_USERNAME: 'writer' }
const longSecret = 'nine-herons-over-7-weirs'
/** 8 KiB and one pass, as a tool for demonstrations might make it. */
const cheapHash = `argon2id$8192$1$1$${'A'.repeat(22)}$${'A'.repeat(43)}`
const soundHash = `argon2id$19456$2$1$${'A'.repeat(22)}$${'A'.repeat(43)}`
const link = (rest: string) =>
  `gateway: {name: a.example}\nmqtt:\n  links:\n    - {name: b, in: [{filter: "news/#"}], ${rest}}\n`

/** A door that is sound but for what is given. */
const exception = ({ until = new Date(Date.now() + 90 * dayMs).toISOString().slice(0, 10), from = '192.0.2.0/28' }) =>
  `plaintext_exceptions: [{name: old, listen: "mqtt://127.0.0.1:0", only_from: ["${from}"], reason: gauges of 2009, until: ${until}, approved_by: {officer: Chief A. Ruiz, date: 2026-11-01}}]\n`

interface Case {
  readonly check: string
  readonly what: string
  readonly environment?: Readonly<Record<string, string>>
  /** Of the settings file, and its mode. */
  readonly yaml?: string
  readonly mode?: number
  readonly says: RegExp
}

const refused: readonly Case[] = [
  {
    check: 'plain_mqtt',
    what: 'MQTT in plain text on every address',
    environment: { TOCSIN_MQTT_LISTEN: 'mqtt://0.0.0.0:0' },
    says: /^mqtt\.listen: mqtt:\/\/0\.0\.0\.0:0 would take .*write mqtts:\/\//m,
  },
  {
    check: 'plain_mqtt',
    what: 'WebSocket in plain text on the network, over IPv6',
    environment: { ...tls, TOCSIN_MQTT_LISTEN: 'ws://[2001:db8::1]:9001' },
    says: /^mqtt\.listen: ws:\/\/\[2001:db8::1\]:9001 .*write wss:\/\//m,
  },
  {
    check: 'plain_grpc_http',
    what: 'gRPC without keys',
    environment: { TOCSIN_GRPC_LISTEN: '0.0.0.0:0' },
    says: /^grpc\.listen: 0\.0\.0\.0:0 .*set tls\.certificate and tls\.key/m,
  },
  {
    check: 'plain_grpc_http',
    what: 'HTTP in plain text, also where there are keys',
    environment: { ...tls, TOCSIN_HTTP_LISTEN: '192.0.2.1:8080' },
    says: /^http\.listen: 192\.0\.2\.1:8080 .*write https:\/\/192\.0\.2\.1:8080/m,
  },
  {
    check: 'key_missing',
    what: 'MQTT over TLS without keys',
    environment: { TOCSIN_MQTT_LISTEN: 'mqtts://127.0.0.1:0' },
    says: /^mqtt\.listen: a TLS listener needs tls\.certificate and tls\.key$/m,
  },
  {
    check: 'key_missing',
    what: 'HTTPS without keys',
    environment: { TOCSIN_HTTP_LISTEN: 'https://127.0.0.1:0' },
    says: /^http\.listen: https:\/\/127\.0\.0\.1:0 needs tls\.certificate and tls\.key$/m,
  },
  {
    check: 'key_readable',
    what: 'a key that everybody can read',
    environment: { ...mqtts, TOCSIN_TLS_KEY: written('open-key.pem', server.key, 0o644) },
    says: /^tls\.key: \S+ can be read by other users; run chmod 600/m,
  },
  {
    check: 'key_readable',
    what: 'a key that its group can read',
    environment: { ...mqtts, TOCSIN_TLS_KEY: written('group-key.pem', server.key, 0o640) },
    says: /^tls\.key: \S+ can be read by other users; run chmod 600/m,
  },
  {
    check: 'key_mismatch',
    what: 'the key of another certificate',
    environment: { ...mqtts, TOCSIN_TLS_KEY: written('other-key.pem', authority.issue('other').key) },
    says: /^tls\.key: \S+ is not the key of \S+cert\.pem; name the two/m,
  },
  {
    check: 'key_mismatch',
    what: 'a certificate that is none',
    environment: { ...mqtts, TOCSIN_TLS_CERTIFICATE: written('none.pem', 'nothing of the kind\n') },
    says: /^tls\.certificate: \S+none\.pem cannot be read, or holds no certificate/m,
  },
  {
    check: 'certificate_weak',
    what: 'RSA with 1,024 bits',
    environment: pairOf('weak', weakRsa),
    says: /^tls\.certificate: \S+ CN=weak\.county-a\.example, has an RSA key of 1024 bits/m,
  },
  {
    check: 'certificate_weak',
    what: 'a signature by SHA-1',
    environment: pairOf('sha1', sha1),
    says: /^tls\.certificate: \S+ CN=old\.county-a\.example, is signed with ecdsa-with-SHA1/m,
  },
  {
    check: 'tls_old',
    what: 'Node.js told to speak TLS 1.0',
    environment: { NODE_OPTIONS: '--tls-min-v1.0' },
    says: /^NODE_OPTIONS: .* speaks TLS older than 1\.2, .*take out --tls-min-v1\.0/m,
  },
  {
    check: 'tls_unverified',
    what: 'verification switched off',
    environment: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    says: /^NODE_TLS_REJECT_UNAUTHORIZED: with 0 anybody can pass/m,
  },
  {
    check: 'secrets_readable',
    what: 'a password in a settings file that all can read',
    yaml: `influx: {url: "http://127.0.0.1:9", username: writer, password: ${longSecret}}\n`,
    mode: 0o644,
    says: /yaml: it holds influx\.password and can be read by all users; run chmod 640/,
  },
  {
    check: 'files_writable',
    what: 'a settings file that all can write',
    yaml: 'logging: {level: info}\n',
    mode: 0o646,
    says: /^settings: \S+ can be written by all users; run chmod o-w/m,
  },
  {
    check: 'files_writable',
    what: 'an authority for clients that all can write',
    environment: { ...mqtts, TOCSIN_TLS_CLIENT_CA: written('ca.pem', authority.certificate, 0o666) },
    says: /^tls\.client_ca: \S+ca\.pem can be written by all users; run chmod o-w/m,
  },
  {
    check: 'files_writable',
    what: 'a data folder that all can write',
    environment: { TOCSIN_DATA_DIR: madeFolder('shared-data', 0o777) },
    says: /^data_dir: \S+shared-data can be written by all users; run chmod o-w/m,
  },
  {
    check: 'secret_weak',
    what: 'the password that InfluxDB is delivered with',
    environment: { ...influx, TOCSIN_INFLUX_USERNAME: 'root', TOCSIN_INFLUX_PASSWORD: 'root' },
    says: /^influx\.password: it is one that everybody tries first; give root another/m,
  },
  {
    check: 'secret_weak',
    what: 'a short password',
    environment: { ...influx, TOCSIN_INFLUX_PASSWORD: 'heron-7' },
    says: /^influx\.password: it has 7 characters, and 12 is the least/m,
  },
  {
    check: 'secret_weak',
    what: 'no password at all',
    environment: influx,
    says: /^influx\.password: it is not set/m,
  },
  {
    check: 'secret_weak',
    what: 'the token of a guide',
    environment: { TOCSIN_INFLUX_URL: 'http://127.0.0.1:9', TOCSIN_INFLUX_TOKEN: 'my-super-secret-auth-token' },
    says: /^influx\.token: it is one that everybody tries first/m,
  },
  {
    check: 'secret_weak',
    what: 'a short password to another broker',
    yaml: link('url: "mqtts://b.example", username: us, password_environment: B_PASSWORD'),
    environment: { B_PASSWORD: 'short' },
    says: /^mqtt\.links, b: its password has 5 characters/m,
  },
  {
    check: 'hash_weak',
    what: 'a hash with one pass',
    yaml: `mqtt: {users: [{name: gauges, secret_hash: "${cheapHash}"}]}\n`,
    says: /^mqtt\.users, gauges: its secret_hash is cheap to guess against; make it anew with tocsin secret$/m,
  },
  {
    check: 'plain_influxdb',
    what: 'a token to an InfluxDB elsewhere by http',
    environment: { TOCSIN_INFLUX_URL: 'http://influx.county-a.example:8086', TOCSIN_INFLUX_TOKEN: longSecret },
    says: /^influx\.url: http:\/\/influx\.county-a\.example:8086 would be sent the credentials .*write https:\/\//m,
  },
  {
    check: 'plain_influxdb',
    what: 'labelled data to an InfluxDB elsewhere by http',
    environment: { TOCSIN_INFLUX_URL: 'http://192.0.2.7:8086', TOCSIN_INFLUX_INCLUDE: 'PII' },
    says: /^influx\.url: \S+ would be sent what is labelled in plain text/m,
  },
  {
    check: 'plain_link',
    what: 'a link in plain text',
    yaml: link('url: "mqtt://b.example"'),
    says: /^mqtt\.links, b: mqtt:\/\/b\.example would send the password .*write mqtts:\/\//m,
  },
  {
    check: 'labels_unapproved',
    what: 'an input with CJI that nobody approved',
    yaml: 'inputs: [{name: records, adapter: senml, topics: ["cji/#"], labels: [CJI]}]\n',
    says: /^inputs\.records: it is labelled CJI, and nobody has approved .*approved_by: \{officer: NAME/m,
  },
  {
    check: 'labels_unapproved',
    what: 'an input with PHI that nobody approved',
    yaml: 'inputs: [{name: ems, adapter: senml, topics: ["ems/#"], labels: [PII, PHI]}]\n',
    says: /^inputs\.ems: it is labelled PHI,/m,
  },
  {
    check: 'labels_in_plain',
    what: 'an exception for plain text on the topics of an input with CJI',
    yaml: `${exception({})}inputs: [{name: records, adapter: senml, topics: ["tocsin/in/senml/+"], labels: [CJI], approved_by: {officer: Chief A. Ruiz, date: 2026-11-01}}]\n`,
    says: /^plaintext_exceptions, old: topics tocsin\/in\/# would carry what the input records labels CJI/m,
  },
  {
    check: 'exception_wide',
    what: 'an exception for ever',
    yaml: exception({ until: '2099-12-31' }),
    says: /^plaintext_exceptions, old: until 2099-12-31 is more than a year away/m,
  },
  {
    check: 'exception_wide',
    what: 'an exception for everybody',
    yaml: exception({ from: '0.0.0.0/0' }),
    says: /^plaintext_exceptions, old: only_from 0\.0\.0\.0\/0 is no list of devices/m,
  },
  {
    check: 'names_twice',
    what: 'two users of one name',
    yaml: `mqtt:\n  users:\n    - {name: pump, secret_hash: "${soundHash}"}\n    - {name: pump, secret_hash: "${soundHash}"}\n`,
    says: /^mqtt\.users: there are two of the name pump;/m,
  },
  {
    check: 'names_twice',
    what: 'two roles of one name',
    yaml: 'roles: [{name: water_board, frames: true}, {name: water_board}]\n',
    says: /^roles: there are two of the name water_board;/m,
  },
]

let started = 0
function siteFor({ environment = {}, yaml, mode = 0o600 }: Omit<Case, 'check' | 'what' | 'says'>) {
  const settingsFile = yaml === undefined ? undefined : written(`${(started += 1)}.yaml`, yaml, mode)
  return { environment: { TOCSIN_DATA_DIR: join(folder, 'new-data'), ...environment }, settingsFile }
}

describe('a gateway does not start', () => {
  test.for(refused)('with $what ($check)', async (each) => {
    const { environment, settingsFile } = siteFor(each)
    const outcome = await run(nodePath, ['gateway/main.ts'], {
      cwd: projectHome,
      env: {
        PATH: process.env['PATH'] ?? '',
        TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:0',
        TOCSIN_GRPC_LISTEN: '127.0.0.1:0',
        TOCSIN_HTTP_LISTEN: '127.0.0.1:0',
        ...environment,
        ...(settingsFile && { TOCSIN_SETTINGS: settingsFile }),
      },
      timeoutMs: 30_000,
    })
    expect(outcome).toMatchObject({ code: 2, stdout: '' })
    expect(outcome.stderr).toMatch(/^tocsin cannot start \(unsafe_settings\):$/m)
    expect(outcome.stderr).toMatch(each.says)
    // Said once, and nothing of a secret.
    expect(outcome.stderr).not.toMatch(/PRIVATE KEY|nine-herons|heron-7|my-super-secret/)
    expect(findUnsafe(settingsAt(environment, settingsFile)).map(({ check }) => check)).toContain(each.check)
  })

  test('and there is a case for every check that refuses', () => {
    const checks = unsafeChecks.filter(({ level }) => level === 'refused').map(({ name }) => name)
    expect([...new Set(refused.map(({ check }) => check))].toSorted()).toEqual(checks.toSorted())
  })
})

const nowMs = Date.now()
const settingsAt = (environment: Record<string, string>, settingsFile?: string, atMs = nowMs): Site => ({
  settings: readSettings({
    file: settingsFile,
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('TOCSIN_'))),
  }),
  environment,
  now: BigInt(atMs) * 1_000_000n,
  settingsFile,
})

/** All but that the tests may run as root. */
const warningsOf = (site: Site): string[] =>
  findUnsafe(site)
    .filter(({ level, check }) => level === 'warning' && check !== 'root')
    .map(({ check, text }) => `${check}: ${text}`)

describe('what stops no start is a warning', () => {
  const ending = authority.issue('soon', { ...names, notAfter: new Date(nowMs + 20.5 * dayMs) })
  const over = authority.issue('over', { ...names, notAfter: new Date(nowMs - dayMs / 2) })
  const early = authority.issue('early', {
    ...names,
    notBefore: new Date(nowMs + 9 * dayMs),
    notAfter: new Date(nowMs + 90 * dayMs),
  })

  test.each([
    ['is over in three weeks', ending, /CN=soon is valid until \d{4}-\d\d-\d\d, for 20 more days; have a new one made/],
    ['is over', over, /CN=over was valid until \d{4}-\d\d-\d\d; have a new one made now/],
    ['is not valid yet', early, /CN=early is valid from \d{4}-\d\d-\d\d on; look at the clock/],
  ])('a certificate that %s', (_what, pair, text) => {
    expect(warningsOf(settingsAt(pairOf(`warned-${(started += 1)}`, pair)))).toEqual([expect.stringMatching(text)])
  })

  test('a data folder that others can read', () => {
    const site = settingsAt({ TOCSIN_DATA_DIR: madeFolder('read-data', 0o755) })
    expect(warningsOf(site)).toEqual([expect.stringMatching(/^data_readable: .*chmod -R go-rwx/)])
  })

  test('a settings file that its group can write', () => {
    const { environment, settingsFile } = siteFor({ yaml: 'logging: {level: info}\n', mode: 0o664 })
    expect(warningsOf(settingsAt(environment, settingsFile))).toEqual([
      expect.stringMatching(/^files_group_writable: settings: .* can be written by its group; .* chmod g-w/),
    ])
  })

  test('this machine open beside a door to the network, and not where it is the only one', () => {
    const site = settingsAt({
      ...tls,
      TOCSIN_MQTT_LISTEN: 'mqtts://0.0.0.0:8883, mqtt://127.0.0.1:1883',
      TOCSIN_TLS_CERTIFICATE: written(
        'long.pem',
        authority.issue('x', { notAfter: new Date(nowMs + 400 * dayMs) }).certificate,
      ),
    })
    expect(warningsOf(site)).toEqual([
      expect.stringMatching(/^loopback_open: access\.loopback: .*set it to false/),
      expect.stringMatching(/^loopback_open: mqtt\.anonymous: .* at mqtt:\/\/127\.0\.0\.1:1883; set it to false/),
    ])
    expect(warningsOf(settingsAt({}))).toEqual([])
  })

  test('a clock of before this version', () => {
    const site = settingsAt({}, undefined, Date.UTC(2020, 0, 1))
    expect(warningsOf(site)).toEqual([expect.stringMatching(/^clock: /)])
  })
})

test('an input with CJI starts where an officer answers for it, and a date that is none is said', () => {
  const input = (approved: string) =>
    siteFor({ yaml: `inputs: [{name: r, adapter: senml, topics: ["r/#"], labels: [CJI], approved_by: ${approved}}]\n` })
  const { environment, settingsFile } = input('{officer: Chief A. Ruiz, date: 2026-11-01}')
  expect(findUnsafe(settingsAt(environment, settingsFile)).filter(({ level }) => level === 'refused')).toEqual([])
  const wrong = input('{officer: Chief A. Ruiz, date: last week}')
  expect(() => configuredInputs(settingsAt(wrong.environment, wrong.settingsFile).settings)).toThrow(
    /inputs\.0\.approved_by\.date: is the day of the approval/,
  )
})

test('the table in docs/security.md is the list of checks', () => {
  const doc = readFileSync('docs/security.md', 'utf8')
  const rows = doc
    .split('\n')
    .filter((line) => /^\| `[a-z_]+` +\| (refused|warning)/.test(line))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    )
  expect(rows).toEqual(unsafeChecks.map(({ name, level, about, line }) => [`\`${name}\``, level, about, line]))
})
