// How long the decoding of one SenML pack takes, the short way beside the long way, which reads every pack: interleaved pairs in one
// warm process. Each pack has a time and a value of its own, as on the way in.
//
//   node bench/senml.ts [--pairs 15] [--packs 20000]

import { parseArgs } from 'node:util'

import type { Decoded, Frame } from '../adapters/adapter.ts'
import { decodeExactly, senml } from '../adapters/senml/codec.ts'
import { ratio, runPairs } from './pairs.ts'
import { type Spread, spread } from './statistics.ts'

type Decode = (frame: Frame) => Decoded

interface Shape {
  readonly name: string
  /** The text of the n-th pack. */
  pack(n: number): string
}

const devices = 1_000
const receivedAt = 1_795_348_801_000_000_000n

const shapes: readonly Shape[] = [
  {
    name: '3 records',
    pack: (n) =>
      `[${level(n)},{"n":"temperature","u":"Cel","v":${(n % 400) / 10}},{"n":"battery","u":"V","v":3.${n % 100}}]`,
  },
  { name: '1 record', pack: (n) => `[${level(n)}]` },
  {
    name: '3 records, converted units',
    pack: (n) =>
      `[${level(n)},{"n":"pressure","u":"hPa","v":${900 + (n % 1000) / 10}},{"n":"rain","u":"mm","v":${n % 40}}]`,
  },
  {
    name: '12 records, 4 times',
    pack: (n) =>
      `[${level(n)},${Array.from({ length: 11 }, (_, at) => `{"n":"s${at % 3}","u":"V","v":${at}.5,"t":${at >> 2}}`)}]`,
  },
]

const level = (n: number): string =>
  `{"bn":"gauge-${n % devices}:","bt":${1_795_348_800 + Math.floor(n / 1000)}.${String(n % 1000).padStart(3, '0')},"n":"water-level","u":"m","v":2.${String(n % 100).padStart(2, '0')}}`

function framesOf(shape: Shape, count: number): Frame[] {
  return Array.from({ length: count }, (_, n) => ({
    bytes: Buffer.from(shape.pack(n)),
    receivedAt,
    channel: `tocsin/in/senml/gauge-${n % devices}`,
  }))
}

/** Microseconds a pack. */
function timed(decode: Decode, frames: readonly Frame[]): number {
  const begin = process.hrtime.bigint()
  let eventCount = 0
  for (const frame of frames) {
    const decoded = decode(frame)
    if (decoded.outcome === 'events') eventCount += decoded.events.length
  }
  const ns = Number(process.hrtime.bigint() - begin)
  if (eventCount < frames.length) throw new Error('a pack was not read')
  return ns / 1000 / frames.length
}

const micros = ({ median, min, max }: Spread): string =>
  `${median.toFixed(2)} µs (${min.toFixed(2)} to ${max.toFixed(2)})`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { pairs: { type: 'string', default: '15' }, packs: { type: 'string', default: '20000' } },
  })
  const { decode } = senml.decoder!(undefined)
  for (const shape of shapes) {
    const frames = framesOf(shape, Number(values.packs))
    // Twice each, so that the compiler is done with both.
    for (let round = 0; round < 2; round++) {
      timed(decodeExactly, frames)
      timed(decode, frames)
    }
    const pairs = await runPairs(
      Number(values.pairs),
      async () => timed(decodeExactly, frames),
      async () => timed(decode, frames),
    )
    const [long, short] = [spread(pairs.map(({ a }) => a)), spread(pairs.map(({ b }) => b))]
    const times = ratio(
      pairs,
      (a) => a,
      (b) => b,
    )
    process.stdout.write(
      `${shape.name}, ${frames[0]?.bytes.length ?? 0} bytes: long way ${micros(long)}, short way ${micros(short)}, ratio ${times.median.toFixed(1)}\n`,
    )
  }
}

await main()
