// What the matrix of doors looks for: events and messages that carry marks, who may see which by his role, and marks in an answer.

import { Discipline, Label } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { eventOf } from './grpc-house.ts'

/** What a mark asks for. FRAMES: messages as they were received; WAITING: what waits for its device. */
export type Need = 'PUBLIC' | 'OPS' | 'PII' | 'PHI' | 'CJI' | 'PLACE' | 'FRAMES' | 'WAITING'

export const sees: Readonly<Record<string, readonly Need[]>> = {
  public: ['PUBLIC'],
  observer: ['PUBLIC', 'OPS'],
  dispatcher: ['PUBLIC', 'OPS', 'PII', 'PLACE'],
  medical: ['PUBLIC', 'OPS', 'PII', 'PHI'],
  law_enforcement: ['PUBLIC', 'OPS', 'PII', 'CJI', 'PLACE'],
  records: ['PUBLIC', 'OPS', 'PII', 'PHI', 'CJI', 'PLACE', 'FRAMES'],
  commander: ['PUBLIC', 'OPS'],
  operator: ['PUBLIC', 'OPS', 'FRAMES', 'WAITING'],
  publisher: [],
  auditor: [],
  /** Whose token nobody knows. */
  stranger: [],
}
export const roles = Object.keys(sees)
export const reading = roles.filter((role) => sees[role]!.length > 0)

export interface Mark {
  readonly name: string
  readonly needs: readonly Need[]
  readonly bytes: readonly Buffer[]
  /** Sent as an event; the others come by MQTT. */
  readonly event?: Event
}

export const textOf = (name: string): string => `MARK-${name}-END`
const mark = (name: string, needs: readonly Need[], event?: (text: string) => Event): Mark => ({
  name,
  needs,
  bytes: [Buffer.from(textOf(name))],
  ...(event && { event: event(textOf(name)) }),
})

const labelled = (labels: readonly Label[], text: string): Event =>
  eventOf({ subject: `urn:dev:${text}`, texts: [{ headline: text }], handling: { labels: [...labels] } })
const within = (body: object): Event => eventOf(body as Event)
const unit = { discipline: Discipline.LAW_ENFORCEMENT, jurisdiction: 'county-a.example' }

/** A latitude that nothing else has, as text and as the wire has it. */
const latitude = 38.123_456_7
const latitudeBytes = Buffer.alloc(8)
latitudeBytes.writeDoubleLE(latitude)

export const marks: readonly Mark[] = [
  mark('public', ['PUBLIC'], (text) => labelled([Label.PUBLIC], text)),
  mark('ops', ['OPS'], (text) => labelled([Label.OPS], text)),
  mark('none', ['OPS'], (text) => labelled([], text)),
  mark('pii', ['PII'], (text) => labelled([Label.PII], text)),
  mark('phi', ['PHI'], (text) => labelled([Label.PHI], text)),
  mark('cji', ['CJI'], (text) => labelled([Label.CJI], text)),
  mark('all', ['PII', 'PHI', 'CJI'], (text) => labelled([Label.PII, Label.PHI, Label.CJI], text)),
  mark('pii-field', ['OPS', 'PII'], (callerName) => within({ body: 'call', call: { callerName } })),
  mark('phi-field', ['OPS', 'PHI'], (medical) => within({ body: 'alarm', alarm: { medical } })),
  mark('cji-field', ['OPS', 'CJI'], (text) =>
    within({ body: 'incident', incident: { cautions: [{ text }], persons: [{}] } }),
  ),
  mark('agent', ['OPS', 'PII'], (agent) => within({ origin: { agent, jurisdiction: 'county-a.example' } })),
  mark('position', ['OPS', 'PLACE'], (text) =>
    within({
      subject: text,
      origin: unit,
      location: { latitude: 38, longitude: -121 },
      body: 'position',
      position: {},
    }),
  ),
  {
    name: 'place',
    needs: ['OPS', 'PLACE'],
    bytes: [Buffer.from(String(latitude)), latitudeBytes],
    event: within({
      origin: unit,
      location: { latitude, longitude: -121 },
      body: 'unitStatus',
      unitStatus: { local: 'en route' },
    }),
  },
  mark('raw-open', ['OPS']),
  mark('raw-cji', ['CJI']),
  // Fields of an alert, the second with a label.
  mark('headline', ['PUBLIC']),
  mark('contact', ['PUBLIC', 'PII']),
  mark('refused-open', ['OPS', 'FRAMES']),
  mark('refused-cap', ['OPS', 'PII', 'FRAMES']),
  mark('refused-cji', ['CJI', 'FRAMES']),
  // A device behind a system, that nobody has admitted.
  mark('waiting', ['WAITING']),
  // A field of a version to come: of it nothing is known.
  mark('unknown', ['OPS', 'PII', 'PHI', 'CJI']),
]

export const may = (role: string, { needs }: Mark): boolean => needs.every((need) => sees[role]!.includes(need))

export const alertOf = (headline: string, contact: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>matrix-1</identifier><sender>w@example</sender><sent>2026-11-25T12:00:00-00:00</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info>
    <category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity>
    <certainty>Likely</certainty><headline>${headline}</headline><contact>${contact}</contact>
    <area><areaDesc>Here</areaDesc><polygon>38,-121 38,-120 39,-120 38,-121</polygon></area>
  </info>
</alert>`

/** What is in an answer, whatever it is wrapped in: base64 of JSON is opened as well. */
export function found(answer: Buffer): string[] {
  const opened = [...answer.toString('latin1').matchAll(/[A-Za-z0-9+/_-]{24,}={0,2}/g)].map(([text]) =>
    Buffer.from(text, 'base64'),
  )
  return marks
    .filter(({ bytes }) => bytes.some((each) => [answer, ...opened].some((part) => part.indexOf(each) >= 0)))
    .map(({ name }) => name)
}
