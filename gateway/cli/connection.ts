// The line to a gateway: where it is, and what went wrong on it, in a sentence with what to do.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
  status as Status,
} from '@grpc/grpc-js'
import type {
  AdmitDeviceRequest,
  AdmitDeviceResponse,
  BlockDeviceRequest,
  BlockDeviceResponse,
  GetEventRequest,
  GetEventResponse,
  GetFateRequest,
  GetFateResponse,
  GetStatusRequest,
  GetStatusResponse,
  ListAuditRequest,
  ListAuditResponse,
  ListBookmarksRequest,
  ListBookmarksResponse,
  ListPrincipalsRequest,
  ListPrincipalsResponse,
  PutPrincipalRequest,
  PutPrincipalResponse,
  RemovePrincipalRequest,
  RemovePrincipalResponse,
  ListEventsRequest,
  ListEventsResponse,
  ListRefusalsRequest,
  ListRefusalsResponse,
  ListWaitingRequest,
  ListWaitingResponse,
  ListSeriesRequest,
  ListSeriesResponse,
  PublishRequest,
  PublishResponse,
  QuerySeriesRequest,
  QuerySeriesResponse,
  ReplayRefusalsRequest,
  ReplayRefusalsResponse,
  SubscribeRequest,
  SubscribeResponse,
  SealBreakGlassRequest,
  SealBreakGlassResponse,
  SignInRequest,
  SignInResponse,
  SignOutRequest,
  SignOutResponse,
  UnlockPrincipalRequest,
  UnlockPrincipalResponse,
  WhoAmIRequest,
  WhoAmIResponse,
} from '../../proto/generated/types.ts'
import { type ErrorCode, errors, GatewayError } from '../../proto/errors.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import { parseAddress } from '../addresses.ts'
import { type AuthorityFiles, authorityFiles } from '../ca/paths.ts'
import { isLoopback } from '../policy/principals.ts'
import { readSettings, type Settings } from '../settings.ts'
import { settingsTable } from '../settings-table.ts'
import { keptSession } from './kept-sessions.ts'
import { type Given, type Option, UsageError } from './command.ts'

/** For every command that talks to a gateway by gRPC. */
export const connectionOptions: Readonly<Record<string, Option>> = {
  server: { value: 'HOST:PORT', about: 'The gateway; default: grpc.listen of the settings here, or 127.0.0.1:50051.' },
  ca: { value: 'FILE', about: 'PEM file of the authority of a gateway that speaks TLS.' },
  cert: { value: 'FILE', about: 'PEM file of your certificate, where the gateway asks for one.' },
  key: { value: 'FILE', about: 'PEM file of its private key.' },
  token: {
    value: 'FILE',
    about: 'File with your token; it may stand in TOCSIN_TOKEN instead. Never on the command line.',
  },
}

interface Calls {
  readonly 'EventService/ListEvents': [ListEventsRequest, ListEventsResponse]
  readonly 'EventService/GetEvent': [GetEventRequest, GetEventResponse]
  readonly 'EventService/GetFate': [GetFateRequest, GetFateResponse]
  readonly 'AdminService/GetStatus': [GetStatusRequest, GetStatusResponse]
  readonly 'AdminService/ListBookmarks': [ListBookmarksRequest, ListBookmarksResponse]
  readonly 'AdminService/ListAudit': [ListAuditRequest, ListAuditResponse]
  readonly 'AdminService/ListRefusals': [ListRefusalsRequest, ListRefusalsResponse]
  readonly 'AdminService/ListPrincipals': [ListPrincipalsRequest, ListPrincipalsResponse]
  readonly 'AdminService/PutPrincipal': [PutPrincipalRequest, PutPrincipalResponse]
  readonly 'AdminService/RemovePrincipal': [RemovePrincipalRequest, RemovePrincipalResponse]
  readonly 'AdminService/UnlockPrincipal': [UnlockPrincipalRequest, UnlockPrincipalResponse]
  readonly 'AdminService/SealBreakGlass': [SealBreakGlassRequest, SealBreakGlassResponse]
  readonly 'SignInService/SignIn': [SignInRequest, SignInResponse]
  readonly 'SignInService/SignOut': [SignOutRequest, SignOutResponse]
  readonly 'SignInService/WhoAmI': [WhoAmIRequest, WhoAmIResponse]
  readonly 'AdminService/ListWaiting': [ListWaitingRequest, ListWaitingResponse]
  readonly 'AdminService/AdmitDevice': [AdmitDeviceRequest, AdmitDeviceResponse]
  readonly 'AdminService/BlockDevice': [BlockDeviceRequest, BlockDeviceResponse]
  readonly 'TelemetryService/ListSeries': [ListSeriesRequest, ListSeriesResponse]
  readonly 'TelemetryService/QuerySeries': [QuerySeriesRequest, QuerySeriesResponse]
}

interface Streams {
  readonly 'EventService/Subscribe': [SubscribeRequest, SubscribeResponse]
  readonly 'AdminService/ReplayRefusals': [ReplayRefusalsRequest, ReplayRefusalsResponse]
}

export interface Connection {
  /** "127.0.0.1:50051". */
  readonly server: string
  /** Rejects with a GatewayError whose message says what to do. */
  call<Name extends keyof Calls>(name: Name, request: Calls[Name][0]): Promise<Calls[Name][1]>
  open<Name extends keyof Streams>(name: Name, request: Streams[Name][0]): ClientReadableStream<Streams[Name][1]>
  publish(): ClientDuplexStream<PublishRequest, PublishResponse>
  /** What a stream's error means. */
  explain(error: unknown): GatewayError
  close(): void
}

const serverDefault = settingsTable['grpc.listen'].default
/** A call that takes longer has met a gateway that is stuck, or a program that is none. */
const callTimeoutMs = 20_000

/** Whoever signs in shows no session of before. */
export function connect(given: Given, { withoutSession = false } = {}): Connection {
  const server = given.text('server') ?? serverOfSettings(given)
  checkServer(server)
  const own = ownFiles(given, server)
  const keys = own ? ownCredentials(own) : credentialsOf(given)
  const Client = makeGenericClientConstructor(Object.assign({}, ...services.map(prefixed)), 'tocsin.v1')
  const client = new Client(server, keys, {
    // A frozen gateway, or a line that is cut without a word, is noticed after 15 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.initial_reconnect_backoff_ms': 250,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // An address is no server name (RFC 6066 §3).
    ...(own && { 'grpc.ssl_target_name_override': 'localhost' }),
  })
  const metadata = new Metadata()
  const token = tokenOf(given) ?? (withoutSession ? undefined : keptSession(server)?.token)
  if (token) metadata.set('authorization', `Bearer ${token}`)
  const method = (name: string): ((...args: unknown[]) => unknown) => client[name]!.bind(client) as never

  return {
    server,
    call: (name, request) =>
      new Promise((resolve, reject) => {
        const deadline = new Date(Date.now() + callTimeoutMs)
        method(name)(request, metadata, { deadline }, (error: ServiceError | null, response: unknown) =>
          error ? reject(explain(error, server)) : resolve(response as never),
        )
      }),
    open: (name, request) => method(name)(request, metadata) as never,
    publish: () => method('EventService/Publish')(metadata) as never,
    explain: (error) => explain(error, server),
    close: () => client.close(),
  }
}

const services = ['EventService', 'AdminService', 'TelemetryService', 'SignInService'] as const

/** Methods under names that say their service. */
const prefixed = (service: (typeof services)[number]) =>
  Object.fromEntries(
    Object.entries(serviceDefinition(`tocsin.v1.${service}`)).map(([name, method]) => [`${service}/${name}`, method]),
  )

/** Whoever starts the gateway in this folder with other settings finds it without naming it again. */
function serverOfSettings(given: Given): string {
  const listen = settingsHere(given.text('settings'))?.['grpc.listen'] ?? 'off'
  if (listen === 'off') return serverDefault
  const { address, port } = parseAddress(listen, 'grpc.listen')
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function settingsHere(file = process.env['TOCSIN_SETTINGS']): Settings | undefined {
  try {
    return readSettings({ file, environment: process.env })
  } catch {
    // Settings that cannot be read are the gateway's matter; here the default is as good as any.
    return undefined
  }
}

function checkServer(server: string): void {
  const isAddress = /^(\[[0-9a-f:.]+\]|[^\s:/[\]]+):\d{1,5}$/i.test(server)
  if (!isAddress) throw new UsageError(`--server must be HOST:PORT such as 127.0.0.1:50051; it is "${server}"`)
}

function tokenOf(given: Given): string | undefined {
  const file = given.text('token')
  const text = file === undefined ? process.env['TOCSIN_TOKEN'] : readFileSync(file, 'utf8')
  return text?.trim() || undefined
}

function credentialsOf(given: Given) {
  const [ca, cert, key] = [given.text('ca'), given.text('cert'), given.text('key')]
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together')
  const read = (file: string | undefined): Buffer | null => (file === undefined ? null : readFileSync(file))
  if (ca === undefined && cert === undefined) return credentials.createInsecure()
  return credentials.createSsl(read(ca), read(key), read(cert))
}

const ownCredentials = ({ certificate, command, commandKey }: AuthorityFiles) =>
  credentials.createSsl(readFileSync(certificate), readFileSync(commandKey), readFileSync(command))

const isOnThisMachine = (server: string): boolean => isLoopback(server.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''))

/** Of a gateway on this machine with an authority of its own: what it made for commands here. */
function ownFiles(given: Given, server: string): AuthorityFiles | undefined {
  if (given.text('ca') !== undefined || given.text('cert') !== undefined || !isOnThisMachine(server)) return undefined
  const settings = settingsHere(given.text('settings'))
  if (!settings) return undefined
  const files = authorityFiles(given.text('data-dir') ?? settings.data_dir)
  if (!settings['tls.certificate'] || !settings['tls.client_ca'] || !existsSync(files.command)) return undefined
  try {
    accessSync(files.commandKey, constants.R_OK)
  } catch {
    throw new UsageError(
      `${files.commandKey} is for the user that the gateway runs as: run the command as that one, or name --ca, --cert and --key`,
    )
  }
  return files
}

function explain(error: unknown, server: string): GatewayError {
  if (error instanceof GatewayError) return error
  const { code, details, metadata } = error as ServiceError
  const stable = metadata?.get('tocsin-code')[0]
  // The gateway's own sentence says what to do already.
  if (typeof stable === 'string' && Object.hasOwn(errors, stable)) return new GatewayError(stable as ErrorCode, details)
  const text = meaning(code, details ?? String(error), server)
  return new GatewayError('peer_unreachable', text, { cause: error })
}

function meaning(code: Status, details: string, server: string): string {
  if (code === Status.UNAVAILABLE) return unavailable(details, server)
  if (code === Status.DEADLINE_EXCEEDED)
    return `${server} does not answer in ${callTimeoutMs / 1000} s; look at its log`
  if (code === Status.UNIMPLEMENTED)
    return `the gateway at ${server} does not know this call; is it of another version?`
  return `${server} answers: ${details}`
}

function unavailable(details: string, server: string): string {
  // grpc-js puts its own words around what the system said.
  const said = details.replace(/^.*Last error: /s, '').replace(/\s*(\(\d{4}-\S+Z\))?\.? *Resolution note:.*$/s, '')
  if (/ECONNREFUSED/.test(said)) {
    return `nothing listens on ${server}; start the gateway with npm start, or name it with --server HOST:PORT`
  }
  if (/ENOTFOUND|Name resolution/.test(said)) return `${server.replace(/:\d+$/, '')} is not known here; check --server`
  if (/certificate required|handshake failure/.test(said)) {
    return `${server} asks who you are: name your certificate with --cert FILE and --key FILE`
  }
  if (/certificate|self-signed|unable to (get|verify)/i.test(said)) {
    return `the certificate of ${server} is not one of the authority in --ca: ${said}`
  }
  if (/wrong version number|EPROTO|packet length/i.test(said)) return `${server} speaks no TLS; leave out --ca`
  if (/ECONNRESET|socket hang up|Protocol error|ERR_HTTP2|EPIPE|Failed to connect/i.test(said)) {
    return `${server} broke off the connection; if it speaks TLS, name its authority with --ca FILE (${said})`
  }
  return `${server} cannot be reached: ${said || 'no connection'}`
}
