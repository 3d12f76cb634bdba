// aedes' hooks about who may connect. They ask the house and keep our bounds.

import type { AedesOptions, Client, ConnectPacket } from 'aedes'

import { denied } from './denied.ts'
import type { Gate } from './gate.ts'
import { isBridgeStatus } from './inflow.ts'
import type { Limits } from './limits.ts'
import { reasonCode } from './packets.ts'
import type { BrokerParts, Principal, QoS, RefusalReason, Refused } from './port.ts'
import { refusalWords, unusableId } from './reasons.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { Tally } from './tally.ts'

/** What we know of a connection; found by its aedes client. */
export interface Member<P extends Principal> {
  readonly gate: Gate
  connect?: ConnectPacket
  principal?: P
  /** It was told of as connected, and not yet as gone. */
  isIn?: boolean
  /** Why its will is forbidden. */
  willWords?: string
  /** From when it is let in. */
  session?: Session<P>
}

export interface PermissionParts<P extends Principal> {
  readonly house: BrokerParts<P>
  readonly limits: Limits
  readonly tally: Tally
  readonly sessions: () => Pick<Sessions<P>, 'taken' | 'full'>
  member(client: Client): Member<P>
}

type Hooks = Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>>

export function createPermissions<P extends Principal>(parts: PermissionParts<P>): Hooks {
  const { house, limits, tally, member } = parts

  function refuse(client: Client, why: RefusalReason): void {
    const { gate, connect } = member(client)
    tally.refuse({ kind: 'refused', ...gate.peer, clientId: connect?.clientId ?? '', why })
  }

  const preConnect: Hooks['preConnect'] = (client, packet, done) => {
    const { gate } = Object.assign(member(client), { connect: packet })
    if (isForgetfulBridge(packet)) {
      // More than is granted, so that aedes says in CONNACK what is (MQTT 5 §3.2.2.3.2).
      packet.properties = { ...packet.properties, sessionExpiryInterval: sessionExpiryMost }
    }
    // aedes keeps clients as properties of a plain object: 'constructor' would end the process.
    const { clientId, properties = {} } = packet
    gate.packetBytesMax = properties.maximumPacketSize ?? Infinity
    gate.wantsReasons = properties.requestProblemInformation !== false
    gate.endsWithConnection = !properties.sessionExpiryInterval
    const unusable =
      clientId in Object.prototype ||
      // What a group of a shared subscription is owed is stored under such a name.
      clientId.startsWith('$share/') ||
      Buffer.byteLength(clientId) > limits.clientIdBytesMax ||
      // MQTT 3.1 §3.1. Its other bound, 23 characters, is not kept to: devices with longer names are common.
      (clientId === '' && gate.version === 3)
    if (unusable) {
      refuse(client, 'client_id')
      gate.refuse(2, reasonCode.clientId, unusableId(limits.clientIdBytesMax))
      return done(new Error('a client id that is not accepted'), false)
    }
    if (properties.authenticationMethod !== undefined) {
      refuse(client, 'authentication_method')
      gate.refuse(5, reasonCode.authenticationMethod, refusalWords.authentication_method)
      return done(new Error('enhanced authentication'), false)
    }
    // aedes tells MQTT 5 clients its own limit, and would turn older ones away, who cannot know it.
    const { keepalive = 0 } = packet
    if (packet.protocolVersion !== 5 && (keepalive === 0 || keepalive > limits.keepAliveSecondsMax)) {
      packet.keepalive = limits.keepAliveSecondsMax
    }
    done(null, true)
  }

  async function identify(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<RefusalReason | P> {
    const { gate, connect } = member(client)
    const { address, listener, certificate } = gate.peer
    const answer = await within(
      limits.authenticateMsMax,
      house.authenticate({
        clientId: client.id,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        address,
        protocolVersion: gate.version as 3 | 4 | 5,
        listener,
        ...(certificate && { certificate }),
      }),
    )
    if ('refused' in answer) return answer.refused
    const sessions = parts.sessions()
    if (sessions.taken(client.id, answer.name)) return 'client_id'
    if (!client.clean && sessions.full(client.id, answer.name)) return 'sessions'
    const will = connect?.will
    if (!will || isBridgeStatus(will.topic)) return answer
    const { topic, retain = false, qos = 0 } = will
    const said = { topic, retain, qos: qos as QoS, properties: gate.willProperties }
    const why = denied(parts, answer, said, true)
    if (!why) return answer
    tally.forbid({ kind: 'forbidden', action: 'will', clientId: client.id, principal: answer.name, topic: why.topic })
    member(client).willWords = house.explain(answer, why)
    return 'will_forbidden'
  }

  const authenticate: Hooks['authenticate'] = (client, username, password, done) => {
    const turnAway = (why: RefusalReason): void => {
      refuse(client, why)
      const { gate, willWords } = member(client)
      const [returnCode, code] = refusalCodes[why] ?? [5, reasonCode.notAuthorized]
      gate.refuse(returnCode, code, willWords === undefined ? refusalWords[why] : `its will: ${willWords}`)
      done(Object.assign(new Error(`refused: ${why}`), { returnCode }), null)
    }
    const settle = (answer: RefusalReason | P): void => {
      if (typeof answer === 'string') return turnAway(answer)
      Object.assign(member(client), { principal: answer })
      done(null, true)
    }
    identify(client, username, password).then(settle, (error: unknown) => {
      house.log.error({ error }, 'authentication failed')
      turnAway('unavailable')
    })
  }

  return { preConnect, authenticate }
}

const sessionExpiryMost = 0xffff_ffff

/**
 * A bridge of mosquitto's asks over MQTT 5 for the session that it left, and cannot say how long it is to be kept: what came for it while
 * it was away would be lost. It is known by its will; the server may choose (§3.2.2.3.2).
 */
const isForgetfulBridge = ({ clean, protocolVersion, properties, will }: ConnectPacket): boolean =>
  protocolVersion === 5 &&
  !clean &&
  properties?.sessionExpiryInterval === undefined &&
  will !== undefined &&
  isBridgeStatus(will.topic)

// MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2
const refusalCodes: Partial<Record<RefusalReason, readonly [returnCode: number, code: number]>> = {
  credentials: [4, reasonCode.badCredentials],
  client_id: [2, reasonCode.clientId],
  unavailable: [3, reasonCode.serverUnavailable],
  sessions: [3, reasonCode.quotaExceeded],
}

async function within<T>(ms: number, promise: Promise<T | Refused>): Promise<T | Refused> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Refused>((resolve) => {
    timer = setTimeout(() => resolve({ refused: 'unavailable' }), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
