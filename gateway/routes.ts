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
  /** Who answers for it that data labelled CJI or PHI come in here. */
  readonly approvedBy?: Approval
}

export interface Approval {
  readonly officer: string
  /** YYYY-MM-DD. */
  readonly date: string
}

export interface Route {
  readonly input: Input
  /** From `tocsin/in/<adapter>/<device>`, or undefined. */
  readonly device: string | undefined
  /** By its content type alone: no input names the channel. */
  readonly isNamed: boolean
  decoderFor(frame: Frame): Decoder
  /** What its latest frames had in common; `createShapes` keeps it. */
  readonly habit: Habit
}

export interface Routes {
  /**
   * Undefined: no adapter reads this. Of the inputs that name the channel, the one whose adapter the media type names, or else the
   * first; where none names it, the adapter of the media type, if it is of one format alone.
   */
  find(channel: string, contentType?: string): Route | undefined
  /** For a replay or an ingest that names its adapter. */
  byAdapter(adapter: string, channel: string): Route | undefined
}

/** A town has some thousands of topics; a device that invents topics must not grow us. */
const rememberedMax = 100_000
/** Decoders with state of their own, such as one for each Sparkplug edge node. */
const decodersMax = 10_000

/** Of a media type with its parameters; the longest that is registered has some 80. */
const mediaTypeCharsMax = 200

/** What half the world's messages are written in: they say nothing of what a message is. */
const syntaxes: ReadonlySet<string> = new Set(['application/json', 'application/xml', 'text/xml'])

export const ingestRoot = 'tocsin/in'
/** The channel of events that programs publish over gRPC; no device is in its name. */
export const programChannel = 'grpc/publish'

export function createRoutes(inputs: readonly Input[]): Routes {
  /** By media type, then channel: a text made of both would be a new one for each message. */
  const remembered = new Map<string | undefined, Map<string, Route | null>>()
  let rememberedCount = 0
  const mediaTypes = new Set(inputs.flatMap(({ adapter }) => adapter.contentTypes ?? []))
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

  const routeOf = (input: Input, channel: string, isNamed = false): Route => ({
    input,
    isNamed,
    device: deviceOf(input.adapter.name, channel),
    habit: newHabit(),
    decoderFor: input.adapter.stateKey
      ? (frame) => decoderOf(input, frame)
      : (
          (decoder) => () =>
            decoder
        )(decoderOf(input, { bytes: new Uint8Array(), receivedAt: 0n, channel })),
  })

  /** One of those that adapters have, without parameters (RFC 9110 §8.3.1); whatever else a sender says of its message is no matter here. */
  function known(contentType: string | undefined): string | undefined {
    if (contentType === undefined || mediaTypes.has(contentType)) return contentType
    if (contentType.length > mediaTypeCharsMax) return undefined
    const media = contentType.split(';', 1)[0]!.trim().toLowerCase()
    return mediaTypes.has(media) ? media : undefined
  }

  function look(channel: string, media: string | undefined): Route | undefined {
    const matching = inputs.filter((input) => input.topics.some((filter) => topicMatches(filter, channel)))
    const speaks = ({ adapter }: Input): boolean =>
      media !== undefined && (adapter.contentTypes?.includes(media) ?? false)
    const input = matching.find(speaks) ?? matching[0]
    if (input) return routeOf(input, channel)
    const named = media !== undefined && !syntaxes.has(media) ? inputs.findLast(speaks) : undefined
    return named && routeOf(named, channel, true)
  }

  function remember(channel: string, media: string | undefined, route: Route | null): void {
    if (rememberedCount >= rememberedMax) {
      remembered.clear()
      rememberedCount = 0
    }
    let ofType = remembered.get(media)
    if (!ofType) remembered.set(media, (ofType = new Map()))
    ofType.set(channel, route)
    rememberedCount++
  }

  return {
    find(channel, contentType) {
      const media = known(contentType)
      const before = remembered.get(media)?.get(channel)
      if (before !== undefined) return before ?? undefined
      const route = look(channel, media)
      remember(channel, media, route ?? null)
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
