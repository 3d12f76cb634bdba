// Three thousand mutated frames for each adapter: none makes it throw, linger or grow, and each has exactly one outcome. The seed is
// printed with every failure; TOCSIN_TEST_SEED repeats a run.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { Adapter, Decoder, Frame } from '../../adapters/adapter.ts'
import { codec } from '../../proto/wire.ts'
import { decoderFor, decodingAdapters, fixturesOf } from '../adapters/fixtures.ts'
import { createRandom, seedOfRun } from '../adapters/random.ts'
import { corporaDefault } from '../corpus/main.ts'
import { mutate } from './mutator.ts'

const framesPerAdapter = 3_000
const callMsMax = 50
// A busy machine may take the processor away for longer than a frame may take; the same frame is not unlucky three times.
const triesMax = 3
const heapGrowthBytesMax = 32 * 1_048_576
const sampleBytesMax = 16_384
/** Real messages of the adapter's format, where they lie on this machine. */
const corpusFolders: Readonly<Record<string, string>> = { senml: 'senml/core-wg__senml-spec' }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const eventCodec = codec('tocsin.v1.Event')

describe.each(decodingAdapters)('$name', (adapter) => {
  test(
    `answers ${framesPerAdapter} mutated frames, each with one outcome, in time and within bounds`,
    { timeout: 120_000 },
    () => {
      const random = createRandom(seedOfRun())
      const samples = samplesOf(adapter)
      const counts = { events: 0, ignored: 0, refused: 0 }
      const wrong: string[] = []
      const before = heapBytes()
      for (let n = 0; n < framesPerAdapter; n++) {
        const { frame, decoder } = samples[random.below(samples.length)]!
        const other = samples[random.below(samples.length)]!.frame.bytes
        const mutated: Frame = { ...frame, bytes: mutate(frame.bytes, other, random) }
        const { outcome, tookMs } = timed(decoder, mutated)
        counts[outcome]++
        if (tookMs > callMsMax)
          wrong.push(`frame ${n} took ${Math.round(tookMs)} ms: ${Buffer.from(mutated.bytes).toString('hex')}`)
      }
      const grownBytes = heapBytes() - before
      const { seed } = random
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      expect({ seed, sum: counts.events + counts.ignored + counts.refused }).toEqual({ seed, sum: framesPerAdapter })
      // Mutations that all end alike would test little.
      expect(counts.events).toBeGreaterThan(0)
      expect(counts.refused).toBeGreaterThan(0)
      expect({ seed, isBounded: grownBytes < heapGrowthBytesMax }).toEqual({ seed, isBounded: true })
    },
  )
})

interface Sample {
  readonly frame: Frame
  readonly decoder: Decoder
}

function samplesOf(adapter: Adapter): Sample[] {
  const fixtures = fixturesOf(adapter).map(({ frame, options }) => ({ frame, decoder: decoderFor(adapter, options) }))
  const folder = join(corporaDefault, corpusFolders[adapter.name] ?? 'none')
  const files = existsSync(folder) ? readdirSync(folder) : []
  const [first] = fixtures
  const real = files.flatMap((file) => {
    const bytes = Uint8Array.from(readFileSync(join(folder, file)))
    return bytes.length > sampleBytesMax || !first ? [] : [{ frame: { ...first.frame, bytes }, decoder: first.decoder }]
  })
  return [...fixtures, ...real]
}

/** The outcome and the shortest of some times; events must have a form on the wire. */
function timed(decoder: Decoder, frame: Frame): { outcome: 'events' | 'ignored' | 'refused'; tookMs: number } {
  let tookMs = Infinity
  for (let left = triesMax; left > 0 && tookMs > callMsMax; left--) {
    const begin = performance.now()
    decoder.decode(frame)
    tookMs = performance.now() - begin
  }
  const decoded = decoder.decode(frame)
  if (decoded.outcome === 'events') for (const event of decoded.events) eventCodec.encode(event)
  return { outcome: decoded.outcome, tookMs }
}

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
