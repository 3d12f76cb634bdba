// One hour of a flood in Alder County, which is invented: who says what at which minute. The formats, topics and paths are real; the
// water obeys flood.ts.

import { fieldSensors } from './field-sensors.ts'
import { gauges } from './gauges.ts'
import { radioSensors } from './radio-sensors.ts'
import type { Said } from './said.ts'
import { warnings } from './warnings.ts'

export const county = 'alder-county.example'
export const storyMin = 60

export const story: readonly Said[] = [...fieldSensors, ...gauges, ...radioSensors, ...warnings].toSorted(
  (a, b) => a.minute - b.minute,
)
