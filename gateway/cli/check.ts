// `tocsin check --mapping FILE --sample FILE`: reads one message with a mapping and shows what becomes of it, without a gateway.
// Exit code 0: events; 1: the sample is refused or nothing of it is mapped; 2: a file or the mapping itself is wrong.

import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import type { Decoded, Decoder, Frame } from '../../adapters/adapter.ts'
import { json } from '../../adapters/json/codec.ts'
import { faultsOf, jsonOptions } from '../../adapters/json/mapping.ts'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { Aggregation, MessageStatus, Quality } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'

export interface CheckOptions {
  readonly mapping: string
  readonly sample: string
  /** As the device would publish it; the default is what a device without a topic of its own uses. */
  readonly topic?: string | undefined
  readonly contentType?: string | undefined
}

export interface Output {
  write(text: string): unknown
}

export const topicDefault = 'tocsin/in/json/sample'

export type CheckExit = 0 | 1 | 2

export function check(options: CheckOptions, out: Output, err: Output, receivedAt: bigint): CheckExit {
  const mapping = readMapping(options.mapping)
  if ('faults' in mapping) {
    for (const fault of mapping.faults) err.write(`${options.mapping}: ${fault}\n`)
    return 2
  }
  const bytes = readFile(options.sample)
  if (typeof bytes === 'string') {
    err.write(`${options.sample}: ${bytes}\n`)
    return 2
  }
  const channel = options.topic ?? topicDefault
  const frame: Frame = { bytes, receivedAt, channel, ...(options.contentType && { contentType: options.contentType }) }
  const decoded = mapping.decoder.decode(frame)
  if (decoded.outcome !== 'events') {
    err.write(`${options.sample}: ${decoded.outcome}: ${decoded.why}\n${hint(decoded, options)}`)
    return 1
  }
  for (const event of decoded.events) out.write(eventText(event))
  for (const warning of decoded.warnings ?? []) out.write(`warning: ${warning}\n`)
  const unmapped = unmappedPaths(mapping.decoder, frame, decoded)
  if (unmapped.length > 0) out.write(`not mapped: ${unmapped.join(', ')}\n`)
  out.write(decoded.events.length === 1 ? '1 event\n' : `${decoded.events.length} events\n`)
  return 0
}

/** A file of YAML: `mappings: […]`, a list of mappings, or one mapping alone. */
function readMapping(file: string): { decoder: Decoder } | { faults: readonly string[] } {
  const bytes = readFile(file)
  if (typeof bytes === 'string') return { faults: [bytes] }
  const document = parseDocument(Buffer.from(bytes).toString('utf8'))
  if (document.errors.length > 0)
    return { faults: document.errors.map(({ message }) => message.split('\n')[0] ?? message) }
  const content: unknown = document.toJS()
  const options = jsonOptions.safeParse(asOptions(content))
  if (!options.success) return { faults: faultsOf(options.error) }
  return { decoder: json.decoder!(options.data) }
}

function asOptions(content: unknown): unknown {
  if (Array.isArray(content)) return { mappings: content }
  if (typeof content === 'object' && content !== null && !('mappings' in content)) return { mappings: [content] }
  return content
}

/** The bytes, or why there are none. */
function readFile(file: string): Uint8Array | string {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`
  }
}

/** What to do about it. */
function hint(decoded: Exclude<Decoded, { outcome: 'events' }>, { topic }: CheckOptions): string {
  if (decoded.why.startsWith('no mapping for')) {
    return topic === undefined
      ? `The topic was taken to be ${topicDefault}; say --topic, or change the mapping's topics.\n`
      : "None of the mappings' topics covers it.\n"
  }
  if (decoded.why.startsWith('no mapping fits')) return 'The `when` of no mapping is true for it.\n'
  if (decoded.why.endsWith('nothing of what is mapped'))
    return 'Compare the paths of the mapping with the sample, letter by letter.\n'
  return decoded.outcome === 'refused'
    ? 'A gateway would keep this message in quarantine, to be replayed after a fix.\n'
    : ''
}

const eventCodec = codec('tocsin.v1.Event')

export function eventText(event: Event): string {
  const observedAt = timestampNs(event.observedAt)
  const status = Object.entries(MessageStatus).find(([, value]) => value === event.messageStatus)?.[0]
  const parts = [
    event.origin?.device ?? 'device of the topic',
    snake(event.body ?? '').toUpperCase(),
    observedAt === undefined ? 'at its reception' : rfc3339(observedAt),
    ...(status && event.messageStatus ? [status] : []),
    ...(event.subject ? [event.subject] : []),
  ]
  const lines =
    event.body === 'observation' ? (event.observation.measurements ?? []).map(measurementText) : factsOf(event)
  const { latitude, longitude } = event.location ?? {}
  if (latitude !== undefined && longitude !== undefined)
    lines.push(`position  ${latitude}° ${longitude}°${restOfPlace(event)}`)
  for (const { name, value } of event.attributes ?? []) lines.push(`${name}  ${value}  (attribute)`)
  return [parts.join('  '), ...lines.map((line) => `  ${line}`), ''].join('\n')
}

function measurementText(measurement: Measurement): string {
  const { quantity = '', unit = '', channel, index, quality, aggregation, sourceValue, sourceUnit } = measurement
  const source = [sourceValue, sourceUnit].filter((part) => part !== undefined).join(' ')
  return [
    [quantity, index === undefined ? '' : `[${index}]`].join(''),
    `${valueText(measurement)} ${unit}`.trim(),
    ...(channel ? [`channel ${channel}`] : []),
    ...(quality ? [nameOf(Quality, quality)] : []),
    ...(aggregation ? [nameOf(Aggregation, aggregation)] : []),
    ...(source === '' ? [] : [`source ${source}`]),
  ].join('  ')
}

const nameOf = (members: Record<string, number>, member: number): string =>
  Object.entries(members).find(([, value]) => value === member)?.[0] ?? ''

function valueText(measurement: Measurement): string {
  switch (measurement.value) {
    case 'number':
      return String(measurement.number)
    case 'integer':
      return String(toBigInt(measurement.integer))
    case 'flag':
      return String(measurement.flag)
    case 'text':
      return JSON.stringify(measurement.text)
    case 'blob':
      return `${measurement.blob.length} bytes`
    case undefined:
      return '–'
  }
}

function restOfPlace({ location = {} }: Event): string {
  const { altitudeM, speedMps, courseDeg, horizontalAccuracyM } = location
  return [
    altitudeM === undefined ? '' : `  ${altitudeM} m high`,
    speedMps === undefined ? '' : `  ${speedMps} m/s`,
    courseDeg === undefined ? '' : `  towards ${courseDeg}°`,
    horizontalAccuracyM === undefined ? '' : `  ±${horizontalAccuracyM} m`,
  ].join('')
}

/** The fields of the body, as the schema names them. */
function factsOf(event: Event): string[] {
  const body = (eventCodec.toJson(event) as Record<string, object>)[event.body ?? ''] ?? {}
  return Object.entries(body).map(
    ([name, value]) => `${snake(name)}  ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

// Each path costs a reading of the whole sample.
const pathsMax = 500

/** Paths without which the events would be the same. */
function unmappedPaths(decoder: Decoder, frame: Frame, decoded: Decoded): string[] {
  const document: unknown = JSON.parse(new TextDecoder().decode(frame.bytes))
  const before = readable(decoded)
  const leaves = leavesOf(document).slice(0, pathsMax)
  const unmapped = leaves.filter((leaf) => {
    const bytes = Buffer.from(JSON.stringify(without(document, leaf)))
    return readable(decoder.decode({ ...frame, bytes })) === before
  })
  return unmapped.map(pathText)
}

/** Digits are left aside, since a document that is written again has others. */
function readable(decoded: Decoded): string {
  if (decoded.outcome !== 'events') return decoded.outcome
  return JSON.stringify(decoded.events.map((event) => eventCodec.toJson(event))).replaceAll(
    /"sourceValue":"[^"]*"/g,
    '',
  )
}

type Path = readonly (string | number)[]

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path]
  const entries = Array.isArray(value) ? value.map((each: unknown, at) => [at, each] as const) : Object.entries(value)
  return entries.flatMap(([key, child]) => leavesOf(child, [...path, key]))
}

/** The document with null in that place, so that its neighbours keep theirs. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return null
  if (Array.isArray(value)) return (value as unknown[]).with(Number(step), without(value[Number(step)], rest))
  const fields = value as Record<string, unknown>
  return { ...fields, [step]: without(fields[step], rest) }
}

function pathText(path: Path): string {
  const steps = path.map((step) =>
    typeof step === 'number' ? `[${step}]` : /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `.\`${step}\``,
  )
  return steps.join('').replace(/^\./, '')
}
