// A sensor's own alarm: a DETECTION goes before all telemetry, so that only what nobody can misread makes one. The word must name the
// thing and the alarm, and the value must say yes; a number, and the end of an alarm, stay measurements.

import { snakeCase } from '../quantities.ts'
import type { Detection } from '../../proto/generated/types.ts'
import type { Leaf } from './object.ts'

/** Word in snake case → what was detected. */
const agents: ReadonlyMap<string, string> = new Map([
  ...called('smoke', 'smoke', 'smoke_alarm', 'smoke_detected', 'smoke_status', 'smoke_event'),
  ...called('fire', 'fire', 'fire_alarm', 'fire_detected'),
  ...called('heat', 'heat_alarm', 'heat_detected'),
  ...called('carbon_monoxide', 'co_alarm', 'carbon_monoxide_alarm'),
  ...called('gas', 'gas_alarm', 'gas_leak', 'gas_detected'),
  ...called('water_leak', 'leak', 'leakage', 'leak_detected', 'leakage_detected', 'leak_alarm', 'leakage_status'),
  ...called('water_leak', 'leak_status', 'water_leak', 'water_leakage', 'water_leak_detected', 'water_leak_alarm'),
  ...called('flood', 'flood', 'flood_alarm', 'flood_detected'),
  ...called('panic_button', 'panic', 'panic_alarm', 'panic_button', 'sos', 'sos_alarm', 'sos_button', 'sos_event'),
  ...called('man_down', 'man_down', 'man_down_alarm', 'fall_alarm', 'fall_detected'),
  ...called('intrusion', 'intrusion', 'intrusion_alarm', 'intrusion_detected', 'glass_break', 'glass_break_alarm'),
])

function called(agent: string, ...words: string[]): [string, string][] {
  return words.map((word) => [word, agent])
}

// "On" and "active" may mean no more than that the detector is armed.
const saysYes: ReadonlySet<string> = new Set(
  'alarm,alarming,triggered,detected,pressed,leak,leaking,water leak,leak detected,smoke,smoke alarm,smoke detected,fire,fire alarm'.split(
    ',',
  ),
)
const detectionsMax = 16

export function detectionsOf(leaves: readonly Leaf[]): Detection[] {
  const detections: Detection[] = []
  for (const { word, path, value } of leaves) {
    if (value !== true && typeof value !== 'string') continue
    const agent = agents.get(withoutNumber(snakeCase(word)))
    if (agent === undefined || (typeof value === 'string' && !saysYes.has(value.trim().toLowerCase()))) continue
    const channel = path.toWellFormed()
    detections.push({
      agent,
      alarm: true,
      ...(typeof value === 'string' && { level: value.trim() }),
      ...(Buffer.byteLength(channel) <= 64 && { channel }),
    })
    if (detections.length === detectionsMax) break
  }
  return detections
}

/** "water_leak_2": the second of its kind. */
const withoutNumber = (name: string): string => name.replace(/_?\d{1,2}$/, '')
