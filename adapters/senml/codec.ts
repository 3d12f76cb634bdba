// SenML, Sensor Measurement Lists: packs of records from constrained sensors and the loggers that collect for them.
//
//   [ { "bn": "urn:dev:ow:10e2073a01080063:", "bt": 1320067464, "n": "temp", "u": "Cel", "v": 23.1 },  …
//       │      base name ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄   │                 │           │           └ value, or vs vb vd: exactly one; s: sum
//       │                                      base time         │           └ unit of the SenML registry
//       └ base fields hold for this record and all later ones    └ name: base name and name together are the sensor's
//
//   CBOR  [ { -2: "urn:…:", -3: 1320067464, 0: "temp", 1: "Cel", 2: 23.1 }, …    bver −1 bn −2 bt −3 bu −4 bv −5 bs −6
//           array of maps, labels are small integers                              n 0 u 1 v 2 vs 3 vb 4 s 5 t 6 ut 7 vd 8
//
// records.ts reads either form, resolve.ts does away with the base fields (RFC 8428 §4.6), events.ts makes one event for each
// device and time, encode.ts goes the other way. plain.ts is a shorter way to the same events, for the packs that most devices send,
// and plain-pattern.ts a shorter one yet, for the next packs of the same device.
// XML and EXI are refused; ETCH (RFC 8790) is for editing packs and is not read.

import { type Adapter, type Decoded, type Frame, events, ignored, refused } from '../adapter.ts'
import { encode } from './encode.ts'
import { eventsOf } from './events.ts'
import { createPlainReader } from './plain.ts'
import { plainPattern } from './plain-pattern.ts'
import { readCbor, readJson } from './records.ts'
import { resolve } from './resolve.ts'

export const senml: Adapter = {
  name: 'senml',
  spec: 'RFC 8428 (2018) with RFC 8798 (2020) and RFC 9100 (2021)',
  version: '1',
  contentTypes: [
    'application/senml+json',
    'application/senml+cbor',
    'application/sensml+json',
    'application/senml+xml',
    'application/senml-exi',
  ],
  decoder() {
    const readPlain = createPlainReader()
    return {
      decode: (frame) => readPlain(frame) ?? decodeExactly(frame),
      // What the long way makes of a pack may hang on its numbers, as a place does.
      pattern: (frame, event) => (readPlain(frame) ? plainPattern(frame, event) : undefined),
    }
  },
  encode,
}

/** The long way, which takes every pack; what plain.ts takes, it must read as this does. */
export function decodeExactly(frame: Frame): Decoded {
  const form = formOf(frame)
  if ('outcome' in form) return form
  const read = form.name === 'cbor' ? readCbor(frame.bytes) : readJson(frame.bytes, form.stream)
  if ('outcome' in read) return read
  const resolved = resolve(read.records, frame.receivedAt, read.exact)
  if ('outcome' in resolved) return resolved
  if (resolved.length === 0) return ignored('a pack without measurements')
  const made = eventsOf(resolved, frame.receivedAt)
  return 'outcome' in made ? made : events(made.events, [...read.warnings, ...made.warnings])
}

type Form = { name: 'json' | 'cbor'; stream: boolean }

/** By media type; where the transport names none, by the first byte. */
function formOf({ bytes, contentType = '' }: Frame): Form | Decoded {
  if (contentType === '') return sniff(bytes)
  const [type = ''] = contentType.toLowerCase().split(';')
  const match = /^application\/sen(s?)ml(\+json|\+cbor|\+xml|-exi)$/.exec(type.trim())
  const suffix = match?.[2]
  if (suffix === '+xml' || suffix === '-exi') return refused('unsupported', `${suffix.slice(1)} form of SenML`)
  if (suffix) return { name: suffix === '+cbor' ? 'cbor' : 'json', stream: match?.[1] === 's' }
  if (/^application\/sen(s?)ml-etch/.test(type)) return refused('unsupported', 'SenML ETCH')
  return sniff(bytes)
}

function sniff(bytes: Uint8Array): Form | Decoded {
  const [first = 0] = bytes
  if (bytes.length === 0) return refused('length', 'no bytes')
  // "$EXI" is EXI's cookie; 0xa0 begins a body without one, and a CBOR pack never does: that is an empty map.
  if (first === 0x24 || (first === 0xa0 && bytes.length > 1)) return refused('unsupported', 'exi form of SenML')
  if (first === 0x3c) return refused('unsupported', 'xml form of SenML')
  // RFC 8949 §3.1: major type 4, array, of known or unknown length.
  return { name: first >= 0x80 && first <= 0x9f ? 'cbor' : 'json', stream: false }
}
