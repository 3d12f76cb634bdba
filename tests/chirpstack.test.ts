// What holds for every decoded object of a LoRaWAN device, whatever its shape: nothing is lost, and order means nothing.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Decoded } from '../adapters/adapter.ts'
import { chirpstack } from '../adapters/chirpstack/codec.ts'
import { meaningOf } from '../adapters/chirpstack/words.ts'
import { readableOutcome } from './adapters/readable.ts'

const decoder = chirpstack.decoder!(undefined)
const devEui = 'a84041000181c061'

function decode(object: unknown, rxInfo: readonly object[] = []): Decoded {
  const message = { deduplicationId: '5b1c9f6e', deviceInfo: { devEui }, fCnt: 1, object, rxInfo }
  const bytes = Uint8Array.from(Buffer.from(JSON.stringify(message)))
  return decoder.decode({ bytes, receivedAt: 1n, channel: `application/a/device/${devEui}/event/up` })
}

const word = fc.stringMatching(/^[a-z]{3,8}(_[0-9])?$/)
const leaf = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.boolean(), fc.constantFrom('rain', 'snow'))
const object = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(word, tie('node'), { maxKeys: 4 }),
  ),
})).node
const objects = fc.dictionary(word, object, { minKeys: 1, maxKeys: 5 })

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value]
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, child]) => [key, reversed(child)]),
  )
}

test('every value of an object is in the observation, under its own path', () => {
  fc.assert(
    fc.property(objects, (given) => {
      const decoded = decode(given)
      const [first] = decoded.outcome === 'events' ? decoded.events : []
      const measurements = first?.body === 'observation' ? (first.observation.measurements ?? []) : []
      expect(measurements).toHaveLength(leavesOf(given).length)
      const identities = measurements.map(({ quantity, index, aggregation }) => `${quantity} ${index} ${aggregation}`)
      expect(new Set(identities).size).toBe(identities.length)
    }),
  )
})

test('the order of keys, which the server does not keep, changes nothing', () => {
  fc.assert(
    fc.property(objects, (given) => {
      expect(readableOutcome(decode(reversed(given)))).toEqual(readableOutcome(decode(given)))
    }),
  )
})

test('of any gateways, in any order, the signal is the one of the strongest', () => {
  const gateway = fc.record({ rssi: fc.integer({ min: -140, max: -1 }), snr: fc.integer({ min: -20, max: 15 }) })
  fc.assert(
    fc.property(fc.array(gateway, { minLength: 1, maxLength: 70 }), (gateways) => {
      const decoded = decode({}, gateways)
      const event = decoded.outcome === 'events' ? decoded.events.at(-1) : undefined
      const status = event?.body === 'deviceStatus' ? event.deviceStatus : undefined
      const strongest = Math.max(...gateways.map(({ rssi }) => rssi))
      const clearest = Math.max(...gateways.filter(({ rssi }) => rssi === strongest).map(({ snr }) => snr))
      expect(status).toMatchObject({ rssiDbm: strongest, snrDb: clearest })
    }),
  )
})

test.each([
  ['water_level_m', 'water_level', 'm', undefined],
  ['TempC1', 'temperature', 'Cel', 1],
  ['temperature_2', 'temperature', 'Cel', 2],
  ['temp_f', 'temperature', 'Cel', undefined],
  ['BatV', 'battery_voltage', 'V', undefined],
  ['vdd', 'battery_voltage', 'V', undefined],
  ['battery', 'battery_level', undefined, undefined],
  ['co2', 'carbon_dioxide', '[ppm]', undefined],
  ['pm2_5', 'pm2_5', 'ug/m3', undefined],
  ['distance_mm', 'distance', 'm', undefined],
  ['pressure', 'pressure', undefined, undefined],
  ['constructor', 'constructor', undefined, undefined],
  ['__proto__', 'proto', undefined, undefined],
])('the word %s means %s in %s, number %s', (said, quantity, unit, number) => {
  const meaning = meaningOf(said)
  expect([meaning.quantity, meaning.unit?.code, meaning.number]).toEqual([quantity, unit, number])
})
