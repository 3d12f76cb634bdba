// Who may do what: listed, entered, changed, taken out, on a running gateway. A new token is made here and shown once; the gateway is told
// its digest only.

import { randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { EventKind, Label, MessageStatus } from '../../proto/generated/types.ts'
import type { PrincipalEntry, PrincipalToken } from '../../proto/generated/types.ts'
import { timestamp, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { otpauthUrl, totpSecretBytes } from '../people/totp.ts'
import { builtinRoles } from '../policy/roles.ts'
import { makeToken } from '../policy/tokens.ts'
import { printColumns } from './columns.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { named, namesOf, parseBox } from './filter-options.ts'
import { qrLines } from './qr.ts'
import { askSecret } from './secret.ts'
import { counted, pad, safe, safeJson, type Terminal } from './terminal.ts'
import { stampText } from './time.ts'

const tokenDaysMax = 731
const entryCodec = codec('tocsin.v1.PrincipalEntry')
const actions = ['list', 'add', 'change', 'enable', 'disable', 'remove', 'unlock', 'roles'] as const

export const principals: Command = {
  name: 'principals',
  usage: '[list [PREFIX]] | add|change NAME [options] | enable|disable|unlock|remove NAME | roles',
  about: 'Shows who may do what, enters people, devices and programs, and takes them out.',
  options: {
    role: {
      value: 'ROLE',
      many: true,
      of: () => Object.keys(builtinRoles),
      about: 'A role; `tocsin principals roles` says what each may.',
    },
    publish: {
      value: 'FILTER',
      many: true,
      about: 'MQTT topics it may publish on; of a device by default tocsin/in/+/<its name>.',
    },
    subscribe: { value: 'FILTER', many: true, about: 'MQTT topics it may subscribe to.' },
    secret: { about: 'Asks for a secret, for MQTT clients without a certificate; from a pipe too.' },
    totp: {
      about:
        'For people: makes the secret of an authenticator app and prints it once, as a QR code and as an otpauth:// URL.',
    },
    'remove-totp': { about: 'Takes the app away.' },
    'remove-secret': { about: 'Takes its secret away.' },
    'new-token': {
      value: 'DAYS',
      about: `Makes a token that ends after so many days, at most ${tokenDaysMax}, and prints it once.`,
    },
    'token-role': { value: 'ROLE', many: true, about: 'With --new-token: only these of its roles.' },
    'remove-token': { value: 'ID', many: true, about: 'Takes a token away.' },
    certificate: {
      value: 'FILE',
      many: true,
      about: 'PEM file of a certificate that is its own, beside those that carry its name.',
    },
    subject: {
      value: 'PREFIX',
      many: true,
      about: 'Of a system: how subjects begin for which it may speak; new ones wait for `tocsin devices admit`.',
    },
    'admit-new': { about: 'With --subject: new ones do not wait.' },
    agency: { value: 'FQDN', about: 'Its agency.' },
    kind: { value: 'KIND', many: true, of: () => namesOf(EventKind), about: 'It reads only these kinds of events.' },
    status: { value: 'STATUS', many: true, of: () => namesOf(MessageStatus), about: 'It reads only these statuses.' },
    jurisdiction: { value: 'NAME', many: true, about: 'It reads only events of these jurisdictions.' },
    owner: { value: 'FQDN', many: true, about: 'It reads only events that these agencies own.' },
    area: { value: 'S,W,N,E', about: 'It reads only events between these degrees: south, west, north, east.' },
    note: { value: 'TEXT', about: 'Who answers for it, why it is there.' },
    json: { about: 'With list: one line of JSON for each.' },
    ...connectionOptions,
  },
  wordsMax: 2,
  wordOf: () => actions,
  examples: [
    ['tocsin principals add device:gauge-7 --secret', 'A gauge that publishes on tocsin/in/<adapter>/gauge-7.'],
    ['tocsin principals add system:chirpstack --publish "application/#" --secret', 'One login for many devices.'],
    [
      'tocsin principals add service:rms --role observer --new-token 90',
      'A program that reads; its token is printed once.',
    ],
    [
      'tocsin principals add person:anna --role dispatcher --secret --totp',
      'Somebody who signs in; her app reads the QR code.',
    ],
    ['tocsin principals unlock person:anna', 'Before the fifteen minutes after five failures are over.'],
    [
      'tocsin principals change person:anna --role dispatcher --role medical',
      'Other roles; her connections begin anew.',
    ],
    ['tocsin principals disable device:gauge-7', 'Cut at once, and not let in again.'],
  ],
  async run(given, terminal) {
    const [action = 'list', name] = given.words
    if (action === 'roles' && name === undefined) return printRoles(terminal)
    const connection = connect(given)
    try {
      if (action === 'list') return await list(connection, given, name ?? '', terminal)
      if (name === undefined) throw new UsageError(`say whom: tocsin principals ${action} NAME, such as device:gauge-7`)
      if (action === 'add' || action === 'change') return await put(connection, given, action, name, terminal)
      if (action === 'enable' || action === 'disable') return await toggle(connection, action, name, terminal)
      if (action === 'remove') {
        await connection.call('AdminService/RemovePrincipal', { principal: name })
        terminal.print(`${safe(name)} is taken out; its connections are cut`)
        return 0
      }
      if (action === 'unlock') {
        await connection.call('AdminService/UnlockPrincipal', { principal: name })
        terminal.print(`${safe(name)} may try again`)
        return 0
      }
      throw new UsageError(`${action} is none of ${actions.join(', ')}`)
    } finally {
      connection.close()
    }
  },
}

export async function listed(connection: Connection, namePrefix: string): Promise<PrincipalEntry[]> {
  const found: PrincipalEntry[] = []
  let pageToken: Uint8Array | undefined
  do {
    const page = await connection.call('AdminService/ListPrincipals', {
      namePrefix,
      pageSize: 1_000,
      ...(pageToken && { pageToken }),
    })
    found.push(...(page.principals ?? []))
    pageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (pageToken)
  return found
}

async function list(connection: Connection, given: Given, prefix: string, terminal: Terminal): Promise<number> {
  const found = await listed(connection, prefix)
  if (given.flag('json')) for (const each of found) terminal.print(safeJson(entryCodec.toJson(each)))
  else if (found.length === 0) terminal.tell('nobody is entered')
  else printColumns(found, columns, terminal)
  return 0
}

const columns = [
  { head: 'name', text: ({ principal = '' }: PrincipalEntry) => safe(principal) },
  { head: 'roles', text: ({ roles = [] }: PrincipalEntry) => safe(roles.join(' ')) },
  { head: 'reads', text: readsText },
  { head: 'publishes', text: ({ publishTopics = [] }: PrincipalEntry) => safe(publishTopics.join(' ')) },
  { head: 'subscribes', text: ({ subscribeTopics = [] }: PrincipalEntry) => safe(subscribeTopics.join(' ')) },
  { head: 'by', text: ({ methods = [] }: PrincipalEntry) => methods.join(' ') },
  { head: 'seen', text: ({ lastAuthenticatedAt }: PrincipalEntry) => stamp(timestampNs(lastAuthenticatedAt)) },
  { head: '', text: ({ disabled }: PrincipalEntry) => (disabled ? 'disabled' : '') },
] as const

const stamp = (at: bigint | undefined): string => (at === undefined ? '' : stampText(at))

function readsText({ labels = [], lawEnforcementPositions }: PrincipalEntry): string {
  const names = labels.map((label) => Object.entries(Label).find(([, value]) => value === label)?.[0] ?? String(label))
  return [...names, ...(lawEnforcementPositions ? ['law-enforcement positions'] : [])].join(' ')
}

async function existing(connection: Connection, name: string): Promise<PrincipalEntry> {
  const found = (await listed(connection, name)).find(({ principal }) => principal === name)
  if (found) return found
  throw new UsageError(`${safe(name)} is not entered; tocsin principals lists who is`)
}

async function put(
  connection: Connection,
  given: Given,
  action: 'add' | 'change',
  name: string,
  terminal: Terminal,
): Promise<number> {
  const before = action === 'add' ? { principal: name } : await existing(connection, name)
  const token = newToken(given)
  const app = given.flag('totp') ? randomBytes(totpSecretBytes) : undefined
  const secretHash = given.flag('secret') ? await askSecret() : ''
  const { principal = {} } = await connection.call('AdminService/PutPrincipal', {
    principal: { ...before, ...changes(given) },
    secretHash,
    ...(app && { totpSecret: app }),
    removeTotp: given.flag('remove-totp'),
    removeSecret: given.flag('remove-secret'),
    addTokens: token ? [token.entry] : [],
    removeTokens: [...given.texts('remove-token')],
    onlyNew: action === 'add',
  })
  const { publishTopics = [], methods = [] } = principal
  terminal.tell(`${safe(name)} ${action === 'add' ? 'is entered' : 'is changed; its connections begin anew'}`)
  if (publishTopics.length > 0) terminal.tell(`it publishes on ${safe(publishTopics.join(', '))}`)
  terminal.tell(`it reads ${readsText(principal) || 'nothing'}`)
  if (methods.length === 0) {
    terminal.tell('it has no secret, token or certificate of its own yet: a certificate with its name lets it in')
  }
  if (app) printApp(app, name, terminal)
  if (token) {
    terminal.tell('its token, shown this once; keep it as a secret:')
    terminal.print(token.text)
  }
  return 0
}

function printApp(app: Uint8Array, name: string, { tell, print }: Terminal): void {
  const url = otpauthUrl(app, name.slice(name.indexOf(':') + 1), 'Tocsin')
  tell('for the authenticator app, shown this once; keep it as a secret:')
  for (const line of qrLines(url)) print(line)
  print(url)
}

/** What the options name; the rest stays. */
function changes(given: Given): PrincipalEntry {
  const texts = <Name extends string>(option: string, field: Name) =>
    given.texts(option).length > 0 ? ({ [field]: [...given.texts(option)] } as Record<Name, string[]>) : undefined
  const [agency, note, area] = [given.text('agency'), given.text('note'), given.text('area')]
  const kinds = given.texts('kind').map((text) => named(EventKind, text, 'kind'))
  const messageStatuses = given.texts('status').map((text) => named(MessageStatus, text, 'status'))
  return {
    ...texts('role', 'roles'),
    ...texts('publish', 'publishTopics'),
    ...texts('subscribe', 'subscribeTopics'),
    ...texts('jurisdiction', 'jurisdictions'),
    ...texts('owner', 'owners'),
    ...texts('subject', 'subjects'),
    ...(given.flag('admit-new') && { admitsNew: true }),
    ...(kinds.length > 0 && { kinds }),
    ...(messageStatuses.length > 0 && { messageStatuses }),
    ...(area !== undefined && { areas: [parseBox(area)] }),
    ...(given.texts('certificate').length > 0 && { certificateSha256: given.texts('certificate').map(digestOf) }),
    ...(agency !== undefined && { agency }),
    ...(note !== undefined && { note }),
  }
}

function digestOf(file: string): string {
  try {
    return new X509Certificate(readFileSync(file)).fingerprint256
  } catch (error) {
    throw new UsageError(`--certificate ${file} is no certificate that can be read (${(error as Error).message})`)
  }
}

function newToken(given: Given): { readonly text: string; readonly entry: PrincipalToken } | undefined {
  const days = wholeNumber(given, 'new-token', 1, tokenDaysMax)
  if (days === undefined) return undefined
  const { id, sha256, text } = makeToken()
  const expiresAt = timestamp(BigInt(Date.now() + days * 86_400_000) * 1_000_000n)
  return { text, entry: { id, sha256, expiresAt, roles: [...given.texts('token-role')] } }
}

async function toggle(
  connection: Connection,
  action: 'enable' | 'disable',
  name: string,
  terminal: Terminal,
): Promise<number> {
  const principal = { ...(await existing(connection, name)), disabled: action === 'disable' }
  await connection.call('AdminService/PutPrincipal', { principal })
  terminal.print(`${safe(name)} is ${action}d${action === 'disable' ? '; its connections are cut' : ''}`)
  return 0
}

function printRoles({ print, tell }: Terminal): number {
  for (const [name, { about }] of Object.entries(builtinRoles)) print(`  ${pad(name, 18)}${about}`)
  tell(`${counted(Object.keys(builtinRoles).length, 'role')}; a site adds its own under "roles" in the settings`)
  return 0
}
