// The setting `mqtt.links`, read and checked whole: names, addresses, files, filters. Every fault is found at once and said with its key.

import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import type { LinkPlace, LinkTls } from '../../broker/link-dial.ts'
import { GatewayError } from '../../proto/errors.ts'
import { isLoopback } from '../policy/principals.ts'
import { parseDuration, type Settings } from '../settings.ts'
import { filterFault, filtersMeet, remoteFilter, type TopicRule } from './link-topics.ts'

export interface LinkSettings {
  readonly name: string
  readonly place: LinkPlace
  readonly version: 4 | 5
  readonly clientId: string
  readonly username?: string
  /** Read when the gateway starts; undefined in a check, which opens no file. */
  readonly password?: Uint8Array
  readonly keepAliveSeconds: number
  readonly sessionExpirySeconds: number
  readonly inFlightMax: number
  /** Local topics on which it may publish here. */
  readonly publish: readonly string[]
  readonly in: readonly (TopicRule & { readonly qos: 0 | 1 | 2 })[]
  readonly out: readonly (TopicRule & { readonly retain: boolean })[]
}

export type Environment = Readonly<Record<string, string | undefined>>

const filter = z.string().superRefine((text, context) => {
  const fault = filterFault(text)
  if (fault) context.addIssue({ code: 'custom', message: `"${text}" ${fault}` })
})
const prefix = z
  .string()
  .max(200)
  .regex(/^[^+#$\p{Cc}]*$/u, 'must be text without +, #, $ and control characters')
  .default('')
const span = (least: number, most: number) =>
  z.unknown().transform((value, context) => {
    try {
      const ms = parseDuration(value)
      if (ms >= least && ms <= most) return ms
      context.addIssue({ code: 'custom', message: `must be from ${least / 1_000}s to ${most / 1_000}s` })
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    }
    return z.NEVER
  })

const linkForm = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, hyphens or underscores'),
  url: z.string(),
  version: z.union([z.literal(4), z.literal(5)], 'must be 5 (MQTT 5) or 4 (MQTT 3.1.1)').default(5),
  client_id: z.string().min(1).max(256).optional(),
  username: z.string().optional(),
  password_file: z.string().optional(),
  password_environment: z.string().optional(),
  ca: z.string().optional(),
  certificate: z.string().optional(),
  key: z.string().optional(),
  // MQTT 5 §3.1.2.10 has at most 65,535 seconds.
  keep_alive: span(1_000, 65_535_000).default(60_000),
  session_expiry: span(60_000, 4_294_967_294_000).default(7 * 86_400_000),
  in_flight: z.number().int().min(1).max(1_000).default(100),
  publish: z.array(filter).default(['#']),
  in: z
    .array(
      z.strictObject({
        filter,
        local_prefix: prefix,
        remote_prefix: prefix,
        qos: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(1),
      }),
    )
    .default([]),
  out: z
    .array(z.strictObject({ filter, local_prefix: prefix, remote_prefix: prefix, retain: z.boolean().default(true) }))
    .default([]),
})
type LinkForm = z.infer<typeof linkForm>

const kinds: Readonly<Record<string, LinkPlace['kind']>> = { mqtt: 'tcp', mqtts: 'tls', ws: 'ws', wss: 'wss' }
const ports: Readonly<Record<LinkPlace['kind'], number>> = { tcp: 1883, tls: 8883, ws: 80, wss: 443 }
const gatewayNameDefault = 'tocsin'

/** Throws GatewayError settings_invalid naming every fault. Opens files only with an environment, which is where secrets may stand. */
export function configuredLinks(settings: Settings, environment?: Environment): LinkSettings[] {
  const read = z.array(linkForm).safeParse(settings['mqtt.links'] ?? [])
  if (!read.success) fail(read.error.issues.map((issue) => `mqtt.links.${issue.path.join('.')}: ${issue.message}`))
  const faults: string[] = []
  const names = new Set<string>()
  const links = read.data.map((form) => {
    const say = (fault: string): void => void faults.push(`mqtt.links, ${form.name}: ${fault}`)
    if (names.has(form.name)) say('there are two of this name')
    names.add(form.name)
    return linkOf(form, settings, environment, say)
  })
  if (links.length > 0 && settings['gateway.name'] === gatewayNameDefault)
    faults.push(
      'mqtt.links: set gateway.name to a name that no other gateway has, so that a message that comes back is known',
    )
  if (faults.length > 0) fail(faults)
  return links
}

function fail(faults: readonly string[]): never {
  throw new GatewayError('settings_invalid', faults.join('\n'))
}

type Say = (fault: string) => void

function linkOf(form: LinkForm, settings: Settings, environment: Environment | undefined, say: Say): LinkSettings {
  const place = placeOf(form.url, say)
  if (form.in.length === 0 && form.out.length === 0) say('neither in nor out says what it carries')
  if (form.version === 4) {
    for (const into of form.in.map(ruleOf)) {
      const met = form.out.map(ruleOf).find((out) => filtersMeet(remoteFilter(into), remoteFilter(out)))
      if (met)
        say(
          `in ${remoteFilter(into)} brings back what out ${remoteFilter(met)} sends, for ever: use version: 5, or filters that do not meet`,
        )
    }
  }
  if (form.username === undefined && (form.password_file ?? form.password_environment) !== undefined)
    say('has a password and no username')
  if ((form.certificate === undefined) !== (form.key === undefined)) say('certificate and key belong together')
  if (place && !place.kind.endsWith('s') && (form.ca ?? form.certificate) !== undefined)
    say(`${form.url} is not encrypted, so ca, certificate and key are for nothing; write mqtts:// or wss://`)
  const password = environment && passwordOf(form, environment, say)
  const tls = environment && tlsOf(form, say)
  return {
    name: form.name,
    place: { ...(place ?? nowhere), ...(tls && { tls }) },
    version: form.version,
    clientId: form.client_id ?? `${settings['gateway.name']}-${form.name}`,
    ...(form.username !== undefined && { username: form.username }),
    ...(password && { password }),
    keepAliveSeconds: Math.round(form.keep_alive / 1_000),
    sessionExpirySeconds: Math.round(form.session_expiry / 1_000),
    inFlightMax: form.in_flight,
    publish: form.publish,
    in: form.in.map((rule) => ({ ...ruleOf(rule), qos: rule.qos })),
    out: form.out.map((rule) => ({ ...ruleOf(rule), retain: rule.retain })),
  }
}

const ruleOf = ({ filter: one, local_prefix, remote_prefix }: LinkForm['in'][number] | LinkForm['out'][number]) => ({
  filter: one,
  localPrefix: local_prefix,
  remotePrefix: remote_prefix,
})

const nowhere: LinkPlace = { kind: 'tcp', host: '127.0.0.1', port: 1, path: '/' }

function placeOf(text: string, say: Say): LinkPlace | undefined {
  const url = URL.parse(text)
  const kind = url ? kinds[url.protocol.slice(0, -1)] : undefined
  if (!url || !kind || url.hostname === '' || url.search || url.hash) {
    say('url must be an address such as mqtts://broker.county-b.example:8883; mqtt, mqtts, ws and wss are known')
    return undefined
  }
  if (url.username || url.password) {
    say('url holds a name or a password; write username and password_file')
    return undefined
  }
  if (/^(tcp|tls)$/.test(kind) && !/^\/?$/.test(url.pathname)) say('url has a path, which only ws:// and wss:// have')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { kind, host, port: url.port === '' ? ports[kind] : Number(url.port), path: url.pathname || '/' }
}

/** What is wrong with them is said where they are read. */
function soundLinks(settings: Settings): readonly LinkSettings[] {
  try {
    return configuredLinks(settings)
  } catch {
    return []
  }
}

/** Links in plain text over a network, each with the line to change. */
export function* plainLinks(settings: Settings): Generator<string> {
  for (const { name, place } of soundLinks(settings)) {
    if (place.kind === 'tls' || place.kind === 'wss' || isLoopback(place.host)) continue
    const [plain, secure] = place.kind === 'tcp' ? ['mqtt', 'mqtts'] : ['ws', 'wss']
    yield `mqtt.links, ${name}: ${plain}://${place.host} would send the password and the data in plain text over the network; write ${secure}:// and, for an authority of your own, ca: FILE`
  }
}

function passwordOf(form: LinkForm, environment: Environment, say: Say): Uint8Array | undefined {
  const { password_file: file, password_environment: variable } = form
  if (file !== undefined && variable !== undefined) say('password_file and password_environment exclude each other')
  if (variable !== undefined) {
    const secret = environment[variable]
    if (!secret) say(`password_environment: ${variable} is not set`)
    return secret ? Buffer.from(secret) : undefined
  }
  const text = file === undefined ? undefined : fileText(file, 'password_file', say, true)
  // The line ends where the secret does.
  return text === undefined ? undefined : Buffer.from(text.replace(/\r?\n$/, ''))
}

function tlsOf(form: LinkForm, say: Say): LinkTls {
  const authorities = form.ca === undefined ? undefined : fileText(form.ca, 'ca', say)
  const certificate = form.certificate === undefined ? undefined : fileText(form.certificate, 'certificate', say)
  const key = form.key === undefined ? undefined : fileText(form.key, 'key', say, true)
  return {
    ...(authorities !== undefined && { authorities }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
  }
}

function fileText(file: string, key: string, say: Say, isSecret = false): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    // Bits 077: group and others.
    if (isSecret && (statSync(file).mode & 0o077) !== 0)
      say(`${key}: ${file} can be read by other users; run chmod 600 ${file}`)
    return readFileSync(file, 'utf8')
  } catch {
    say(`${key}: ${file} cannot be read`)
    return undefined
  }
}
