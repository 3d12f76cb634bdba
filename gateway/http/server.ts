// The HTTP face: health, readiness and metrics, for supervisors and Prometheus, and the API of routes.ts. It tells nobody more than
// they need, and no connection, however slow, holds it up.

import type { IncomingMessage } from 'node:http'
import type { Server as TlsServer } from 'node:tls'
import { fastify, type FastifyInstance } from 'fastify'
import { errors, GatewayError } from '../../proto/errors.ts'
import type { Access } from '../grpc/access.ts'
import type { ServerKeys } from '../grpc/credentials.ts'
import { watchHandshakes } from '../audit/handshakes.ts'
import type { Logger } from '../logger.ts'
import { isLoopback } from '../policy/principals.ts'
import { boundConnections } from '../connections.ts'
import { addAccessLog } from './access-log.ts'
import { addRoutes, type Api, type KnownPath, methodsOn } from './add-routes.ts'
import { tooLarge } from './bodies.ts'
import { callerOf } from './caller.ts'
import { gatewayFamilies, type MetricsParts, refusedConnections } from './families.ts'
import { createMetrics, type Family } from './metrics.ts'

export interface HttpServerParts {
  /** Port 0 takes a free one; see `HttpServer.port`. */
  readonly address: { readonly host: string; readonly port: number }
  readonly logger: Logger
  /** What keeps the gateway from taking messages; empty: it is ready. */
  notReady(): readonly NotReady[]
  readonly metrics: MetricsParts
  /** Present: it speaks TLS. */
  readonly keys?: ServerKeys
  /** Absent: only health, readiness and metrics. */
  readonly api?: Api
}

export interface NotReady {
  /** Such as "log", "disk", "mqtt.listen". */
  readonly part: string
  /** For people: what is wrong, and what to do. */
  readonly why: string
}

export interface HttpServer {
  /** Resolves when it listens; rejects with port_taken. */
  start(): Promise<void>
  /** The port it listens on; 0 before the start. */
  readonly port: number
  /** New keys for new connections; those that are open stay. */
  renewKeys(keys: ServerKeys): void
  close(): Promise<void>
}

/** A client that takes longer to say what it wants is cut (slowloris). */
const headersTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** How often Node looks for those that are late; its own 30 s would make the limits above mean nothing. */
const timeoutCheckMs = 1_000
const keepAliveTimeoutMs = 60_000
/** Supervisors, Prometheus, webhooks and a person or two, and as many streams as there may be; of one address half, slow as they may be. */
const connectionBounds = { inAll: 384, perAddress: 192 }
/** Only an ingest takes a body, and says how long it may be. */
const bodyBytesMax = 1_024
/** An MQTT topic is not longer. */
const pathParameterCharsMax = 1_024
const headerBytesMax = 8_192
/** How long answers may take to leave when the gateway stops. */
const closeMsMax = 1_000

export function createHttpServer(parts: HttpServerParts): HttpServer {
  const own = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    maxHeaderSize: headerBytesMax,
  }
  const server: FastifyInstance = fastify({
    ...(parts.keys ? { https: { ...own, ...tlsOf(parts.keys) } } : { http: own }),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    bodyLimit: bodyBytesMax,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: pathParameterCharsMax },
  })
  const connections = boundConnections(server.server, connectionBounds)
  addHeaders(server)
  const requests = addAccessLog(server, parts.logger)
  const paths = addPaths(server, parts, [requests, refusedConnections('http', () => connections)])
  if (parts.api) {
    addRoutes(server, parts.api)
    if (parts.keys) watchHandshakes(server.server, 'http', parts.api.notes.handshake)
  }
  addRefusals(server, [...paths, ...(parts.api?.routes ?? [])], parts.logger)
  let port = 0

  return {
    async start() {
      port = await listen(server, parts.address)
      parts.api?.streams.start()
    },
    get port() {
      return port
    },
    renewKeys(keys) {
      if (isSecure(server.server)) server.server.setSecureContext(tlsOf(keys))
    },
    async close() {
      parts.api?.streams.close()
      const late = setTimeout(() => server.server.closeAllConnections(), closeMsMax)
      await server.close().finally(() => clearTimeout(late))
    },
  }
}

const isSecure = (server: object): server is TlsServer => 'setSecureContext' in server

// TLS 1.2 is the least that partners of this field may use (CJIS Security Policy 5.10.1.2).
const tlsOf = ({ certificate, key, clientAuthorities, clientCertificateRequired = false }: ServerKeys) => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.2' as const,
  handshakeTimeout: headersTimeoutMs,
  requestCert: clientAuthorities !== undefined,
  rejectUnauthorized: clientCertificateRequired,
  ...(clientAuthorities !== undefined && { ca: clientAuthorities }),
})

/** Answers with the paths there are. Whether it lives is for anybody; what is the matter, and figures, are for who may know its state. */
function addPaths(
  server: FastifyInstance,
  { notReady, metrics: metricsParts, api }: HttpServerParts,
  own: readonly Family[],
): readonly KnownPath[] {
  const mayKnow = async (raw: IncomingMessage): Promise<boolean> => !api || isKnown(api.access, raw)
  const metrics = createMetrics([...gatewayFamilies(metricsParts), ...own])
  const { version } = metricsParts

  server.get('/healthz', () => ({ alive: true, version }))
  server.get('/readyz', async ({ raw }, reply) => {
    const reasons = notReady()
    const told = (await mayKnow(raw)) ? { reasons } : {}
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, ...told })
  })
  server.get('/metrics', async ({ raw }, reply) => {
    if (!(await mayKnow(raw))) {
      const text =
        'Figures are for who may know the state of the gateway: send the token of a principal with the role operator.'
      throw new GatewayError('not_authenticated', text)
    }
    return reply.type(metrics.contentType).send(await metrics.text())
  })
  return ['/healthz', '/readyz', '/metrics'].map((path) => ({ method: 'GET', path, parameters: {} }))
}

/** On this machine, through a proxy too, whoever asks. */
async function isKnown(access: Access, raw: IncomingMessage): Promise<boolean> {
  if (isLoopback(raw.socket.remoteAddress ?? '') && raw.headers.authorization === undefined) return true
  const who = await access.authenticate(callerOf(raw))
  return 'principal' in who && access.may(who.principal, 'GetStatus')
}

function addHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })
}

function addRefusals(server: FastifyInstance, known: readonly KnownPath[], logger: Logger): void {
  const paths = [...new Set(known.map(({ path }) => path))]
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const methods = methodsOn(known, path)
    if (methods.length > 0) {
      const allowed = methods.join(', ')
      const message = `This path takes ${allowed}.`
      return reply.code(405).header('allow', allowed).send({ error: 'invalid_argument', message })
    }
    return reply.code(404).send({ error: 'not_found', message: 'No such path is here; see "paths".', paths })
  })
  server.setErrorHandler((error, request, reply) => {
    const told = toldError(error, request.routeOptions.bodyLimit)
    if (told) {
      const { http } = errors[told.code]
      if (http === 503 || http === 507) reply.header('retry-after', retryAfterS)
      // A body that was not read would be taken for the next request.
      if (!request.raw.complete) reply.header('connection', 'close')
      return reply.code(http).send({ error: told.code, message: told.message })
    }
    const status = statusOf(error)
    if (status < 500) {
      return reply.code(status).send({ error: 'invalid_argument', message: 'The request cannot be understood.' })
    }
    logger.error({ path: request.routeOptions.url, error }, 'an HTTP request failed inside the gateway')
    return reply.code(500).send({ error: 'internal', message: 'The gateway failed on this request. Its log says why.' })
  })
}

/** When what was not taken may be sent again. */
const retryAfterS = 5

function toldError(error: unknown, bytesMax: number): GatewayError | undefined {
  if (error instanceof GatewayError) return error
  const status = statusOf(error)
  if (status === 413) return tooLarge(bytesMax)
  if (status === 415) return new GatewayError('unsupported_media_type', 'Content-Type is none: say what the body is.')
  return undefined
}

/** fastify's own errors (body too large, bad URL …) say their status. */
const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500

async function listen(server: FastifyInstance, { host, port }: HttpServerParts['address']): Promise<number> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    const why = taken
      ? 'another program listens there; stop it, or'
      : `${cause instanceof Error ? cause.message : cause};`
    const text = `HTTP cannot listen on ${host}:${port}: ${why} set another address in http.listen`
    throw new GatewayError('port_taken', text, { cause })
  }
  const address = server.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
