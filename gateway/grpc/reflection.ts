// gRPC reflection, v1 and v1alpha: the original .proto files with their dependencies, so that `grpcurl`, `buf curl` and any
// language work with no file from us. It only tells; nothing is ever loaded from a caller.

import { readFileSync } from 'node:fs'
import { status as Status } from '@grpc/grpc-js'
import protobuf from 'protobufjs/light.js'
import descriptor from 'protobufjs/ext/descriptor.js'
import { serviceDefinition } from '../../proto/wire.ts'
import { healthFile, reflectionFiles, rootJson, type PublicFile } from './public-services.ts'
import type { DuplexCall, Registrar } from './registrar.ts'

/** As protobufjs reads a ServerReflectionRequest. */
interface ReflectionRequest {
  readonly host?: string
  readonly messageRequest?:
    'fileByFilename' | 'fileContainingSymbol' | 'fileContainingExtension' | 'allExtensionNumbersOfType' | 'listServices'
  readonly fileByFilename?: string
  readonly fileContainingSymbol?: string
  readonly fileContainingExtension?: { readonly containingType?: string; readonly extensionNumber?: number }
  readonly allExtensionNumbersOfType?: string
}

/** Questions of one stream; a client asks a few dozen at most. */
const questionsMax = 10_000

export function addReflectionService(registrar: Registrar): void {
  const catalogue = readCatalogue()
  for (const file of reflectionFiles) {
    const service = serviceDefinition(`${file.package}.ServerReflection`, rootOf(file))
    registrar.duplex<ReflectionRequest>([service, 'ServerReflectionInfo'], (call) => answerAll(call, catalogue))
  }
}

function answerAll(call: DuplexCall<ReflectionRequest>, catalogue: Catalogue): void {
  let questions = 0
  call.on('data', (request: ReflectionRequest | undefined) => {
    questions += 1
    if (questions > questionsMax) return call.end()
    const hasRoom = call.write({
      validHost: request?.host ?? '',
      originalRequest: request ?? {},
      ...answer(request ?? {}, catalogue),
    })
    if (hasRoom) return
    call.pause()
    call.once('drain', () => call.resume())
  })
  call.on('end', () => call.end())
}

function answer(request: ReflectionRequest, { files, symbols, extensions }: Catalogue): object {
  switch (request.messageRequest) {
    case 'listServices':
      return { listServicesResponse: { service: servedServices.map((name) => ({ name })) } }
    case 'fileByFilename':
      return fileAnswer(files, request.fileByFilename)
    case 'fileContainingSymbol':
      return fileAnswer(files, symbols.get(request.fileContainingSymbol ?? ''))
    case 'fileContainingExtension': {
      const { containingType = '', extensionNumber = 0 } = request.fileContainingExtension ?? {}
      return fileAnswer(files, extensions.get(containingType)?.get(extensionNumber))
    }
    case 'allExtensionNumbersOfType': {
      const baseTypeName = request.allExtensionNumbersOfType ?? ''
      const extensionNumber = [...(extensions.get(baseTypeName)?.keys() ?? [])]
      if (!symbols.has(baseTypeName)) return notFound
      return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } }
    }
    default:
      return {
        errorResponse: { errorCode: Status.INVALID_ARGUMENT, errorMessage: 'The request asks for nothing known.' },
      }
  }
}

const notFound = {
  errorResponse: {
    errorCode: Status.NOT_FOUND,
    errorMessage: 'No such file or symbol is here; list_services names what is.',
  },
}

/** The file first, then all that it needs. */
function fileAnswer(files: Catalogue['files'], name: string | undefined): object {
  if (name === undefined || !files.has(name)) return notFound
  const needed = new Set([name])
  for (const next of needed) for (const dependency of files.get(next)?.dependencies ?? []) needed.add(dependency)
  return {
    fileDescriptorResponse: { fileDescriptorProto: [...needed].flatMap((file) => files.get(file)?.bytes ?? []) },
  }
}

interface Catalogue {
  readonly files: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly dependencies: readonly string[] }>
  /** The file of each message, enum, service, method and field, by full name. */
  readonly symbols: ReadonlyMap<string, string>
  /** Type, then number, to the file that has the extension. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, string>>
}

/** What is registered; the schema has more services than this gateway serves. */
const servedServices: readonly string[] = [
  'tocsin.v1.EventService',
  'tocsin.v1.AdminService',
  'tocsin.v1.TelemetryService',
  'tocsin.v1.SignInService',
  'grpc.health.v1.Health',
  ...reflectionFiles.map((file) => `${file.package}.ServerReflection`),
]

function readCatalogue(): Catalogue {
  const set = readFileSync(new URL('../../proto/generated/descriptors.binpb', import.meta.url))
  const bytesOfFiles = [...filesOf(set), ...[healthFile, ...reflectionFiles].map(describe)]
  const files = new Map<string, { bytes: Uint8Array; dependencies: readonly string[] }>()
  const symbols = new Map<string, string>()
  const extensions = new Map<string, Map<number, string>>()
  for (const bytes of bytesOfFiles) {
    const file = descriptor.FileDescriptorProto.decode(bytes) as unknown as FileDescriptor
    files.set(file.name, { bytes, dependencies: file.dependency ?? [] })
    for (const symbol of symbolsOf(file)) symbols.set(symbol, file.name)
    for (const { extendee = '', number = 0 } of file.extension ?? []) {
      const type = extendee.replace(/^\./, '')
      extensions.set(type, (extensions.get(type) ?? new Map<number, string>()).set(number, file.name))
    }
  }
  return { files, symbols, extensions }
}

/** FileDescriptorSet is `repeated FileDescriptorProto file = 1`; each is handed on as it is. */
function filesOf(set: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(set)
  const files: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) files.push(reader.bytes())
    else reader.skipType(tag & 7)
  }
  return files
}

function rootOf(file: PublicFile): protobuf.Root {
  const root = protobuf.Root.fromJSON(rootJson(file))
  root.resolveAll()
  return root
}

function describe(file: PublicFile): Uint8Array {
  const set = rootOf(file).toDescriptor('proto3') as unknown as { file: { name: string; package?: string }[] }
  const described = set.file.find((candidate) => candidate.package === file.package)
  if (!described) throw new TypeError(`${file.name} is not described`)
  described.name = file.name
  return descriptor.FileDescriptorProto.encode(described).finish()
}

/** As much of a FileDescriptorProto as is looked at. */
interface FileDescriptor {
  readonly name: string
  readonly package?: string
  readonly dependency?: readonly string[]
  readonly messageType?: readonly MessageDescriptor[]
  readonly enumType?: readonly Named[]
  readonly service?: readonly (Named & { readonly method?: readonly Named[] })[]
  readonly extension?: readonly (Named & { readonly extendee?: string; readonly number?: number })[]
}

interface Named {
  readonly name: string
}

interface MessageDescriptor extends Named {
  readonly nestedType?: readonly MessageDescriptor[]
  readonly enumType?: readonly Named[]
  readonly field?: readonly Named[]
}

function* symbolsOf(file: FileDescriptor): Generator<string> {
  const within = (name: string): string => (file.package ? `${file.package}.${name}` : name)
  for (const message of file.messageType ?? []) yield* symbolsOfMessage(message, within(message.name))
  for (const { name } of [...(file.enumType ?? []), ...(file.extension ?? [])]) yield within(name)
  for (const { name, method = [] } of file.service ?? []) {
    yield within(name)
    for (const { name: methodName } of method) yield `${within(name)}.${methodName}`
  }
}

function* symbolsOfMessage(message: MessageDescriptor, fullName: string): Generator<string> {
  yield fullName
  for (const { name } of [...(message.enumType ?? []), ...(message.field ?? [])]) yield `${fullName}.${name}`
  for (const nested of message.nestedType ?? []) yield* symbolsOfMessage(nested, `${fullName}.${nested.name}`)
}
