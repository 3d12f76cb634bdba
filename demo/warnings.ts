// Public warnings in CAP 1.2: the weather office warns, widens its warning when the gauges rise, and ends it; the county downstream
// sends a warning of its own over HTTP. All of it has the status Exercise.

import { levelOf, lowerFord } from './gauges.ts'
import type { Said, TimeOf } from './said.ts'

const office = 'warnings@weather.example'
const neighbour = 'duty@birch-county.example'
/** CAP 1.2 §3.3.2: seconds and an offset, never Z. */
const stamp = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, '-00:00')

interface Warning {
  readonly minute: number
  readonly identifier: string
  readonly sender: string
  readonly msgType: 'Alert' | 'Update' | 'Cancel'
  /** The warning that it updates or cancels. */
  readonly of?: Warning
  readonly event: string
  readonly category: 'Met' | 'Safety'
  readonly responseType: string
  readonly urgency: string
  readonly severity: string
  readonly certainty: string
  readonly untilMinute: number
  readonly senderName: string
  readonly headline: string
  readonly description: string
  readonly instruction: string
  readonly areaDesc: string
  readonly polygon: string
}

const alderCreek = '41.590,-99.640 41.590,-99.540 41.530,-99.500 41.510,-99.560 41.550,-99.640 41.590,-99.640'
const alderAndFord = '41.590,-99.640 41.590,-99.540 41.500,-99.440 41.480,-99.500 41.550,-99.640 41.590,-99.640'

const first: Warning = {
  minute: 12,
  identifier: 'EX-FFW-0001',
  sender: office,
  msgType: 'Alert',
  event: 'Flash Flood Warning',
  category: 'Met',
  responseType: 'Avoid',
  urgency: 'Immediate',
  severity: 'Severe',
  certainty: 'Likely',
  untilMinute: 120,
  senderName: 'Weather Office Alder (exercise)',
  headline: 'EXERCISE: Flash Flood Warning for Alder Creek',
  description: 'EXERCISE. 60 millimetres of rain an hour fall on the ridge. Alder Creek will rise quickly.',
  instruction: 'EXERCISE. Keep away from the creek. Do not drive through water.',
  areaDesc: 'Alder Creek from the ridge to the mill bridge',
  polygon: alderCreek,
}
const update: Warning = {
  ...first,
  minute: 31,
  identifier: 'EX-FFW-0002',
  msgType: 'Update',
  of: first,
  severity: 'Extreme',
  certainty: 'Observed',
  responseType: 'Evacuate',
  headline: 'EXERCISE: Flash Flood Warning for Alder Creek, now down to the lower ford',
  description: `EXERCISE. The gauge at the lower ford shows ${levelOf(lowerFord, 29).toFixed(1)} metres and rises.`,
  instruction: 'EXERCISE. Leave the houses at the lower ford now.',
  areaDesc: 'Alder Creek from the ridge to the lower ford',
  polygon: alderAndFord,
}
const cancel: Warning = {
  ...update,
  minute: 58,
  identifier: 'EX-FFW-0003',
  msgType: 'Cancel',
  of: update,
  responseType: 'AllClear',
  urgency: 'Past',
  severity: 'Minor',
  headline: 'EXERCISE: Flash Flood Warning for Alder Creek is cancelled',
  description: 'EXERCISE. The rain has ended and the creek falls at every gauge.',
  instruction: 'EXERCISE. Go back with care: roads may be washed out.',
}
const leveeWatch: Warning = {
  minute: 42,
  identifier: 'EX-BC-17',
  sender: neighbour,
  msgType: 'Alert',
  event: 'Levee seepage',
  category: 'Safety',
  responseType: 'Prepare',
  urgency: 'Expected',
  severity: 'Moderate',
  certainty: 'Observed',
  untilMinute: 300,
  senderName: 'Birch County duty officer (exercise)',
  headline: 'EXERCISE: Levee at Birch Landing seeps, county road 9 closed',
  description: 'EXERCISE. Water comes through the levee at Birch Landing. County road 9 is closed.',
  instruction: 'EXERCISE. Be ready to leave Birch Landing.',
  areaDesc: 'Birch Landing, county road 9',
  polygon: '41.470,-99.470 41.470,-99.430 41.440,-99.430 41.440,-99.470 41.470,-99.470',
}

const scenes = {
  Alert: 'The weather office warns of a flash flood.',
  Update: 'The wave has reached the lower ford; the warning is widened.',
  Cancel: 'The creek falls; the warning is ended.',
} as const

export const warnings: readonly Said[] = [
  ...[first, update, cancel].map((warning): Said => ({
    minute: warning.minute,
    by: 'weather-office',
    over: 'mqtt',
    to: 'tocsin/in/cap/weather-office',
    becomes: ['ALERT'],
    scene: scenes[warning.msgType],
    bytes: (timeOf) => xmlOf(warning, timeOf),
  })),
  {
    minute: leveeWatch.minute,
    by: 'birch-county',
    over: 'http',
    to: '/v1/ingest/cap/birch-county',
    contentType: 'application/cap+xml',
    becomes: ['ALERT'],
    scene: 'The county downstream sends a warning of its own, over HTTP.',
    bytes: (timeOf) => xmlOf(leveeWatch, timeOf),
  },
]

function xmlOf(warning: Warning, timeOf: TimeOf): string {
  const { minute, of, untilMinute } = warning
  const reference = of && `${of.sender},${of.identifier},${stamp(timeOf(of.minute))}`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">',
    element('identifier', warning.identifier),
    element('sender', warning.sender),
    element('sent', stamp(timeOf(minute))),
    element('status', 'Exercise'),
    element('msgType', warning.msgType),
    element('scope', 'Public'),
    element('note', 'Part of the demonstration of Tocsin; the county and its river are invented.'),
    ...(reference === undefined ? [] : [element('references', reference)]),
    '<info>',
    element('language', 'en-US'),
    element('category', warning.category),
    element('event', warning.event),
    element('responseType', warning.responseType),
    element('urgency', warning.urgency),
    element('severity', warning.severity),
    element('certainty', warning.certainty),
    element('effective', stamp(timeOf(minute))),
    element('expires', stamp(timeOf(untilMinute))),
    element('senderName', warning.senderName),
    element('headline', warning.headline),
    element('description', warning.description),
    element('instruction', warning.instruction),
    '<area>',
    element('areaDesc', warning.areaDesc),
    element('polygon', warning.polygon),
    '</area>',
    '</info>',
    '</alert>',
    '',
  ].join('\n')
}

const element = (name: string, text: string): string => `<${name}>${text}</${name}>`
