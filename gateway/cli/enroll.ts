// A device, a program or a person gets a certificate of the own authority, and a name in the registry of the running gateway if it has none
// there: the bundle is a folder that is handed over, and whose key is nowhere else.

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { Issued } from '../ca/authority.ts'
import { loadAuthority, noteIssued, replaceFile } from '../ca/folder.ts'
import { spiffeId } from '../policy/certificate-names.ts'
import { principalKinds } from '../policy/registry.ts'
import { readSettings } from '../settings.ts'
import { noteInAudit } from './audit-note.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { dataFolderOptions, existingFolderOf } from './data-folder.ts'
import { cardSvg, cardText } from './enrolment-card.ts'
import { listed } from './principals.ts'
import { qrLines } from './qr.ts'
import { safe, type Terminal } from './terminal.ts'
import { dayText } from './time.ts'

const daysDefault = 365
const daysMax = 3_650
const requestBytesMax = 65_536

export const enroll: Command = {
  name: 'enroll',
  usage: `${principalKinds.join('|')} NAME [options]`,
  about: 'Gives a device, a program or a person a certificate, and enters it if it is not entered yet.',
  options: {
    role: {
      value: 'ROLE',
      many: true,
      about: 'Its roles, when it is entered now; `tocsin principals roles` lists them.',
    },
    publish: {
      value: 'FILTER',
      many: true,
      about: 'MQTT topics it may publish on; of a device tocsin/in/+/<its name>.',
    },
    subscribe: { value: 'FILTER', many: true, about: 'MQTT topics it may subscribe to.' },
    days: { value: 'DAYS', about: `How long the certificate holds; default ${daysDefault}.` },
    csr: { value: 'FILE', about: 'A PKCS#10 request: its key stays where it is, and the bundle has none.' },
    qr: { about: 'Shows the QR code of the bundle here too: name, addresses, digest of the authority; no secret.' },
    out: { value: 'FOLDER', about: 'Where the bundle is put; default: a new folder <kind>-<name> here.' },
    note: { value: 'TEXT', about: 'Who answers for it, why it is there.' },
    ...dataFolderOptions,
    ...connectionOptions,
  },
  wordsMax: 2,
  wordOf: () => principalKinds,
  examples: [
    [
      'tocsin enroll device gauge-7',
      'Key, certificate and authority in ./device-gauge-7; it may publish under its name.',
    ],
    ['tocsin enroll person anna --role dispatcher --days 180', 'A console of hers.'],
    ['tocsin enroll device gauge-7 --csr gauge-7.csr', 'Its key never leaves it.'],
  ],
  async run(given, terminal) {
    const [kind, name] = given.words
    if (kind === undefined || name === undefined || !principalKinds.some((each) => each === kind)) {
      throw new UsageError(`say whom: tocsin enroll ${principalKinds.join('|')} NAME`)
    }
    if (!/^[A-Za-z0-9][\w.@-]{0,127}$/.test(name)) {
      throw new UsageError(`${safe(name)} cannot be a name: letters, digits and - _ . @ make one, such as gauge-7`)
    }
    const principal = `${kind}:${name}`
    const folder = given.text('out') ?? `${kind}-${name}`
    if (existsSync(folder))
      throw new UsageError(`${safe(folder)} is there already: move it away, or name another with --out`)
    const { dataDir, settingsFile } = existingFolderOf(given)
    const settings = readSettings({ file: settingsFile, environment: process.env })
    const authority = await loadAuthority(dataDir)
    const days = wholeNumber(given, 'days', 1, daysMax) ?? daysDefault
    const request = requestOf(given)
    const nowMs = Date.now()
    const issued = await authority.issue({
      commonName: name,
      usage: 'client',
      uri: spiffeId(settings['gateway.jurisdiction'], principal),
      days,
      nowMs,
      ...(request && { request }),
    })
    // Nothing is handed over before both are done: a certificate that nobody is entered for opens no door.
    await enter(given, principal, terminal)
    noteIssued(dataDir, principal, issued, nowMs)
    writeBundle(folder, principal, issued, authority.certificate)
    const card = cardText({ principal, dataDir, settings, authority: authority.certificate })
    replaceFile(join(folder, 'card.svg'), cardSvg(card))
    const ends = dayText(BigInt(issued.endsAtMs) * 1_000_000n)
    const details = { serial: issued.serial, ends: new Date(issued.endsAtMs).toISOString() }
    const note = { action: 'issue_certificate', type: SystemEventType.POLICY_CHANGE, outcome: 'done' } as const
    noteInAudit(dataDir, { ...note, object: principal, details }, terminal)
    terminal.print(`${safe(principal)} has a certificate until ${ends}, serial ${issued.serial}, in ${safe(folder)}`)
    if (given.flag('qr')) for (const line of qrLines(card)) terminal.print(line)
    return 0
  },
}

/** What is entered already stays as it is: it gets one more certificate. */
async function enter(given: Given, principal: string, terminal: Terminal): Promise<void> {
  const connection = connect(given)
  try {
    const isKnown = (await listed(connection, principal)).some((entry) => entry.principal === principal)
    const [roles, publishTopics, subscribeTopics] = [
      given.texts('role'),
      given.texts('publish'),
      given.texts('subscribe'),
    ]
    if (isKnown) {
      if (roles.length + publishTopics.length + subscribeTopics.length > 0) {
        throw new UsageError(
          `${principal} is entered already: tocsin principals change gives it other roles and topics`,
        )
      }
      terminal.tell(`${safe(principal)} is entered already; this is one more certificate for it`)
      return
    }
    const note = given.text('note')
    await connection.call('AdminService/PutPrincipal', {
      principal: {
        principal,
        roles: [...roles],
        ...(publishTopics.length > 0 && { publishTopics: [...publishTopics] }),
        subscribeTopics: [...subscribeTopics],
        ...(note !== undefined && { note }),
      },
      onlyNew: true,
    })
  } finally {
    connection.close()
  }
}

function requestOf(given: Given): Buffer | undefined {
  const file = given.text('csr')
  if (file === undefined) return undefined
  const bytes = readFileSync(file)
  if (bytes.length > requestBytesMax) throw new UsageError(`--csr ${safe(file)} is too large for a request`)
  return bytes
}

/** For its owner only. */
function writeBundle(folder: string, principal: string, { certificate, key }: Issued, authority: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (key !== undefined) replaceFile(join(folder, 'key.pem'), key)
  replaceFile(join(folder, 'certificate.pem'), certificate)
  replaceFile(join(folder, 'authority.pem'), authority)
  const sentence = (words: string): string => `${words}\n`
  replaceFile(
    join(folder, 'README.txt'),
    [
      sentence(`This is ${principal}. Whoever has key.pem is taken for it: keep it as a secret, and delete copies.`),
      sentence('MQTT:  mosquitto_pub -h GATEWAY -p 8883 --cafile authority.pem --cert certificate.pem --key key.pem …'),
      sentence('gRPC:  tocsin watch --server GATEWAY:50051 --ca authority.pem --cert certificate.pem --key key.pem'),
      sentence(
        'HTTPS: curl --cacert authority.pem --cert certificate.pem --key key.pem https://GATEWAY:8443/v1/events',
      ),
      sentence(
        'Browsers and phones take one file: openssl pkcs12 -export -in certificate.pem -inkey key.pem -out it.p12',
      ),
    ].join('\n'),
  )
}
