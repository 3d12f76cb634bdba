// Frames made wrong in the ways that wires, memories and people make them wrong; every one from the random source alone, so that
// a seed repeats a run.

import type { Random } from '../adapters/random.ts'

/** Bytes that mean something in JSON, CBOR, XML, protobuf or UTF-8, and the ends of number ranges. */
const telling = Buffer.from(
  '5b5d7b7d222c3a5c2d2e65450a00ff7f80819fbfa0c0c1c4d8d9f7f8f9fafbfeff3c3e241b0affefbbbf',
  'hex',
)
const pieces = [
  '1e999',
  '-0',
  '9223372036854775808',
  '1e-400',
  'null',
  '"\\ud800"',
  '"__proto__":',
  '[[[[',
  '{}',
  'NaN',
  '0.1e',
]

export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let mutated = Uint8Array.from(bytes)
  for (let left = 1 + random.below(4); left > 0; left--) mutated = Uint8Array.from(mutateOnce(mutated, other, random))
  return mutated
}

function mutateOnce(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + random.below(16))
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
  switch (random.below(9)) {
    case 0:
      return bytes.map((byte, place) => (place === at ? byte ^ (1 << random.below(8)) : byte))
    case 1:
      return bytes.map((byte, place) => (place === at ? random.below(256) : byte))
    case 2:
      return Buffer.concat([head, telling.subarray(random.below(telling.length)).subarray(0, 1), bytes.subarray(at)])
    case 3:
      return Buffer.concat([head, tail])
    case 4:
      return Buffer.concat([head, middle, middle, tail])
    case 5:
      return Buffer.concat([head, other.subarray(random.below(other.length + 1))])
    case 6:
      return Buffer.concat([head, Buffer.from(pieces[random.below(pieces.length)] ?? ''), tail])
    case 7:
      // A digit becomes another one, or a whole number of them: lengths, counts, times, versions.
      return digitsChanged(bytes, random)
    default:
      return Buffer.concat([head, Buffer.alloc(random.below(64), random.below(256)), tail])
  }
}

function digitsChanged(bytes: Uint8Array, random: Random): Uint8Array {
  const places = [...bytes.keys()].filter((place) => bytes[place]! >= 0x30 && bytes[place]! <= 0x39)
  const place = places[random.below(places.length)]
  if (place === undefined) return bytes
  const digits = Buffer.from(String(random.below(2) === 0 ? random.below(10) : random.below(2 ** 31) * 2 ** 20))
  return Buffer.concat([bytes.subarray(0, place), digits, bytes.subarray(place + 1)])
}
