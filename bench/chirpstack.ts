// How long the decoding of one ChirpStack uplink takes, as JSON and as protobuf: the river gauge of the fixtures (four values, two gateways,
// two tags), each message with an identity of its own, in one warm process.
//
//   node bench/chirpstack.ts [--rounds 15] [--uplinks 10000]

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Frame } from '../adapters/adapter.ts'
import { chirpstack } from '../adapters/chirpstack/codec.ts'
import { spread } from './statistics.ts'

const fixtures = new URL('../adapters/chirpstack/fixtures/', import.meta.url)
const channel = 'application/3f0a9a52-6d5e-4f07-9a54-0d6b7f6f2b11/device/a84041000181c061/event/up'
/** The end of the deduplication id in both files. */
const identity = '000000000017'

function framesOf(file: string, count: number): Frame[] {
  const sample = readFileSync(new URL(file, fixtures))
  const at = sample.indexOf(identity)
  if (at < 0) throw new Error(`${file} has no identity ${identity}`)
  return Array.from({ length: count }, (_, n) => {
    const bytes = Buffer.from(sample)
    bytes.write(String(n).padStart(identity.length, '0'), at, 'latin1')
    return { bytes, receivedAt: 1_775_192_768_000_000_000n, channel }
  })
}

/** Microseconds an uplink. */
function timed(frames: readonly Frame[]): number {
  const { decode } = chirpstack.decoder!(undefined)
  const begin = process.hrtime.bigint()
  for (const frame of frames) {
    const decoded = decode(frame)
    if (decoded.outcome !== 'events' || decoded.events.length !== 2) throw new Error('an uplink was not read')
  }
  return Number(process.hrtime.bigint() - begin) / 1000 / frames.length
}

function main(): void {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '15' }, uplinks: { type: 'string', default: '10000' } },
  })
  for (const file of ['river-gauge.json', 'river-gauge-protobuf.binpb']) {
    const frames = framesOf(file, Number(values.uplinks))
    // Twice, so that the compiler is done.
    for (let round = 0; round < 2; round++) timed(frames)
    const { median, min, max } = spread(Array.from({ length: Number(values.rounds) }, () => timed(frames)))
    const perSecond = Math.round(1e6 / median / 100) * 100
    const size = frames[0]!.bytes.length
    process.stdout.write(
      `${file}, ${size} bytes: ${median.toFixed(1)} µs (${min.toFixed(1)} to ${max.toFixed(1)}), ${perSecond} uplinks/s\n`,
    )
  }
}

main()
