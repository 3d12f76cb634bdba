// The gRPC face: EventService and AdminService beside health and reflection, so that any language works with no file from us.
// It promises that no caller, however slow or hostile, costs another one its latency or the gateway its memory.

import { EventEmitter } from 'node:events'
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js'
import { GatewayError } from '../../proto/errors.ts'
import type { CallNotes } from '../audit/calls.ts'
import { watchHandshakes } from '../audit/handshakes.ts'
import type { Clock } from '../clock.ts'
import { boundConnections, type ConnectionCounts } from '../connections.ts'
import type { Logger } from '../logger.ts'
import type { Log } from '../log/log.ts'
import type { Access } from './access.ts'
import { addAdminService, type AdminParts } from './admin-service.ts'
import { createCredentials, type RenewableCredentials, type ServerKeys } from './credentials.ts'
import { addEventService } from './event-service.ts'
import { createFanOut, type FanOutMetrics } from './fan-out.ts'
import type { RecentFates } from './fates.ts'
import { addHealthService } from './health.ts'
import type { ReceiveEvents } from './publish.ts'
import { boundResets, type ResetCounts } from './resets.ts'
import { addReflectionService } from './reflection.ts'
import { createRegistrar } from './registrar.ts'
import { addSignInService, type SignInDoor } from './sign-in-service.ts'
import { addTelemetryService } from './telemetry-service.ts'
import type { TelemetryStore } from '../telemetry/store.ts'

export interface GrpcServerParts {
  /** Port 0 takes a free one; see `GrpcServer.port`. */
  readonly address: { readonly host: string; readonly port: number }
  /** Absent: plaintext, which settings allow on loopback only. */
  readonly keys?: ServerKeys
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly access: Access
  readonly recentFates: RecentFates
  readonly receiveEvents: ReceiveEvents
  readonly admin: AdminParts
  readonly notes: CallNotes
  readonly signIn: SignInDoor
  /** Absent: none is set up, and its calls say so. */
  readonly telemetry?: TelemetryStore
  /** False while the gateway starts, stops, or cannot write: what health says. */
  ready(): boolean
  /** How soon a dead console is noticed; for tests, which do not wait for the default. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number }
}

export interface GrpcServer {
  /** Resolves when it listens; rejects with port_taken. */
  start(): Promise<void>
  /** The port it listens on; 0 before the start. */
  readonly port: number
  /** Ends the streams with UNAVAILABLE, so that clients reconnect elsewhere or later; then the connections. */
  close(): Promise<void>
  /** New keys for new connections; those that are open stay. */
  renewKeys(keys: ServerKeys): void
  /** Ends the streams of a principal whose rights were taken away. */
  cut(principal: string): void
  cutSession(id: string): void
  metrics(): GrpcMetrics
}

export interface GrpcMetrics extends FanOutMetrics {
  /** Calls by method and gRPC status code. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<number, number>>
  /** Connections turned away, and cut for resetting streams, since the start. */
  readonly refused: number
  readonly cutForResets: number
}

/** A dead console is noticed after 15 s at most; grpc-js itself never looks. */
const keepaliveDefault = { timeMs: 10_000, timeoutMs: 5_000 }
/** One connection is one console or one program; a few streams and some calls at a time are plenty. */
const streamsPerConnectionMax = 100
/** PublishRequest may hold 1 MB of events; the rest is its own fields. */
const receiveBytesMax = 1_100_000
/** Consoles and programs of a large centre; of one address half, since all of a site may stand behind one. */
const connectionBounds = { inAll: 1_024, perAddress: 512 }
/** Bound of what Node keeps for one connection, MB: what 100 streams may hold unsent, so that new ones are refused beyond. */
const sessionMemoryMbMax = 64
/** Connections without a call for so long are closed. Consoles always have one, and no age is set for them. */
const connectionIdleMsMax = 300_000
/** How long calls may take to end in order when the gateway stops. */
const closeMsMax = 1_000

export function createGrpcServer(parts: GrpcServerParts): GrpcServer {
  const keepalive = parts.keepalive ?? keepaliveDefault
  const server = new Server({
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    'grpc.max_concurrent_streams': streamsPerConnectionMax,
    'grpc.max_receive_message_length': receiveBytesMax,
    'grpc.max_connection_idle_ms': connectionIdleMsMax,
    'grpc-node.max_session_memory': sessionMemoryMbMax,
    'grpc.enable_channelz': 0,
  })
  const registrar = createRegistrar({ server, access: parts.access, logger: parts.logger, notes: parts.notes })
  const fanOut = createFanOut(parts)
  const health = addHealthService(registrar, parts)
  addEventService(registrar, { ...parts, fanOut })
  addAdminService(registrar, parts)
  addTelemetryService(registrar, parts)
  addSignInService(registrar, parts)
  addReflectionService(registrar)
  const credentials: RenewableCredentials | undefined = parts.keys && createCredentials(parts.keys)
  const connections: ConnectionCounts[] = []
  const resets: ResetCounts[] = []
  let port = 0

  return {
    async start() {
      // What it would print is thrown here or told by metrics.
      setLogVerbosity(logVerbosity.NONE)
      port = await bind(server, parts.address, credentials ?? ServerCredentials.createInsecure())
      for (const each of listenersOf(server)) {
        watchHandshakes(each, 'grpc', parts.notes.handshake)
        connections.push(boundConnections(each, connectionBounds))
        resets.push(boundResets(each, parts.clock))
      }
      fanOut.start()
      health.start()
    },
    get port() {
      return port
    },
    async close() {
      health.close()
      fanOut.close()
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => {
          server.forceShutdown()
          resolve()
        }, closeMsMax)
        server.tryShutdown(() => {
          clearTimeout(late)
          resolve()
        })
      })
    },
    renewKeys: (keys) => credentials?.renew(keys),
    cut: (principal) => fanOut.cut(principal),
    cutSession: (id) => fanOut.cutSession(id),
    metrics: () => ({
      ...fanOut.metrics(),
      calls: registrar.calls,
      refused: connections.reduce((sum, { refused }) => sum + refused, 0),
      cutForResets: resets.reduce((sum, { cut }) => sum + cut, 0),
    }),
  }
}

/** grpc-js tells nobody of a handshake that failed, and keeps its listeners to itself; a test misses the entries where it has other ones. */
function listenersOf(server: Server): readonly EventEmitter[] {
  const listeners: unknown = Reflect.get(server, 'http2Servers')
  return listeners instanceof Map ? [...listeners.keys()].filter((each) => each instanceof EventEmitter) : []
}

function bind(
  server: Server,
  { host, port }: GrpcServerParts['address'],
  credentials: ServerCredentials,
): Promise<number> {
  const name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new Promise((resolve, reject) => {
    server.bindAsync(name, credentials, (error, bound) => {
      if (!error) return resolve(bound)
      const text = `gRPC cannot listen on ${name} (${error.message}): stop the program that does, or set another address in grpc.listen`
      reject(new GatewayError('port_taken', text, { cause: error }))
    })
  })
}
