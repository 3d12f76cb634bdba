// Who may connect over MQTT and what they may publish and read. One place decides; the broker only asks.

import { z } from 'zod'
import type { ConnectAttempt, Principal, Refused } from '../../broker/port.ts'
import { GatewayError } from '../../proto/errors.ts'
import { eventRoot, refusedRoot, refusedTopic } from '../outputs/mqtt/topic.ts'
import { ingestRoot } from '../routes.ts'
import type { Settings } from '../settings.ts'
import { isSecretHash, secretMatches } from './secrets.ts'
import { filterCovers, topicMatches } from './topic-filters.ts'

export interface MqttPrincipal extends Principal {
  /** As records name it: "mqtt:gauge-7". */
  readonly name: string
  readonly authenticated: boolean
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
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

/** Verdicts about topics are remembered for each principal; a device that invents topics must not grow us. */
const verdictsMax = 1_000

/** Only the gateway itself writes below these: what it says to devices and consoles. */
const ownTopics = [`${eventRoot}/#`, `${refusedRoot}/#`]

const userForm = z.strictObject({
  name: z.string().min(1).max(256),
  secret_hash: z.string().refine(isSecretHash, 'is not a hash made by `tocsin secret`'),
  publish: z.array(z.string()).default([]),
  subscribe: z.array(z.string()).default([]),
})
const usersForm = z.array(userForm)
type User = z.infer<typeof userForm>

export function createPermissions(settings: Settings): Permissions {
  const users = new Map<string, User>()
  for (const user of readUsers(settings['mqtt.users'])) users.set(user.name, user)
  const anonymous = settings['mqtt.anonymous']

  return {
    async authenticate(attempt) {
      const { username, password, clientId } = attempt
      // Where nobody is listed a name says nothing: a device that has one set is as anonymous as the one beside it that has none.
      if (users.size === 0 || (username === undefined && password === undefined)) {
        // A door to the network never lets in who gives no name (policy/doors.ts); this is loopback.
        return anonymous && isLoopback(attempt.address) ? nobody(clientId) : { refused: 'credentials' }
      }
      const user = users.get(username ?? '')
      const known = await secretMatches(password ?? new Uint8Array(), user?.secret_hash)
      return known && user ? somebody(user, clientId) : { refused: 'credentials' }
    },
    recall(name, clientId) {
      const user = users.get(name.slice(nameOf('').length))
      if (user) return somebody(user, clientId)
      return anonymous && name === nameOf(clientId) ? nobody(clientId) : undefined
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
      topic === principal.refusals || allowing(principal, topic).some((allowed) => topicMatches(allowed, topic)),
  }
}

/** As records name it. */
const nameOf = (name: string): string => `mqtt:${name}`

const ownTo = (clientId: string) => ({ refusals: refusedTopic(clientId), verdicts: new Map<string, boolean>() })

const nobody = (clientId: string): MqttPrincipal => ({
  name: nameOf(clientId),
  authenticated: false,
  publish: ['#'],
  subscribe: ['#', '$SYS/#', `${refusedRoot}/#`],
  ...ownTo(clientId),
})

const somebody = ({ name, publish, subscribe }: User, clientId: string): MqttPrincipal => ({
  name: nameOf(name),
  authenticated: true,
  publish,
  subscribe,
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

const isOwn = (topic: string): boolean => ownTopics.some((filter) => topicMatches(filter, topic))

const mayPublish = (principal: MqttPrincipal, topic: string): boolean =>
  !topic.startsWith('$') && !isOwn(topic) && principal.publish.some((filter) => topicMatches(filter, topic))

function readUsers(tree: unknown): User[] {
  const read = usersForm.safeParse(tree ?? [])
  if (read.success) return read.data
  const faults = read.error.issues.map((issue) => `mqtt.users.${issue.path.join('.')}: ${issue.message}`)
  throw new GatewayError('settings_invalid', faults.join('\n'))
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || address === 'localhost' || /^(::ffff:)?127\./.test(address)
