// Who may connect over MQTT and what they may publish and read. One place decides; the broker only asks.

import { z } from 'zod'
import { networkOf } from '../../broker/admission.ts'
import type { ClientCertificate, ConnectAttempt, Principal, Refused } from '../../broker/port.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import { eventRoot, refusedRoot, refusedTopic } from '../outputs/mqtt/topic.ts'
import type { Revocation } from '../ca/revocation.ts'
import { ingestRoot } from '../routes.ts'
import type { Settings } from '../settings.ts'
import { deviceIn, namesInCertificate } from './certificate-names.ts'
import type { Guard, Sender } from '../inputs/receive.ts'
import { includable, type Included } from './configured-view.ts'
import { createHashGate, deviceHashLimits, type HashGate } from './hash-gate.ts'
import { doorName, type PlaintextDoor } from './plaintext-doors.ts'
import { createDelays, type Delays } from './delays.ts'
import { principalKinds, type RegisteredPrincipal, type Registry } from './registry.ts'
import { everything } from './rights.ts'
import { rightsOf, type Role } from './roles.ts'
import { isSecretHash, secretMatches } from './secrets.ts'
import { filterCovers, topicMatches } from './topic-filters.ts'
import { labelsAllowed } from './view.ts'

export interface MqttPrincipal extends Principal {
  /** As records name it: "device:gauge-7", "mqtt:gauge-7" of the settings or of nobody's. */
  readonly name: string
  readonly authenticated: boolean
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** Labels that it may see, as a mask. */
  readonly labels: number
  /** Where it is connected from. */
  readonly address?: string
  /** Devices stand behind it, or it is one, that nobody may know. */
  readonly guard?: Guard
  /** Where it is told what was wrong with its messages. */
  readonly refusals: string
  /** Topic → may it publish there; asked for each message. */
  readonly verdicts: Map<string, boolean>
}

export interface Permissions {
  authenticate(attempt: ConnectAttempt): Promise<MqttPrincipal | Refused>
  /** Who had this name when the gateway ran before; undefined: nobody has it any more. */
  recall(name: string, clientId: string): MqttPrincipal | undefined
  mayPublish(principal: MqttPrincipal, topic: string): boolean
  /** Said to the sender and kept with the frame. */
  whyForbidden(topic: string): string
  maySubscribe(principal: MqttPrincipal, filter: string): boolean
  mayReceive(principal: MqttPrincipal, topic: string): boolean
}

export interface PermissionParts {
  readonly devices: UnknownDevices
  readonly settings: Settings
  readonly registry: Registry
  readonly roles: ReadonlyMap<string, Role>
  /** The exceptions for plain text. */
  readonly doors?: readonly PlaintextDoor[]
  /** Labels of what comes in on a topic, as its input's settings say, as a mask; 0: OPS. */
  labelsOf(topic: string): number
  /** Absent: no certificate is revoked. */
  readonly revocation?: Pick<Revocation, 'why'>
  /** How many secrets are checked at once. */
  readonly hashing?: HashGate
  /** Of devices that fail; absent: made by `clock`, and without that none is delayed. */
  readonly delays?: Delays
  readonly clock?: Pick<Clock, 'monotonic'>
}

/** What is asked of the waiting room. */
export interface UnknownDevices {
  guardOf(sender: Pick<Sender, 'name' | 'authenticity'>): Guard | undefined
  /** Undefined: it is blocked, or such devices are refused. */
  strangerOf(device: string): Guard | undefined
}

/** Verdicts about topics are remembered for each principal; a device that invents topics must not grow us. */
const verdictsMax = 1_000

/** Only the gateway itself writes below these: what it says to devices and consoles. */
const ownTopics = [`${eventRoot}/#`, `${refusedRoot}/#`]

const userForm = z.strictObject({
  name: z.string().min(1).max(256),
  secret_hash: z.string().refine(isSecretHash, 'is not a hash made by `tocsin secret`'),
  publish: z.array(z.string()).default([]),
  subscribe: z.array(z.string()).default([]),
  include: z.array(z.enum(includable)).default([]),
})
const usersForm = z.array(userForm)
type User = z.infer<typeof userForm>

export function createPermissions(parts: PermissionParts): Permissions {
  const { settings, registry, roles, labelsOf, devices, clock, doors = [] } = parts
  const delays = parts.delays ?? (clock && createDelays(clock))
  const { hashing = createHashGate(deviceHashLimits) } = parts
  const users = new Map<string, User>()
  for (const user of readUsers(settings['mqtt.users'])) users.set(user.name, user)
  const anonymous = settings['mqtt.anonymous']
  const jurisdiction = settings['gateway.jurisdiction']

  function registered(principal: RegisteredPrincipal, clientId: string): MqttPrincipal {
    const { name, publish, subscribe } = principal
    const labels = labelsAllowed(rightsOf(principal.roles, principal.only, roles))
    const guard = devices.guardOf({ name, authenticity: 'authenticated' })
    return { name, authenticated: true, publish, subscribe, labels, ...(guard && { guard }), ...ownTo(clientId) }
  }

  const ofCertificate = ({ commonName, subjectAltName, fingerprint256 }: ClientCertificate) =>
    registry.byCertificate(fingerprint256.replaceAll(':', '').toLowerCase()) ??
    namesInCertificate({ subject: { CN: commonName }, subjectaltname: subjectAltName }, jurisdiction, registry)

  /** By name and secret. One answer for a wrong name and a wrong secret, after equal time. */
  async function byName(attempt: ConnectAttempt): Promise<MqttPrincipal | Refused> {
    const { username = '', address } = attempt
    if (delays && !(await delays.pass(username, address))) return { refused: 'unavailable' }
    const answer = await checked(attempt)
    if (!('refused' in answer)) delays?.succeeded(username, address)
    else if (answer.refused === 'credentials') delays?.failed(username, address)
    return answer
  }

  async function checked({
    username = '',
    password,
    clientId,
    address,
  }: ConnectAttempt): Promise<MqttPrincipal | Refused> {
    const user = users.get(username)
    const found = user ? undefined : named(username)
    let known: boolean
    try {
      const kept = user?.secret_hash ?? found?.secretHash
      known = await hashing.run(networkOf(address), () => secretMatches(password ?? new Uint8Array(), kept))
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'overloaded') return { refused: 'unavailable' }
      throw error
    }
    if (known && user) return somebody(user, clientId)
    // It may have been switched off meanwhile.
    const still = found && registry.get(found.name)
    return known && still && !still.disabled ? registered(still, clientId) : { refused: 'credentials' }
  }

  /** Devices and systems are asked for names without their kind by most firmware. */
  const named = (username: string): RegisteredPrincipal | undefined =>
    registry.get(username) ?? registry.get(`device:${username}`) ?? registry.get(`system:${username}`)

  const isListed = (): boolean => users.size > 0 || registry.list().some(({ secretHash }) => secretHash !== undefined)

  const plain = new Map(doors.map((door) => [doorName(door), byPlaintext(door)]))

  /** Its certificate is good, and nobody has entered its name: it may speak, and waits. */
  function stranger(name: string, clientId: string): MqttPrincipal | Refused {
    const guard = devices.strangerOf(name)
    if (!guard) return { refused: 'not_allowed' }
    const own = { name: `${strangerRoot}${name}`, authenticated: true, publish: ['#'], subscribe: [], labels: 0 }
    return { ...own, guard, ...ownTo(clientId) }
  }

  function strangerIn({ commonName, subjectAltName }: ClientCertificate): string | undefined {
    const name = deviceIn({ subject: { CN: commonName }, subjectaltname: subjectAltName }, jurisdiction)
    // A name that several kinds have is nobody's.
    const isTaken = name === undefined || principalKinds.some((kind) => registry.get(`${kind}:${name}`))
    return isTaken ? undefined : name
  }

  const withGuard = (principal: MqttPrincipal): MqttPrincipal => {
    const guard = devices.guardOf({ name: principal.name, authenticity: 'unverified' })
    return guard ? { ...principal, guard } : principal
  }

  async function whoIs(attempt: ConnectAttempt): Promise<MqttPrincipal | Refused> {
    const { username, password, clientId, certificate } = attempt
    // A name or a secret that came in plain text says nothing, and is not looked at.
    const unknown = plain.get(attempt.listener)
    if (unknown) return withGuard(unknown)
    const owner = certificate && ofCertificate(certificate)
    const name = owner || !certificate ? undefined : strangerIn(certificate)
    const shown = owner?.name ?? (name && `${strangerRoot}${name}`)
    const text = certificate && parts.revocation?.why(certificate, shown)
    if (text !== undefined) return { refused: 'not_allowed', text }
    if (owner) return owner.disabled ? { refused: 'not_allowed' } : registered(owner, clientId)
    // Where nobody is listed a name says nothing: a device that has one set is as anonymous as the one beside it that has none.
    if ((username === undefined && password === undefined) || !isListed()) {
      // A door to the network never lets in who gives no name (policy/doors.ts); this is loopback.
      if (anonymous && isLoopback(attempt.address)) return withGuard(nobody(clientId))
      return name === undefined || username !== undefined ? { refused: 'credentials' } : stranger(name, clientId)
    }
    return byName(attempt)
  }

  return {
    async authenticate(attempt) {
      const who = await whoIs(attempt)
      return 'refused' in who ? who : { ...who, address: attempt.address }
    },
    recall(name, clientId) {
      const unknown = plain.get(name)
      if (unknown) return withGuard(unknown)
      const entered = registry.get(name)
      if (entered) return entered.disabled ? undefined : registered(entered, clientId)
      const user = users.get(name.slice(nameOf('').length))
      if (user) return somebody(user, clientId)
      if (name.startsWith(strangerRoot)) {
        const who = stranger(name.slice(strangerRoot.length), clientId)
        return 'refused' in who ? undefined : who
      }
      return anonymous && name === nameOf(clientId) ? withGuard(nobody(clientId)) : undefined
    },
    mayPublish(principal, topic) {
      const { verdicts } = principal
      let verdict = verdicts.get(topic)
      if (verdict === undefined) {
        if (verdicts.size >= verdictsMax) verdicts.clear()
        verdicts.set(topic, (verdict = mayPublish(principal, topic)))
      }
      return verdict
    },
    whyForbidden: (topic) =>
      isOwn(topic)
        ? `only the gateway itself publishes below ${eventRoot}/ and ${refusedRoot}/; devices publish on ${ingestRoot}/<adapter>/<device> or a topic of their own`
        : 'this sender may not publish on this topic',
    maySubscribe: (principal, filter) =>
      filter === principal.refusals || allowing(principal, filter).some((allowed) => filterCovers(allowed, filter)),
    mayReceive: (principal, topic) =>
      topic === principal.refusals ||
      ((labelsOf(topic) & ~principal.labels) === 0 &&
        allowing(principal, topic).some((allowed) => topicMatches(allowed, topic))),
  }
}

/** In front of the name of a device that nobody has entered. */
const strangerRoot = 'unknown:'

/** As records name it. */
const nameOf = (name: string): string => `mqtt:${name}`

const ownTo = (clientId: string) => ({ refusals: refusedTopic(clientId), verdicts: new Map<string, boolean>() })

const nobody = (clientId: string): MqttPrincipal => ({
  name: nameOf(clientId),
  authenticated: false,
  publish: ['#'],
  subscribe: ['#', '$SYS/#', `${refusedRoot}/#`],
  labels: labelsAllowed(everything),
  ...ownTo(clientId),
})

/** Whoever comes by an exception for plain text: may publish, is told nothing, and cannot be told from another one of the same door. */
const byPlaintext = (door: PlaintextDoor): MqttPrincipal => ({
  name: doorName(door),
  authenticated: false,
  publish: door.topics,
  subscribe: [],
  labels: 0,
  // No topic and no filter is empty.
  refusals: '',
  verdicts: new Map<string, boolean>(),
})

const somebody = ({ name, publish, subscribe, include }: User, clientId: string): MqttPrincipal => ({
  name: nameOf(name),
  authenticated: true,
  publish,
  subscribe,
  labels: labelsAllowed({ ops: true, include: new Set<Included>(include) }),
  ...ownTo(clientId),
})

/**
 * The filters that count for a topic or filter. What is said to one device is for that device and for those whose own filters name
 * these topics, which makes an operator of them; "#" alone does not reach there.
 */
function allowing({ subscribe }: MqttPrincipal, topic: string): readonly string[] {
  if (topic !== refusedRoot && !topic.startsWith(`${refusedRoot}/`)) return subscribe
  return subscribe.filter((allowed) => allowed.startsWith(`${refusedRoot}/`))
}

/** Only the gateway publishes there. */
export const isOwn = (topic: string): boolean => ownTopics.some((filter) => topicMatches(filter, topic))

const mayPublish = (principal: MqttPrincipal, topic: string): boolean =>
  !topic.startsWith('$') && !isOwn(topic) && principal.publish.some((filter) => topicMatches(filter, topic))

/** Of the setting mqtt.users; throws GatewayError settings_invalid with each fault. */
export function readUsers(tree: unknown): User[] {
  const read = usersForm.safeParse(tree ?? [])
  if (read.success) return read.data
  const faults = read.error.issues.map((issue) => `mqtt.users.${issue.path.join('.')}: ${issue.message}`)
  throw new GatewayError('settings_invalid', faults.join('\n'))
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || address === 'localhost' || /^(::ffff:)?127\./.test(address)
