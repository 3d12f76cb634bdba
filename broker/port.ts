// What the MQTT road asks of the house and offers it. The broker moves bytes and identities; formats, policy and the log are
// functions it is given, so it can be exchanged, tested and understood alone.

import type { Duplex } from 'node:stream'

import type { Limits } from './limits.ts'
import type { DeliverableMessage, MessageSource, SessionStore } from './stored.ts'

export interface Broker {
  /** Opens every listener; rejects with the system's own error (EADDRINUSE, EACCES) when one cannot be opened, and opens none. */
  start(): Promise<void>
  /** Where it listens, in the order of `parts.listeners`, with the ports that were really given. Empty before `start`. */
  readonly addresses: readonly ListenerAddress[]
  /** Takes a connection that was made elsewhere than at a listener, such as one in memory; after `start`. */
  enter(stream: Duplex, peer: Peer): void
  /** What the log has of one of `parts.sources`: all of it up to `through`, in order. Nobody is waited for. */
  deliver(source: MessageSource, messages: readonly DeliverableMessage[], through: number): void
  /** From the gateway itself to subscribers: in memory only, the last thousand; a session that comes back finds what is left. */
  publish(message: OutgoingMessage): void
  /**
   * Rights of a principal have changed, or it is gone: its connections are cut (0x98 in MQTT 5) and must authenticate again; its sessions
   * that are away are judged by `recall`.
   */
  renew(principal: string): void
  /** New keys of its TLS listeners, for new connections; those that are open stay. */
  renewKeys(tls: TlsFiles): void
  /** False when nobody would be given a message on this topic that is not retained, so that it need not be made. */
  isWanted(topic: string): boolean
  /** False when nobody would be given any such message below `root`: asked once for many. */
  isWantedBelow(root: string): boolean
  /** What has happened since the start, and what is here now; a copy. */
  counts(): Counts
  /** Closes listeners and connections. Wills are not sent: the gateway is going away, not the devices. */
  close(): Promise<void>
}

/** What the broker is given. `P` is the house's own principal, opaque here but for its name. */
export interface BrokerParts<P extends Principal> {
  readonly listeners: readonly Listener[]
  /** Once for each CONNECT, before anything else of that client is read. */
  authenticate(attempt: ConnectAttempt): Promise<P | Refused>
  /** Asked once for each PUBLISH, and for a will when its client connects. */
  mayPublish(principal: P, topic: string, message: { retain: boolean; qos: QoS; will: boolean }): boolean
  maySubscribe(principal: P, filter: string): boolean
  /** Asked again for each delivery, since a filter may be wider than what its owner may read. */
  mayReceive(principal: P, topic: string): boolean
  /**
   * Whether who publishes may ask others to answer on this topic (MQTT 5 Response Topic), which they may well be permitted to do where
   * he is not. A message that asks for an answer elsewhere is forbidden.
   */
  mayBeAnswered(principal: P, responseTopic: string): boolean
  /** In words, for MQTT 5: why it is not permitted, or of no use, and what to do. One line, no secret, no payload. */
  explain(principal: P, about: Explained): string
  /**
   * Takes a message for good. It is called in the order of arrival for each client, and many may be on their way at once; PUBACK
   * and PUBREC leave in that order, each only when it and all before it are settled. `told` is told later, never before this
   * returns. When the message cannot be stored, it is not acknowledged, its client is read no further and is cut after
   * `unstoredCutMs`, and keeps its copy.
   */
  take(principal: P, message: InboundPublish, told: ToldVerdict): void
  /** A new id for a message of QoS 2, which `take` is to store it under; and whether one was. */
  newFrameId(): Uint8Array
  isStored(frameId: Uint8Array): boolean
  /** Who had this name before a restart; undefined: nobody has it any more. */
  recall(principalName: string, clientId: string): P | undefined
  /** Where messages for subscribers come from; those that are urgent go first. `take` tells after `Broker.deliver` had its message. */
  readonly sources: readonly MessageSource[]
  readonly store: SessionStore
  readonly limits?: Partial<Limits>
  readonly log: Logger
  readonly clock: Clock
  /** Told of what an operator or the audit should know. It must not throw. */
  readonly onEvent?: (event: BrokerEvent) => void
}

export interface Principal {
  readonly name: string
}

export interface Explained {
  readonly what: 'publish' | 'will' | 'answer' | 'subscribe' | 'unread'
  /** Or a filter; for `answer` the Response Topic. */
  readonly topic: string
}

/** `accepted`: acknowledged and delivered. `forbidden`: never delivered; 0x87 to MQTT 5, an ordinary acknowledgement to 3.1.1. */
export type Verdict = 'accepted' | 'unread' | 'forbidden'

/** Told once, not a promise, since there is one for each message; it must not throw. */
export interface ToldVerdict {
  settled(verdict: Verdict): void
  notTaken(): void
}

export type QoS = 0 | 1 | 2

export interface InboundPublish {
  readonly topic: string
  /** A view of a larger buffer: copy what is kept. */
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** Absent at QoS 0 and for a will. */
  readonly packetId?: number
  /** Its identifier is on disk under this id: `take` stores the message under it. */
  readonly frameId?: Uint8Array
  readonly clientId: string
  readonly protocolVersion: 3 | 4 | 5
  /** The client's last message, sent for it because it vanished. */
  readonly will: boolean
  /** False when it may not say this: received all the same, so that the refusal is kept with its bytes. */
  readonly permitted: boolean
  /** When it is not permitted: why. */
  readonly denied?: Explained
  readonly properties: MessageProperties
}

/** What MQTT 5 carries beside the payload; empty for older clients. */
export interface MessageProperties {
  readonly contentType?: string
  /** In the order in which they came; a name may come more than once (§3.3.2.3.7). */
  readonly userProperties?: readonly UserProperty[]
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  readonly messageExpirySeconds?: number
  /** 0: bytes; 1: UTF-8 text. */
  readonly payloadFormatIndicator?: 0 | 1
}

export type UserProperty = readonly [name: string, value: string]

export interface OutgoingMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly properties?: MessageProperties
}

export interface Listener {
  /** Shown in events and given to `authenticate`, so that policy can tell doors apart. */
  readonly name: string
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss'
  readonly address: string
  /** 0: any free one, see `Broker.addresses`. */
  readonly port: number
  /** For tls and wss. */
  readonly tls?: TlsFiles
  /** Whether one of this address may connect at all; absent: every one may. Asked before anything is read. */
  admits?(address: string): boolean
  /** For ws and wss: pages of these origins may connect, beside pages served from the same loopback or IP address. */
  readonly origins?: readonly string[]
}

/** Who is at the other end of a connection, before it has said anything. */
export interface Peer {
  readonly address: string
  readonly listener: string
  readonly certificate?: ClientCertificate
}

/** The contents of PEM files, not their names. */
export interface TlsFiles {
  readonly key: string | Uint8Array
  readonly certificate: string | Uint8Array
  /** Authorities for client certificates; without it none is asked for. */
  readonly clientAuthorities?: string | Uint8Array
  /** Turns away who shows no certificate. */
  readonly certificateRequired?: boolean
}

export interface ListenerAddress {
  readonly name: string
  readonly kind: Listener['kind']
  readonly address: string
  readonly port: number
}

export interface ConnectAttempt {
  readonly clientId: string
  readonly username?: string
  readonly password?: Uint8Array
  readonly address: string
  readonly protocolVersion: 3 | 4 | 5
  readonly listener: string
  /** Only one that was verified against the listener's authorities. */
  readonly certificate?: ClientCertificate
}

export interface ClientCertificate {
  /** The subject's common name, or '' when it has none. */
  readonly commonName: string
  /** As Node writes it, such as 'URI:urn:unit:7, DNS:gauge-7'. */
  readonly subjectAltName: string
  readonly fingerprint256: string
  readonly serialNumber: string
  /** DER. */
  readonly raw: Uint8Array
}

export interface Refused {
  readonly refused: 'credentials' | 'not_allowed' | 'client_id' | 'unavailable'
  /** More of it, in words, for those who run the broker. */
  readonly text?: string
}

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** As gateway/clock.ts has it: nanoseconds. */
export interface Clock {
  now(): bigint
  monotonic(): bigint
}

export type BrokerEvent =
  | {
      readonly kind: 'connected'
      readonly clientId: string
      readonly principal: string
      readonly address: string
      readonly listener: string
      readonly protocolVersion: 3 | 4 | 5
    }
  | {
      readonly kind: 'disconnected'
      readonly clientId: string
      readonly principal: string
      readonly why: CutReason
      /** For a packet that was not taken: what was wrong with it, in words. */
      readonly detail?: string
    }
  /** A connection or a CONNECT that was turned away. */
  | {
      readonly kind: 'refused'
      readonly address: string
      readonly listener: string
      readonly clientId?: string
      readonly why: RefusalReason
      /** More of it, in words. */
      readonly text?: string
    }
  | {
      readonly kind: 'forbidden'
      readonly action: 'publish' | 'subscribe' | 'will' | 'answer'
      readonly clientId: string
      readonly principal: string
      readonly topic: string
    }
  /** A message that one subscriber will not get, or that is not retained. Told once a minute for each client and cause. */
  | { readonly kind: 'dropped'; readonly cause: DropCause; readonly clientId: string }
  /** Messages of a source cannot be read, with what the system says of it; or, without, can be read again. Told once each way. */
  | { readonly kind: 'reading'; readonly source: string; readonly failure?: string }

export type CutReason =
  /** The client went, with or without DISCONNECT. */
  | 'left'
  /** Nothing was heard for one and a half times its keep-alive. */
  | 'keep_alive'
  /** It broke the standard. */
  | 'protocol'
  /** It sent a packet above the limit of size. */
  | 'too_large'
  /** It does not read what it subscribed to. */
  | 'slow'
  /** Its message could not be stored. */
  | 'unstored'
  /** Another connection came with its client id. */
  | 'taken_over'
  /** What it may do has changed: it must authenticate again. */
  | 'rights_changed'
  /** Too many of its QoS 2 messages wait for PUBREL. */
  | 'receive_maximum'
  | 'closing'

export type RefusalReason =
  | Refused['refused']
  | 'connections'
  | 'address_connections'
  | 'connect_rate'
  /** The listener is for others. */
  | 'address'
  | 'sessions'
  | 'will_forbidden'
  /** Enhanced authentication, which is not spoken here (MQTT 5 §4.12). */
  | 'authentication_method'
  | 'certificate'
  | 'origin'
  | 'protocol'

export type DropCause =
  /** It is owed as many messages as a session may be. */
  | 'offline_queue'
  /** QoS 0, and its reader does not keep up. */
  | 'slow_qos0'
  /** A position of which a newer one came before its reader took it. */
  | 'superseded'
  /** Removed from the log before its reader came back. */
  | 'gone'
  /** The time that its sender gave it was over. */
  | 'expired'
  /** Larger than its reader takes (MQTT 5 Maximum Packet Size). */
  | 'too_large'
  /** Delivered, but not retained: there are too many. */
  | 'retained'
  | 'will_unstored'

export interface Counts {
  /** Now. */
  readonly connections: number
  readonly sessions: number
  readonly retained: number
  /** Messages that sessions are owed and were not sent yet. */
  readonly queued: number
  readonly inFlight: number
  /** Since the start. */
  readonly accepted: number
  readonly forbidden: number
  readonly unstored: number
  readonly swallowed: number
  readonly connects: number
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  readonly cut: Readonly<Partial<Record<CutReason, number>>>
  readonly dropped: Readonly<Partial<Record<DropCause, number>>>
}
