// How a method becomes a gRPC handler: the caller is authenticated, a request that is no protobuf is answered as such, errors
// become statuses with a stable code, and each call is counted. Handlers see none of that.

import { Metadata, status as Status } from '@grpc/grpc-js'
import type {
  MethodDefinition,
  sendUnaryData,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  StatusObject,
  UntypedHandleCall,
} from '@grpc/grpc-js'
import { errors, GatewayError } from '../../proto/errors.ts'
import type { AuditedCall, CallNotes, OpenStream } from '../audit/calls.ts'
import { isLabelled, type Reading, watchedView } from '../audit/reads.ts'
import { askedBy, isChange } from '../audit/requests.ts'
import type { Logger } from '../logger.ts'
import { callerOf, type Access, type Caller, type Principal, type View } from './access.ts'

export interface Context {
  readonly caller: Caller
  readonly principal: Principal
  readonly view: View
  /** For streams: to be told what of each batch carries labels beyond OPS. Other calls are watched by their view. */
  given(reading: Reading): void
}

/** A response may be a Buffer: it is sent as it is. */
export type WritableCall<Request> = ServerWritableStream<Request, unknown>
export type DuplexCall<Request> = ServerDuplexStream<Request | undefined, unknown>

/** What is common to the calls of all streams. */
interface StreamCall extends Pick<
  ServerUnaryCall<unknown, unknown>,
  'cancelled' | 'getPeer' | 'getAuthContext' | 'metadata'
> {
  getPath(): string
  emit(event: 'error', status: object): boolean
  on(event: 'finish' | 'cancelled', listener: () => void): unknown
  readonly request?: unknown
}

export interface Registrar {
  unary<Request>(method: MethodPath, handle: (request: Request, context: Context) => unknown): void
  /** Open to callers that nobody vouches for. */
  openUnary<Request>(method: MethodPath, handle: (request: Request, caller: Caller) => unknown): void
  /** The handler ends the call, by `call.end()` or `fail`. */
  serverStream<Request>(method: MethodPath, handle: (call: WritableCall<Request>, context: Context) => void): void
  /** A request that is no protobuf is read as undefined. */
  duplex<Request>(method: MethodPath, handle: (call: DuplexCall<Request>, context: Context) => void): void
  /** Ends a stream with the status of an error. */
  fail(call: StreamCall, error: unknown): void
  readonly calls: ReadonlyMap<string, ReadonlyMap<number, number>>
}

/** The method of a service definition, such as [definition, 'Subscribe']. */
export type MethodPath = readonly [definition: ServiceDefinition, method: string]

export interface RegistrarParts {
  readonly server: Server
  readonly access: Access
  readonly logger: Logger
  /** Told who called what, and whether it was done. */
  readonly notes: CallNotes
}

type UnaryCall<Request> = ServerUnaryCall<Request, unknown>
type AnyCall = UnaryCall<never> | StreamCall

export function createRegistrar({ server, access, logger, notes }: RegistrarParts): Registrar {
  const calls = new Map<string, Map<number, number>>()
  const settled = new WeakSet<object>()
  /** Of streams that were let in: what the audit is told when they end. */
  const ends = new WeakMap<object, OpenStream>()

  function register([definition, name]: MethodPath, type: string, handle: UntypedHandleCall): void {
    const method = definition[name] as MethodDefinition<unknown, unknown> | undefined
    if (!method) throw new TypeError(`no method ${name}`)
    const deserialize = (bytes: Buffer): unknown => parseRequest(method, bytes)
    server.register(method.path, handle as never, method.responseSerialize, deserialize, type)
  }

  /** Calls `next` at once when nothing has to be waited for: a promise for each call is time for each call. */
  function admit(call: AnyCall, refuse: (error: unknown) => void, next: (context: Context) => void): void {
    const caller = callerOf(call)
    const proceed = (answer: Awaited<ReturnType<Access['authenticate']>>): void => {
      if ('refused' in answer) return refuse(new GatewayError('not_authenticated', answer.refused))
      const { principal } = answer
      if (call.cancelled) return
      next({ caller, principal, view: access.view(principal), given: () => {} })
    }
    try {
      const answer = access.authenticate(caller)
      if (answer instanceof Promise) answer.then(proceed).catch(refuse)
      else proceed(answer)
    } catch (error) {
      refuse(error)
    }
  }

  function count(path: string, code: number): void {
    let codes = calls.get(path)
    if (!codes) calls.set(path, (codes = new Map()))
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }

  function statusOf(path: string, error: unknown): Partial<StatusObject> {
    const status = toStatus(error)
    if (status.code === Status.INTERNAL) logger.error({ path, error }, 'a gRPC call failed inside the gateway')
    return status
  }

  function failCall(call: StreamCall, error: unknown): void {
    const status = statusOf(call.getPath(), error)
    const end = ends.get(call)
    if (end) end.end(error)
    else notes.call(auditedCall(call), error)
    settle(call, status.code ?? Status.UNKNOWN)
    call.emit('error', status)
  }

  function settle(call: StreamCall, code: number): void {
    if (settled.has(call)) return
    settled.add(call)
    count(call.getPath(), code)
  }

  function registerStream(
    method: MethodPath,
    type: 'serverStream' | 'bidi',
    handle: (call: never, context: Context) => void,
  ): void {
    const run = (call: StreamCall): void => {
      const refuse = (error: unknown): void => failCall(call, error)
      call.on('finish', () => {
        settle(call, Status.OK)
        ends.get(call)?.end()
      })
      call.on('cancelled', () => {
        settle(call, Status.CANCELLED)
        ends.get(call)?.end()
      })
      admit(call, refuse, (context) => {
        const stream = notes.stream(auditedCall(call, context))
        ends.set(call, stream)
        try {
          if (call.request === malformed) throw malformedRequest()
          // Who gives events is not kept from it.
          if (type === 'serverStream') notes.refuseUnwritten()
          handle(call as never, { ...context, given: stream.given })
        } catch (error) {
          refuse(error)
        }
      })
    }
    register(method, type, run as never)
  }

  function registerUnary<Request>(method: MethodPath, handle: (call: UnaryCall<Request>) => Promise<unknown>): void {
    const run = async (call: UnaryCall<Request>, callback: sendUnaryData<unknown>): Promise<void> => {
      const path = call.getPath()
      try {
        if (call.request === malformed) throw malformedRequest()
        const response = await handle(call)
        count(path, Status.OK)
        callback(null, response)
      } catch (error) {
        const status = statusOf(path, error)
        count(path, status.code ?? Status.UNKNOWN)
        callback(status)
      }
    }
    register(method, 'unary', run as never)
  }

  return {
    unary: (method, handle) =>
      registerUnary<never>(method, async (call) => {
        let context: Context | undefined
        try {
          context = await new Promise<Context>((resolve, reject) => admit(call, reject, resolve))
          if (auditedCall(call).changes) notes.refuseUnwritten()
          const { view, reading } = watchedView(context.view)
          const isContent = !call.getPath().endsWith('/GetFate')
          const response = await handle(call.request, isContent ? { ...context, view } : context)
          if (isLabelled(reading)) notes.refuseUnwritten()
          notes.call(auditedCall(call, context), undefined, reading)
          return response
        } catch (error) {
          notes.call(auditedCall(call, context), error)
          throw error
        }
      }),
    openUnary: (method, handle) => registerUnary<never>(method, async (call) => handle(call.request, callerOf(call))),
    serverStream: (method, handle) => registerStream(method, 'serverStream', handle),
    duplex: (method, handle) => registerStream(method, 'bidi', handle),
    fail: failCall,
    calls,
  }
}

function auditedCall(call: AnyCall, context?: Context): AuditedCall {
  const [, service = '', name = ''] = call.getPath().split('/')
  return {
    name,
    face: 'grpc',
    address: call.getPeer(),
    principal: context?.principal.name,
    ...askedBy(name, call.request),
    administers: service.endsWith('.AdminService'),
    changes: isChange(name),
  }
}

const malformed = Symbol('malformed request')
const malformedRequest = (): GatewayError =>
  new GatewayError(
    'invalid_argument',
    'The request is not what the .proto files say: generate the client from them again.',
  )

function parseRequest(method: MethodDefinition<unknown, unknown>, bytes: Buffer): unknown {
  try {
    return method.requestDeserialize(bytes)
  } catch {
    return method.requestStream ? undefined : malformed
  }
}

/** What a client sees: the status of the table, the message, and the stable code as the trailer `tocsin-code`. */
export function toStatus(error: unknown): Partial<StatusObject> {
  const metadata = new Metadata()
  if (error instanceof GatewayError) {
    metadata.set('tocsin-code', error.code)
    return { code: errors[error.code].grpc, details: error.message, metadata }
  }
  metadata.set('tocsin-code', 'internal')
  return { code: Status.INTERNAL, details: 'The gateway failed on this call. Its log says why; try again.', metadata }
}
