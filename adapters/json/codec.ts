// JSON of any shape, read by mappings that the site declares (README.md has the whole language):
//
//   plant/tank-7/state    {"ts": 1795344000, "level": {"cm": 142.5}, "bat": 87}
//         │                     │                         │               │
//         device:               time:                     measurements:   device_status:
//           =$topic[1]            path: ts                  value: level.cm   battery_fraction: bat / 100
//                                 format: unix_s            quantity: water_level
//                                                           unit: cm
//
// The first mapping whose topic filter and condition fit is used. Nothing is guessed: what no mapping names is left in the frame.

import { type Adapter, type Decoded, type Decoder, type Frame, events, ignored, refused } from '../adapter.ts'
import { parseJson } from '../json-text.ts'
import { type CompiledMapping, compileMappings } from './compiled.ts'
import { eventsOf } from './events.ts'
import type { Scope } from './expression.ts'
import { jsonOptions } from './mapping.ts'
import { createReading, valueAt } from './reading.ts'

export const json: Adapter = {
  name: 'json',
  spec: 'RFC 8259 (2017); expressions: JSONata 2.2',
  version: '1',
  contentTypes: ['application/json'],
  options: jsonOptions,
  decoder: createDecoder,
}

const limits = {
  // The largest device reports seen, of building controllers, have 70 kB; a feed polled by HTTP up to 700 kB.
  bytesMax: 1_048_576,
  // Mappings are written by people: the deepest real message seen is nine deep.
  depthMax: 32,
}

/** Throws a ZodError where the options are no mappings; the settings are checked before. */
function createDecoder(options: unknown): Decoder {
  const mappings = compileMappings(jsonOptions.parse(options))
  return { decode: (frame) => decode(mappings, frame) }
}

function decode(mappings: readonly CompiledMapping[], frame: Frame): Decoded {
  const candidates = mappings.filter((mapping) => mapping.matches(frame.channel))
  if (candidates.length === 0) return ignored('no mapping for this topic')
  const parsed = parseJson(frame.bytes, limits)
  if ('fault' in parsed) return refused(parsed.fault, parsed.why)
  let exact: unknown
  const exactRoot = (): unknown => (exact ??= parsed.exact())
  const scope: Scope = {
    here: parsed.value,
    exactHere: exactRoot,
    exactRoot,
    variables: { topic: frame.channel.split('/'), root: parsed.value },
  }
  // Looking for digits costs a second parsing, so it is only done where a double may have lost some.
  const plain: Scope = parsed.long ? scope : { ...scope, exactHere: undefined, exactRoot: undefined }
  for (const mapping of candidates) {
    const reading = createReading(mapping.name)
    const fits = !mapping.when || valueAt(reading, 'when', mapping.when, plain) === true
    const drafts = fits ? eventsOf(mapping, needsDigits(mapping) ? scope : plain, reading) : []
    if (reading.fault) return refused(reading.fault.fault, reading.fault.why)
    if (!fits) continue
    return drafts.length > 0
      ? events(drafts, [...reading.warnings])
      : ignored(`${mapping.name}: nothing of what is mapped`)
  }
  return ignored('no mapping fits this message')
}

const needsDigits = (mapping: CompiledMapping): boolean => mapping.measurements.some((one) => one.isConverted)
