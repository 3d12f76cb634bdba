// The fixtures of an adapter: pairs of an input file, byte for byte, and `<name>.expected.json`, which says what it shows, where it
// comes from, how it arrived, and what must come out.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { z } from 'zod'
import type { Adapter, Decoder, Frame } from '../../adapters/adapter.ts'
import { adapters } from '../../adapters/index.ts'
import { parseRfc3339 } from '../../proto/time.ts'

const adaptersHome = new URL('../../adapters/', import.meta.url)

const expected = z.strictObject({
  about: z.string().min(20),
  from: z.string().min(5),
  channel: z.string().min(1),
  receivedAt: z.string(),
  contentType: z.string().optional(),
  properties: z.record(z.string(), z.string()).optional(),
  options: z.unknown().optional(),
  decoded: z.discriminatedUnion('outcome', [
    z.strictObject({
      outcome: z.literal('events'),
      events: z.array(z.unknown()).min(1),
      warnings: z.array(z.string()).optional(),
      replies: z.array(z.unknown()).optional(),
    }),
    z.strictObject({ outcome: z.literal('ignored'), why: z.string() }),
    z.strictObject({ outcome: z.literal('refused'), fault: z.string(), why: z.string() }),
  ]),
})

export interface Fixture {
  readonly name: string
  readonly about: string
  readonly frame: Frame
  readonly options: unknown
  readonly decoded: z.infer<typeof expected>['decoded']
}

/** The folders beside adapter.ts, each of which must be an adapter. */
export function adapterFolders(): string[] {
  const entries = readdirSync(adaptersHome, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

export function readmeOf(adapter: Adapter): string {
  const file = new URL(`${adapter.name}/README.md`, adaptersHome)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

export function fixturesOf(adapter: Adapter): Fixture[] {
  const folder = new URL(`${adapter.name}/fixtures/`, adaptersHome)
  const files = readdirSync(folder)
  const inputs = files.filter((file) => !file.endsWith('.expected.json'))
  const orphans = files.filter(
    (file) => file.endsWith('.expected.json') && !inputs.some((input) => nameOf(input) === nameOf(file)),
  )
  if (orphans.length > 0) throw new Error(`no input for ${orphans.join(', ')}`)
  return inputs.toSorted().map((file) => {
    const name = nameOf(file)
    const { about, decoded, options, ...arrival } = expected.parse(readJson(new URL(`${name}.expected.json`, folder)))
    const receivedAt = parseRfc3339(arrival.receivedAt)
    if (receivedAt === undefined) throw new Error(`${name}: receivedAt is no RFC 3339 time`)
    const frame: Frame = {
      bytes: Uint8Array.from(readFileSync(new URL(file, folder))),
      receivedAt,
      channel: arrival.channel,
      ...(arrival.contentType !== undefined && { contentType: arrival.contentType }),
      ...(arrival.properties && { properties: Object.entries(arrival.properties) }),
    }
    return { name, about, frame, options, decoded }
  })
}

const nameOf = (file: string): string => file.replace(/\.expected\.json$|\.[^.]+$/, '')
const readJson = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'))

/** A decoder as the gateway makes it: the site's options are checked, then given. */
export function decoderFor(adapter: Adapter, options: unknown): Decoder {
  if (!adapter.decoder) throw new Error(`${adapter.name} has fixtures but no decoder`)
  return adapter.decoder(adapter.options ? adapter.options.parse(options) : options)
}

export const decodingAdapters: readonly Adapter[] = [...adapters.values()].filter((adapter) => adapter.decoder)
