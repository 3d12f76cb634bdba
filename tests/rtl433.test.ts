// rtl_433: suffixes against values worked out by hand, times, repeats, single values, and that no object breaks it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Decoded, Decoder, EventDraft } from '../adapters/adapter.ts'
import { quantities } from '../adapters/quantities.ts'
import { rtl433 } from '../adapters/rtl433/codec.ts'
import { suffixUnits, unitsOfKeys } from '../adapters/rtl433/words.ts'
import { words as unitWords } from '../adapters/units.ts'
import { validate } from '../gateway/validate.ts'
import { MessageStatus } from '../proto/generated/types.ts'
import type { Measurement } from '../proto/generated/types.ts'
import { parseRfc3339, rfc3339, timestamp, timestampNs } from '../proto/time.ts'

const noon = parseRfc3339('2026-11-22T12:00:00Z')!
const ms = 1_000_000n

const decoderWith = (options: unknown = {}): Decoder => rtl433.decoder!(rtl433.options!.parse(options))

interface Arriving {
  readonly decoder?: Decoder
  readonly channel?: string
  readonly receivedAt?: bigint
}

function decode(
  message: unknown,
  { decoder = decoderWith(), channel = 'rtl_433/roof/events', receivedAt = noon }: Arriving = {},
): Decoded {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  return decoder.decode({ bytes: Buffer.from(text), receivedAt, channel })
}

const eventsOf = (decoded: Decoded): readonly EventDraft[] => (decoded.outcome === 'events' ? decoded.events : [])
const measurementsOf = (decoded: Decoded): readonly Measurement[] =>
  eventsOf(decoded).flatMap((event) => (event.body === 'observation' ? (event.observation.measurements ?? []) : []))

describe('a key with the suffix of a unit', () => {
  // Each value by the definition of its unit.
  test.each([
    ['temperature_C', 21.5, 'temperature', 21.5, 'Cel'],
    ['temperature_F', 14, 'temperature', -10, 'Cel'],
    ['setpoint_C', 20, 'setpoint_temperature', 20, 'Cel'],
    ['setpoint_F', 68, 'setpoint_temperature', 20, 'Cel'],
    ['humidity', 48, 'relative_humidity', 48, '%'],
    ['moisture', 33, 'soil_moisture', 33, '%'],
    ['wind_dir_deg', 225, 'wind_direction', 225, 'deg'],
    ['wind_avg_m_s', 5, 'wind_speed', 5, 'm/s'],
    ['wind_avg_km_h', 36, 'wind_speed', 10, 'm/s'],
    ['wind_avg_mi_h', 100, 'wind_speed', 44.704, 'm/s'],
    ['wind_max_m_s', 9, 'wind_gust', 9, 'm/s'],
    ['wind_max_km_h', 72, 'wind_gust', 20, 'm/s'],
    ['wind_max_mi_h', 10, 'wind_gust', 4.4704, 'm/s'],
    ['rain_mm', 12.5, 'rain', 0.0125, 'm'],
    ['rain_in', 1, 'rain', 0.0254, 'm'],
    ['rain_rate_mm_h', 36, 'rain_rate', 0.00001, 'm/s'],
    ['rain_rate_in_h', 1, 'rain_rate', 0.0254 / 3600, 'm/s'],
    ['pressure_hPa', 1013.25, 'air_pressure', 101_325, 'Pa'],
    ['pressure_kPa', 101.3, 'air_pressure', 101_300, 'Pa'],
    ['pressure_psi', 1, 'air_pressure', 6894.757293168361, 'Pa'],
    ['pressure_PSI', 1, 'air_pressure', 6894.757293168361, 'Pa'],
    ['pressure_inHg', 1, 'air_pressure', 3386.389, 'Pa'],
    ['light_lux', 120, 'illuminance', 120, 'lx'],
    ['light_klx', 1.5, 'illuminance', 1500, 'lx'],
    ['uvi', 3.2, 'uv_index', 3.2, '1'],
    ['pm2_5_ug_m3', 35, 'pm2_5', 35, 'ug/m3'],
    ['pm10_ug_m3', 61, 'pm10', 61, 'ug/m3'],
    ['co2_ppm', 612, 'carbon_dioxide', 612, '[ppm]'],
    ['hcho_ppb', 14, 'formaldehyde', 14, '[ppb]'],
    ['conductivity', 500, 'soil_conductivity', 0.05, 'S/m'],
    ['storm_dist_km', 11, 'lightning_distance', 11_000, 'm'],
    ['depth_cm', 142, 'depth', 1.42, 'm'],
    ['power_W', 104.5, 'power', 104.5, 'W'],
    ['power_VA', 119, 'apparent_power', 119, 'V.A'],
    ['energy_kWh', 1.5, 'energy', 5_400_000, 'J'],
    ['total_As', 7200, 'charge', 7200, 'C'],
    ['voltage_V', 230, 'voltage', 230, 'V'],
    ['supercap_V', 2.7, 'voltage', 2.7, 'V'],
    ['current_A', 0.5, 'current', 0.5, 'A'],
    ['frequency_Hz', 50, 'frequency', 50, 'Hz'],
    ['volume_gal', 1000, 'volume', 3.785411784, 'm3'],
    ['volume_m3', 2.5, 'volume', 2.5, 'm3'],
    ['water_usage_l', 250, 'water_volume', 0.25, 'm3'],
    ['charge_pct', 80, 'battery_level', 80, '%'],
    ['remaining_s', 90, 'remaining_time', 90, 's'],
  ])('%s %d is %s %d %s', (key, value, quantity, si, unit) => {
    const [measurement] = measurementsOf(decode({ model: 'X', id: 1, [key]: value }))
    expect(measurement).toMatchObject({ quantity, unit })
    expect(measurement?.value === 'number' ? measurement.number : undefined).toBeCloseTo(si, 9)
    expect(quantities.get(quantity)?.unit).toBe(unit)
  })

  test('has a unit that the table of units knows', () => {
    for (const unit of [...suffixUnits.values(), ...unitsOfKeys.values()]) expect(unitWords.has(unit), unit).toBe(true)
  })

  test('keeps what the source wrote where it was converted', () => {
    const [measurement] = measurementsOf(decode({ model: 'X', wind_avg_km_h: 36.4 }))
    expect(measurement).toMatchObject({ sourceValue: '36.4', sourceUnit: 'km_h' })
  })

  test.each(['flags', 'seq', 'impulse_kWh', 'rain', 'gust', 'temperature_raw', '_C', 'constructor', '__proto__'])(
    'is none: %s stays an attribute',
    (key) => {
      const decoded = decode(`{"model":"X","temperature_C":1,"${key}":7}`)
      expect(measurementsOf(decoded).map(({ quantity }) => quantity)).toEqual(['temperature'])
      if (key !== '__proto__') expect(eventsOf(decoded)[0]?.attributes).toEqual([{ name: key, value: '7' }])
    },
  )
})

describe('the time', () => {
  test.each([
    ['2026-11-22T11:59:58Z', '2026-11-22T11:59:58Z'],
    ['2026-11-22T12:59:58+0100', '2026-11-22T11:59:58Z'],
    ['2026-11-22 12:59:58.123456+0100', '2026-11-22T11:59:58.123456Z'],
    ['1795348798', '2026-11-22T11:59:58Z'],
    ['1795348798.000250', '2026-11-22T11:59:58.000250Z'],
    ['1795348798000250', '2026-11-22T11:59:58.000250Z'],
  ])('%s is %s', (time, utc) => {
    const [event] = eventsOf(decode({ time, model: 'X', temperature_C: 1 }))
    expect(timestampNs(event?.observedAt)).toBe(parseRfc3339(utc))
  })

  test('without offset is read in the zone of the site, in summer and in winter', () => {
    const decoder = decoderWith({ zone: 'Europe/Vienna' })
    const observed = (time: string) =>
      timestampNs(eventsOf(decode({ time, model: 'X', humidity: 1 }, { decoder }))[0]?.observedAt)
    expect(rfc3339(observed('2026-11-22 13:00:00')!)).toBe('2026-11-22T12:00:00Z')
    expect(rfc3339(observed('2026-07-01T13:00:00.5')!)).toBe('2026-07-01T11:00:00.500Z')
  })

  test.each(['2026-11-22 13:00:00', '@1.5s', 'noon', '', 5, null, { a: 1 }])(
    '%j is none without a zone: the event says no time, and the words are kept',
    (time) => {
      const [event] = eventsOf(decode({ time, model: 'X', humidity: 1 }))
      expect(event?.observedAt).toBeUndefined()
      expect(event?.attributes?.some(({ name }) => name === 'time') ?? false).toBe(time !== null)
    },
  )
})

describe('a transmission that is heard again', () => {
  const tower = { model: 'Acurite-Tower', id: 2532, channel: 'A', temperature_C: 21.4, button: 1 }
  const at = (offsetMs: number) => noon + BigInt(offsetMs) * ms
  const keyOf = (decoded: Decoded): string => Buffer.from(eventsOf(decoded)[0]!.dedupKey!).toString('hex')
  const keys = (decoder: Decoder, ...heard: (readonly [number, object])[]): string[] =>
    heard.map(([offset, message]) => keyOf(decode(message, { decoder, receivedAt: at(offset) })))

  test('within two seconds has the identity of the first, whatever time and radio say', () => {
    const [first, again, third] = keys(
      decoderWith(),
      [0, { ...tower, time: '2026-11-22T12:00:00Z', rssi: -1.2, snr: 20 }],
      [300, { ...tower, time: '2026-11-22T12:00:00Z', rssi: -1.4, snr: 19 }],
      [1_900, { ...tower, time: '2026-11-22T12:00:01Z', rssi: -2, snr: 12 }],
    )
    expect(again).toBe(first)
    expect(third).toBe(first)
  })

  test('after that is another: a button pressed twice is two presses', () => {
    const [first, second] = keys(decoderWith(), [0, tower], [2_001, tower])
    expect(second).not.toBe(first)
  })

  test('is counted from the first too, so that a sensor which repeats for ever is not silent for ever', () => {
    const heard = Array.from({ length: 10 }, (_, n) => [n * 1_000, tower] as const)
    // 0 to 4 s, and 5 to 9 s.
    expect(new Set(keys(decoderWith(), ...heard)).size).toBe(2)
  })

  test('over three seconds, each soon after the last, is still one', () => {
    const heard = [0, 400, 800, 1_300, 1_700, 2_100, 2_500, 2_900].map((offset) => [offset, tower] as const)
    expect(new Set(keys(decoderWith(), ...heard)).size).toBe(1)
  })

  test('with another value, or from another device, is another', () => {
    const found = keys(decoderWith(), [0, tower], [1, { ...tower, temperature_C: 21.5 }], [2, { ...tower, id: 2533 }])
    expect(new Set(found).size).toBe(3)
  })

  test('is not what waited somewhere and came all at once', () => {
    const [first, second] = keys(
      decoderWith(),
      [0, { ...tower, time: '2026-11-22T11:00:00Z' }],
      [5, { ...tower, time: '2026-11-22T11:01:00Z' }],
    )
    expect(second).not.toBe(first)
  })

  test('has the same identity at two gateways that heard it from one receiver', () => {
    const message = { ...tower, time: '2026-11-22T12:00:00Z' }
    expect(keys(decoderWith(), [10, message])).toEqual(keys(decoderWith(), [900, message]))
  })

  test('gives each event of it an identity of its own', () => {
    const drafts = eventsOf(decode({ ...tower, battery_ok: 1, water: 1 }))
    expect(drafts.map(({ body }) => body)).toEqual(['detection', 'observation', 'deviceStatus'])
    expect(new Set(drafts.map(({ dedupKey }) => Buffer.from(dedupKey!).toString('hex'))).size).toBe(3)
  })

  test('as single values: two devices with the same value are two', () => {
    const decoder = decoderWith({ single_values: 'read' })
    const of = (id: number) =>
      keyOf(decode('21.4', { decoder, channel: `rtl_433/roof/devices/Acurite-Tower/A/${id}/temperature_C` }))
    expect(of(1)).not.toBe(of(2))
  })
})

test('a single value and a whole message speak of the same device', () => {
  const whole = eventsOf(decode({ model: 'Ford', type: 'TPMS', id: 'c0 a8', pressure_PSI: 33 }))[0]
  const channel = 'home/rtl_433/roof/devices/TPMS/Ford/c0_a8/pressure_PSI'
  const single = eventsOf(decode('33.0', { decoder: decoderWith({ single_values: 'read' }), channel }))[0]
  expect(single?.origin).toEqual(whole?.origin)
  expect(measurementsOf(decode('33.0', { decoder: decoderWith({ single_values: 'read' }), channel }))).toMatchObject([
    { quantity: 'tyre_pressure' },
  ])
})

test.each([
  [1, { batteryLow: false }],
  [0, { batteryLow: true }],
  [0.4, { batteryFraction: 0.4 }],
])('battery_ok %d is %j, never a percentage', (battery, status) => {
  const [event] = eventsOf(decode({ model: 'X', battery_ok: battery }))
  expect(event).toMatchObject({ body: 'deviceStatus', deviceStatus: status })
  expect(Object.keys(event?.body === 'deviceStatus' ? event.deviceStatus : {}).toSorted()).toEqual(
    [...Object.keys(status), 'model'].toSorted(),
  )
})

test.each([['pin'], ['extradata']])('a code that opens a house is in no event: %s', (key) => {
  const secret = key === 'pin' ? '4711' : 'Disarm Pin: 4711'
  expect(JSON.stringify(eventsOf(decode({ model: 'X', id: 1, [key]: secret })))).not.toContain('4711')
})

describe('a meter of Wireless M-Bus', () => {
  test.each([
    ['inst_volume_0', '12.345 m3', 'volume', 12.345, 'm3'],
    ['inst_energy_wh_0', '1.250 MWh', 'energy', 4_500_000_000, 'J'],
    ['inst_volume_flow_min_0', '6.000 m3/min', 'flow', 0.1, 'm3/s'],
    ['inst_volume_flow_s_0', '250.000 l/s', 'flow', 0.25, 'm3/s'],
    ['inst_temperature_return_0', '41.250 C', 'temperature', 41.25, 'Cel'],
    ['inst_pressure_0', '2.500 bar', 'pressure', 250_000, 'Pa'],
    ['inst_opertime_d_0', '2.000 days', 'uptime', 172_800, 's'],
  ])('%s %s is %s %d %s', (key, text, quantity, si, unit) => {
    const [measurement] = measurementsOf(decode({ model: 'Wireless-MBus', id: 1, [key]: text }))
    expect(measurement).toMatchObject({ quantity, unit })
    expect(measurement?.value === 'number' ? measurement.number : undefined).toBeCloseTo(si, 6)
  })

  test.each([
    ['inst_volume_1', '12.345 m3'],
    ['err_volume_0', '12.345 m3'],
    ['inst_date_0', '26-11-22'],
    ['inst_volume_0', '12.345 m3 and more'],
  ])('%s %s is no reading of this moment', (key, text) => {
    expect(measurementsOf(decode({ model: 'Wireless-MBus', id: 1, [key]: text }))).toEqual([])
  })
})

test('options that cannot be meant are refused', () => {
  const accepts = (options: unknown) => rtl433.options!.safeParse(options).success
  expect(accepts({})).toBe(true)
  expect(accepts({ zone: 'Europe/Viena' })).toBe(false)
  expect(accepts({ repeat_ms: -1 })).toBe(false)
  expect(accepts({ single_value: 'read' })).toBe(false)
})

test('whatever the object, it is answered, and what it gives the log takes', () => {
  const decoder = decoderWith({ single_values: 'read', zone: 'UTC' })
  const key = fc.oneof(
    fc.constantFrom(...unitsOfKeys.keys(), 'time', 'battery_ok', 'battery_pct', 'tamper', 'snr', 'state', 'water'),
    fc.string(),
  )
  const value = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.integer()),
    fc.object(),
  )
  fc.assert(
    fc.property(fc.dictionary(key, value), fc.string({ minLength: 1 }), (rest, model) => {
      const decoded = decode({ model, ...rest }, { decoder })
      expect(['events', 'refused', 'ignored']).toContain(decoded.outcome)
      for (const draft of eventsOf(decoded)) {
        const event = {
          messageStatus: MessageStatus.ACTUAL,
          ...draft,
          id: new Uint8Array(16),
          receivedAt: timestamp(noon),
        }
        expect(validate(event)).toBeUndefined()
      }
    }),
    { numRuns: 2_000 },
  )
})
