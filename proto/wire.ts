// The wire: protobuf bytes ⇄ objects, and gRPC service definitions, all from one schema. Unknown fields survive: what a newer
// neighbour wrote is written again as it was. Reads only `generated/schema.json`, never a schema from outside.

import { readFileSync } from 'node:fs'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import protojson from 'protobufjs/ext/protojson.js'
import protobuf from 'protobufjs/light.js'
import type { Messages } from './generated/types.ts'

export type MessageName = keyof Messages

// protobufjs 8.6.2 and later discard unknown fields unless told otherwise.
protobuf.Reader.discardUnknown = false

const schemaJson: protobuf.INamespace = JSON.parse(
  readFileSync(new URL('./generated/schema.json', import.meta.url), 'utf8'),
)
const root = protobuf.Root.fromJSON(schemaJson).resolveAll()

setAbsentUndefined(root)

/**
 * protobufjs reads an absent message or `optional` field as null, and an `optional` one of 64 bits as zero; ours is undefined, as the
 * generated types say, so that "absent" has one form whether an event was decoded or made here.
 */
function setAbsentUndefined(namespace: protobuf.NamespaceBase): void {
  for (const child of namespace.nestedArray) {
    if (child instanceof protobuf.Type) {
      const prototype = child.ctor.prototype as Record<string, unknown>
      for (const { name, partOf } of child.fieldsArray) {
        if (prototype[name] === null || partOf?.isProto3Optional) prototype[name] = undefined
      }
    }
    if (child instanceof protobuf.Namespace) setAbsentUndefined(child)
  }
}

export interface Codec<Message> {
  /** Writes what is set; never validates (see gateway/validate.ts). */
  encode(message: Message): Uint8Array
  /** Throws on malformed bytes. Absent scalars read as their defaults through the prototype. */
  decode(bytes: Uint8Array): Message
  /** ProtoJSON: enums by name, 64-bit numbers as text, bytes as base64, times as RFC 3339, absent left out. */
  toJson(message: Message): unknown
  /** Of ProtoJSON; throws naming the field that is unknown or of another type. */
  fromJson(value: unknown): Message
  /** Plain data with only the fields that are set, enums as numbers, Long as bigint; for tests and comparisons. */
  toPlain(message: Message): Message
}

/** A message's type, for those who walk over its fields. */
export const messageType = (name: MessageName): protobuf.Type => root.lookupType(name)

/** The codec of one message; look it up once, not for each message. */
export function codec<Name extends MessageName>(name: Name): Codec<Messages[Name]> {
  const type = root.lookupType(name)
  type.setup()
  return {
    encode: (message) => type.encode(message as protobuf.Message).finish(),
    decode: (bytes) => type.decode(bytes) as unknown as Messages[Name],
    toJson: (message) => protojson.toJson(type, message as object),
    fromJson: (value) => protojson.fromJson(type, value) as unknown as Messages[Name],
    toPlain: (message) =>
      type.toObject(type.fromObject(message as object), { longs: BigInt, oneofs: true } as never) as Messages[Name],
  }
}

/**
 * What `grpc.Server.addService` and `makeGenericClientConstructor` need, from our own root, so that proto-loader and its second
 * protobufjs stay out. A Buffer given as a response is sent as it is: batches are encoded once and shared.
 */
export function serviceDefinition(name: string, from: protobuf.NamespaceBase = root): ServiceDefinition {
  const service = from.lookupService(name)
  return Object.fromEntries(service.methodsArray.map((method) => [method.name, methodDefinition(service, method)]))
}

function methodDefinition(service: protobuf.Service, method: protobuf.Method): MethodDefinition<unknown, unknown> {
  method.resolve()
  if (!method.resolvedRequestType || !method.resolvedResponseType) throw new TypeError(`${method.name} is not resolved`)
  const [request, response] = [method.resolvedRequestType, method.resolvedResponseType]
  return {
    path: `/${service.fullName.slice(1)}/${method.name}`,
    requestStream: method.requestStream ?? false,
    responseStream: method.responseStream ?? false,
    requestSerialize: (value) => serialize(request, value),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (value) => serialize(response, value),
    responseDeserialize: (bytes) => response.decode(bytes),
  }
}

function serialize(type: protobuf.Type, value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value
  const bytes = type.encode(value as protobuf.Message).finish()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
