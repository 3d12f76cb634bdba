// Writes what is generated from tocsin/v1/*.proto: types.ts (true unions for oneofs), encode.ts (bytes of an event, for
// the hot path), schema.json (read by wire.ts at start) and descriptors.binpb (served by gRPC reflection). Run with `npm run generate`; a test fails when it was forgotten.

import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { encoderSource } from './encoder-source.ts'

const home = dirname(fileURLToPath(import.meta.url))
const generatedHome = join(home, 'generated')

const scalarTypes: Record<string, string> = {
  double: 'number',
  float: 'number',
  int32: 'number',
  uint32: 'number',
  sint32: 'number',
  fixed32: 'number',
  sfixed32: 'number',
  int64: 'Int64',
  uint64: 'Int64',
  sint64: 'Int64',
  fixed64: 'Int64',
  sfixed64: 'Int64',
  bool: 'boolean',
  string: 'string',
  bytes: 'Uint8Array',
}

/** Every generated file by name, so that a test can compare without writing. */
export function generate(): ReadonlyMap<string, Uint8Array> {
  const root = loadRoot()
  return new Map([
    ['types.ts', Buffer.from(typesSource(root))],
    ['encode.ts', Buffer.from(encoderSource(root))],
    ['schema.json', Buffer.from(schemaSource(root))],
    ['descriptors.binpb', descriptorSet()],
  ])
}

function loadRoot(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : join(home, target))
  const files = globSync('tocsin/v1/*.proto', { cwd: home }).toSorted()
  // protobufjs carries Timestamp, Duration and Empty itself; descriptor.proto is only needed to parse our one extension.
  protobuf.common('descriptor', readBundled('google/protobuf/descriptor.json'))
  root.loadSync(files, { alternateCommentMode: true, preferTrailingComment: false })
  root.resolveAll()
  return root
}

function readBundled(path: string): { [name: string]: object } {
  const file = createRequire(import.meta.url).resolve(`protobufjs/${path}`)
  const bundled = JSON.parse(readFileSync(file, 'utf8')) as protobuf.INamespace
  const google = bundled.nested?.['google'] as protobuf.INamespace
  const package_ = google.nested?.['protobuf'] as protobuf.INamespace
  return package_.nested as { [name: string]: object }
}

function schemaSource(root: protobuf.Root): string {
  const json = root.toJSON({ keepComments: false })
  const google = (json.nested?.['google'] as protobuf.INamespace | undefined)?.nested?.['protobuf'] as
    protobuf.INamespace | undefined
  for (const name of Object.keys(google?.nested ?? {})) {
    if (!['Timestamp', 'Duration', 'Empty'].includes(name)) delete google?.nested?.[name]
  }
  // The extension is of use to those who read the .proto files; here `handlingOf` says the same.
  const tocsin = (json.nested?.['tocsin'] as protobuf.INamespace | undefined)?.nested?.['v1'] as
    protobuf.INamespace | undefined
  delete tocsin?.nested?.['handling']
  return `${JSON.stringify(json, null, 1)}\n`
}

function descriptorSet(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-generate-'))
  try {
    const file = join(folder, 'descriptors.binpb')
    execFileSync('buf', ['build', home, '--as-file-descriptor-set', '-o', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function typesSource(root: protobuf.Root): string {
  const messages: protobuf.Type[] = []
  const blocks: string[] = []
  const labelled: string[] = []
  visit(root, (object) => {
    if (!object.fullName.startsWith('.tocsin.') && !isWellKnown(object)) return
    if (object instanceof protobuf.Enum) blocks.push(enumBlock(object))
    if (object instanceof protobuf.Type) {
      messages.push(object)
      blocks.push(messageBlock(object))
      labelled.push(...labelledFields(object))
    }
  })
  const table = messages.map((type) => `  '${type.fullName.slice(1)}': ${type.name}\n`).join('')
  return [
    '// Generated from tocsin/v1/*.proto by generate.ts. Do not edit: change the .proto and run `npm run generate`.\n',
    "import type { Int64 } from '../int64.ts'\n",
    ...blocks,
    `/** Every message by its full name, so that wire.ts can be typed. */\nexport interface Messages {\n${table}}\n`,
    `/** The label of every field that has one (the field option \`handling\`), by full field name. */\nexport const handlingOf = {\n${labelled.join('')}} as const satisfies { readonly [field: string]: Label }\n`,
  ].join('\n')
}

const isWellKnown = (object: protobuf.ReflectionObject): boolean =>
  ['.google.protobuf.Timestamp', '.google.protobuf.Duration', '.google.protobuf.Empty'].includes(object.fullName)

function visit(object: protobuf.ReflectionObject, see: (object: protobuf.ReflectionObject) => void): void {
  see(object)
  if (object instanceof protobuf.Namespace) for (const child of object.nestedArray) visit(child, see)
}

/** `Severity.EXTREME` is a number at run time, as on the wire; the common prefix of the values is left out. */
function enumBlock(object: protobuf.Enum): string {
  const prefix = `${object.name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`
  const lines = Object.entries(object.values).map(([name, value]) => {
    const comment = object.comments[name]
    return `${doc(comment, '  ')}  ${name.startsWith(prefix) ? name.slice(prefix.length) : name}: ${value},\n`
  })
  return (
    `${doc(object.comment, '')}export const ${object.name} = {\n${lines.join('')}} as const\n` +
    `export type ${object.name} = (typeof ${object.name})[keyof typeof ${object.name}]\n`
  )
}

function messageBlock(type: protobuf.Type): string {
  const choices = type.oneofsArray.filter((oneof) => !isOptionalMarker(oneof))
  const chosen = new Set(choices.flatMap((oneof) => oneof.fieldsArray))
  const plain = type.fieldsArray.filter((field) => !chosen.has(field)).map((field) => fieldLine(field))
  const unions = choices.map((oneof) => {
    const variants = oneof.fieldsArray.map(
      (field) => `{ ${oneof.name}: '${field.name}'; ${field.name}: ${tsType(field)} }`,
    )
    return ` & (\n  | { ${oneof.name}?: undefined }\n  | ${variants.join('\n  | ')}\n)`
  })
  return `${doc(type.comment, '')}export type ${type.name} = {\n${plain.join('')}}${unions.join('')}\n`
}

/** Every field may be absent: proto3 leaves out what has its default, and drafts leave out what they do not know. */
const fieldLine = (field: protobuf.Field): string => `${doc(field.comment, '  ')}  ${field.name}?: ${tsType(field)}\n`

/** proto3 `optional` is stored as a oneof with one member, whose name starts with "_". */
const isOptionalMarker = (oneof: protobuf.OneOf): boolean => oneof.name.startsWith('_')

function tsType(field: protobuf.Field): string {
  const single = scalarTypes[field.type] ?? field.resolvedType?.name ?? field.type
  if (field instanceof protobuf.MapField) return `{ [key: string]: ${single} }`
  return field.repeated ? `${single}[]` : single
}

function labelledFields(type: protobuf.Type): string[] {
  return type.fieldsArray.flatMap((field) => {
    const label: unknown = field.options?.['(handling)'] ?? field.options?.['(tocsin.v1.handling)']
    if (typeof label !== 'string') return []
    return [`  '${field.fullName.slice(1)}': Label.${label.replace(/^LABEL_/, '')},\n`]
  })
}

function doc(comment: string | null | undefined, indent: string): string {
  return comment ? `${indent}/** ${comment.replaceAll('*/', '* /').replaceAll('\n', ' ')} */\n` : ''
}

if (import.meta.main) {
  for (const [name, content] of generate()) writeFileSync(join(generatedHome, name), content)
}
