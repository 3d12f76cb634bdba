// Which adapter reads what comes in on a channel, with which options and which words of the site. Looked up once for each
// channel and then remembered, within a bound.

import type { Adapter, Decoder, Frame } from '../adapters/adapter.ts'
import type { Site } from './normalise.ts'
import { type Habit, newHabit } from './shapes.ts'
import { topicMatches } from './policy/topic-filters.ts'

/** What the settings say of an input: an adapter on some channels. */
export interface Input {
  readonly name: string
  readonly adapter: Adapter
  /** MQTT topic filters, also for other transports' channels. */
  readonly topics: readonly string[]
  readonly options: unknown
  readonly site: Site
}

export interface Route {
  readonly input: Input
  /** From `tocsin/in/<adapter>/<device>`, or undefined. */
  readonly device: string | undefined
  decoderFor(frame: Frame): Decoder
  /** What its latest frames had in common; `createShapes` keeps it. */
  readonly habit: Habit
}

export interface Routes {
  /** Undefined: no adapter reads this channel. A media type that names an adapter wins over the topic's. */
  find(channel: string, contentType?: string): Route | undefined
  /** For a replay or an ingest that names its adapter. */
  byAdapter(adapter: string, channel: string): Route | undefined
}

/** A town has some thousands of topics; a device that invents topics must not grow us. */
const rememberedMax = 100_000
/** Decoders with state of their own, such as one for each Sparkplug edge node. */
const decodersMax = 10_000

export const ingestRoot = 'tocsin/in'
/** The channel of events that programs publish over gRPC; no device is in its name. */
export const programChannel = 'grpc/publish'

export function createRoutes(inputs: readonly Input[]): Routes {
  const remembered = new Map<string, Route | null>()
  const decoders = new Map<string, Decoder>()

  function decoderOf(input: Input, frame: Frame): Decoder {
    const key = `${input.name}\n${input.adapter.stateKey?.(frame) ?? ''}`
    let decoder = decoders.get(key)
    if (!decoder) {
      if (!input.adapter.decoder) throw new TypeError(`${input.adapter.name} cannot decode`)
      if (decoders.size >= decodersMax) decoders.delete(decoders.keys().next().value!)
      decoder = input.adapter.decoder(input.options)
      decoders.set(key, decoder)
    }
    return decoder
  }

  const routeOf = (input: Input, channel: string): Route => ({
    input,
    device: deviceOf(input.adapter.name, channel),
    habit: newHabit(),
    decoderFor: input.adapter.stateKey
      ? (frame) => decoderOf(input, frame)
      : (
          (decoder) => () =>
            decoder
        )(decoderOf(input, { bytes: new Uint8Array(), receivedAt: 0n, channel })),
  })

  function look(channel: string, contentType: string | undefined): Route | undefined {
    const media = contentType?.split(';', 1)[0]?.trim().toLowerCase()
    const matching = inputs.filter((input) => input.topics.some((filter) => topicMatches(filter, channel)))
    const named = media ? matching.find((input) => input.adapter.contentTypes?.includes(media)) : undefined
    const input = named ?? matching[0]
    return input && routeOf(input, channel)
  }

  return {
    find(channel, contentType) {
      const key = contentType ? `${channel}\n${contentType}` : channel
      const known = remembered.get(key)
      if (known !== undefined) return known ?? undefined
      if (remembered.size >= rememberedMax) remembered.clear()
      const route = look(channel, contentType)
      remembered.set(key, route ?? null)
      return route
    },
    byAdapter(adapter, channel) {
      const candidates = inputs.filter((input) => input.adapter.name === adapter)
      const input =
        candidates.find((each) => each.topics.some((filter) => topicMatches(filter, channel))) ?? candidates[0]
      return input && routeOf(input, channel)
    },
  }
}

function deviceOf(adapter: string, channel: string): string | undefined {
  const prefix = `${ingestRoot}/${adapter}/`
  return channel.startsWith(prefix) && channel.length > prefix.length ? channel.slice(prefix.length) : undefined
}
