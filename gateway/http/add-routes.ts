// Makes the table of routes answer: who asks is asked before a body is read, parameters are checked before a handler sees them, and a
// handler's answer is written. Handlers see none of that.

import { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditedCall, CallNotes } from '../audit/calls.ts'
import { isLabelled, type Reading, watchedView } from '../audit/reads.ts'
import type { Access, Principal } from '../grpc/access.ts'
import type { FanOut } from '../grpc/fan-out.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import { nothing } from '../policy/rights.ts'
import { createBodies } from './bodies.ts'
import { callerOf, refuseForeignPages } from './caller.ts'
import { readParameters } from './given.ts'
import type { Call, Reply, Route } from './route.ts'

export interface Api {
  readonly access: Access
  readonly clock: Clock
  /** Told who called what, and whether it was done. */
  readonly notes: CallNotes
  readonly routes: readonly Route[]
  /** What feeds the streams among them; started and ended with the server. */
  readonly streams: FanOut
}

/** Of all bodies that are being received; the largest is 1 MiB. */
const bodiesBytesMax = 32 << 20

export function addRoutes(server: FastifyInstance, { access, clock, notes, routes }: Omit<Api, 'streams'>): void {
  const bodies = createBodies(bodiesBytesMax)
  const principals = new WeakMap<FastifyRequest, Principal>()

  // Byte for byte, whatever it says it is: adapters read it, nobody before them.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const tell = (route: Route, request: FastifyRequest, error?: unknown, reading?: Reading): void => {
    // Pages for people hold nothing of anybody's.
    if (route.group !== '' && !route.open)
      notes.call(auditedCall(route, request, principals.get(request)), error, reading)
  }

  for (const route of routes) {
    server.route({
      method: route.method,
      url: pathOf(route),
      exposeHeadRoute: route.method === 'GET' && !route.isStream,
      ...(route.body && { bodyLimit: route.body.bytesMax }),
      async onRequest(request, reply) {
        try {
          refuseForeignPages(request.raw)
          const who = route.open ? stranger : await access.authenticate(callerOf(request.raw))
          if ('refused' in who) throw new GatewayError('not_authenticated', who.refused)
          principals.set(request, who.principal)
          if (route.body) bodies.admit(request.headers, route.body.bytesMax, reply.raw)
        } catch (error) {
          tell(route, request, error)
          throw error
        }
      },
      handler: (request, reply) => (route.isStream ? runStream(route, request, reply) : run(route, request, reply)),
    })
  }

  async function run(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const call = callOf(route, request)
      if (auditedCall(route, request, undefined).changes) notes.refuseUnwritten()
      const { view, reading } = watchedView(call.view)
      // What became of a message says nothing of what stood in it.
      const made = await route.handle(route.path.startsWith('/v1/fates') ? call : { ...call, view })
      if (isLabelled(reading)) notes.refuseUnwritten()
      tell(route, request, undefined, reading)
      return answer(reply, made)
    } catch (error) {
      tell(route, request, error)
      throw error
    }
  }

  async function runStream(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const stream = notes.stream(auditedCall(route, request, principals.get(request)))
    try {
      notes.refuseUnwritten()
      const made = await route.handle({ ...callOf(route, request), wasGiven: stream.given })
      reply.raw.once('close', () => stream.end())
      return answer(reply, made)
    } catch (error) {
      stream.end(error)
      throw error
    }
  }

  function callOf(route: Route, request: FastifyRequest): Call {
    const { raw, body, headers } = request
    const principal = principals.get(request)
    if (!principal) throw new TypeError('nobody was asked for')
    const now = clock.now()
    const url = raw.url ?? '/'
    const at = url.indexOf('?')
    const values = {
      path: pathValues(route, request.params as Readonly<Record<string, string>>),
      query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
      headers,
    }
    return {
      caller: callerOf(raw),
      principal,
      view: access.view(principal),
      given: readParameters(route, values, now),
      wasGiven: () => {},
      now,
      body: Buffer.isBuffer(body) ? body : new Uint8Array(),
      contentType: headers['content-type'] ?? '',
      accept: headers.accept ?? '',
      origin: `${raw.socket instanceof TLSSocket ? 'https' : 'http'}://${headers.host ?? ''}`,
      url,
      socket: raw.socket,
    }
  }
}

function auditedCall(route: Route, request: FastifyRequest, principal: Principal | undefined): AuditedCall {
  const { name, group, method } = route
  const { id } = request.params as Readonly<Record<string, string | undefined>>
  return {
    name,
    face: 'http',
    address: callerOf(request.raw).address,
    principal: principal?.name,
    object: id ?? askedDevice(request),
    administers: group === 'Gateway' || group === 'Refusals' || group === 'Devices',
    // Messages that are taken are in the log themselves.
    changes: method === 'POST' && !route.body,
  }
}

/** Whom it is about, where that stands in the query. */
function askedDevice({ raw }: FastifyRequest): string | undefined {
  const [, query = ''] = (raw.url ?? '').split('?', 2)
  return new URLSearchParams(query).get('device') ?? undefined
}

function answer(reply: FastifyReply, made: Reply): FastifyReply {
  if ('stream' in made) {
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...made.headers, 'content-type': made.type })) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    made.stream(reply.raw)
    return reply.hijack()
  }
  reply.code(made.status ?? 200)
  if (made.headers) reply.headers(made.headers)
  const { type, body } = 'json' in made ? { type: 'application/json', body: JSON.stringify(made.json) } : made
  // As bytes: fastify adds a charset to text, which JSON and GeoJSON do not have (RFC 8259 §11, RFC 7946 §12).
  return reply.header('content-type', type).send(typeof body === 'string' ? Buffer.from(body) : asBuffer(body))
}

/** Who asks an open route is nobody yet. */
const stranger = {
  principal: { name: 'http:anonymous', authenticity: 'unverified', rights: nothing },
} as const

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** As fastify writes it: "/v1/events/:id", "/v1/ingest/:adapter/*"; a suffix is a part of the parameter there. */
const pathOf = ({ path, parameters }: Route): string =>
  path.replaceAll(/\{(\w+)\}[^/]*/g, (_, name: string) => (parameters[name]?.rest ? '*' : `:${name}`))

function pathValues(
  { path, parameters }: Route,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const [, name = '', suffix = ''] of path.matchAll(/\{(\w+)\}([^/]*)/g)) {
    const value = given[parameters[name]?.rest ? '*' : name] ?? ''
    if (!value.endsWith(suffix)) throw new GatewayError('not_found', `No such path is here; it ends with ${suffix}.`)
    values[name] = value.slice(0, value.length - suffix.length)
  }
  return values
}

export type KnownPath = Pick<Route, 'method' | 'path' | 'parameters' | 'isStream'>

/** The methods that there are on the path of a request; empty: no such path. */
export function methodsOn(routes: readonly KnownPath[], path: string): string[] {
  const levels = path.split('/')
  const found = routes.filter((route) => isOn(route, levels))
  const methods = found.map(({ method }) => method)
  const hasHead = found.some(({ method, isStream }) => method === 'GET' && !isStream)
  return hasHead ? [...new Set(methods), 'HEAD'] : [...new Set(methods)]
}

function isOn({ path, parameters }: KnownPath, levels: readonly string[]): boolean {
  const own = path.split('/')
  const isRest = Object.values(parameters).some(({ rest }) => rest)
  if (isRest ? levels.length < own.length : levels.length !== own.length) return false
  return own.every((level, at) => level.startsWith('{') || level === levels[at])
}
