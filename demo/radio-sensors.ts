// What a receiver of cheap radio sensors hears, as rtl_433 publishes it: the weather station on the fire house, and a leak detector in
// a cellar by the river.

import { rainMm, rainMmPerHour } from './flood.ts'
import { every, rounded, type Said, type TimeOf } from './said.ts'

const topic = 'rtl_433/firehouse/events'
/** As with `-M time:iso:tz`. */
const stamp = (timeOf: TimeOf, minute: number): string =>
  timeOf(minute)
    .toISOString()
    .replace(/\.\d+Z$/, '+0000')

export const radioSensors: readonly Said[] = [...every(3, 0).map(weather), leak(33)]

function weather(minute: number): Said {
  const rain = rainMmPerHour(minute)
  return {
    minute,
    by: 'rtl_433-firehouse',
    over: 'mqtt',
    to: topic,
    becomes: ['OBSERVATION', 'DEVICE_STATUS'],
    bytes: (timeOf) =>
      JSON.stringify({
        time: stamp(timeOf, minute),
        model: 'Fineoffset-WH65B',
        id: 175,
        battery_ok: 1,
        // Rain cools and wets the air; the wind comes with the squall and turns behind it.
        temperature_C: rounded(23.4 - 5.6 * (1 - Math.exp(-rainMm(minute) / 6)), 1),
        humidity: Math.round(74 + 23 * (1 - Math.exp(-rainMm(minute) / 5))),
        wind_dir_deg: Math.round(205 + minute * 1.4),
        wind_avg_m_s: rounded(2.1 + rain / 9, 1),
        wind_max_m_s: rounded(3.4 + rain / 4.5, 1),
        rain_mm: rounded(412.2 + rainMm(minute), 1),
        uvi: 0,
        light_lux: rounded(9_800 / (1 + rain / 4), 0),
        mic: 'CRC',
      }),
  }
}

function leak(minute: number): Said {
  return {
    minute,
    by: 'rtl_433-firehouse',
    over: 'mqtt',
    to: topic,
    becomes: ['DETECTION', 'OBSERVATION'],
    scene: 'There is water in the cellar of the library.',
    bytes: (timeOf) =>
      JSON.stringify({
        time: stamp(timeOf, minute),
        model: 'Govee-Water',
        id: 51_207,
        event: 'Water Leak',
        detect_wet: 1,
        leak_num: 0,
        code: 'c807fe3a1180',
        mic: 'PARITY',
      }),
  }
}
