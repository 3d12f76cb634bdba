// The one view that an output without readers of its own (InfluxDB, MQTT) is given: PUBLIC and OPS, and of what is beyond them only
// what the settings name. Events that carry a label beyond it are withheld whole; of others, single fields (redact.ts).

import { GatewayError } from '../../proto/errors.ts'
import { Discipline, Label } from '../../proto/generated/types.ts'
import type { Event, RecordHeader } from '../../proto/generated/types.ts'

/** What is not given unless a site names it. */
export type Included = 'PII' | 'PHI' | 'CJI' | 'law_enforcement_position'

export const includable = ['PII', 'PHI', 'CJI', 'law_enforcement_position'] as const satisfies readonly Included[]
export const labelsBeyond = ['PII', 'PHI', 'CJI'] as const satisfies readonly Included[]

/** Events or records that were withheld, by what they hold. */
export const newWithheld = (): Record<Included, number> => ({ PII: 0, PHI: 0, CJI: 0, law_enforcement_position: 0 })

/** What a setting names; throws GatewayError settings_invalid with the setting's key. */
export function includedOf(names: readonly string[], key: string): Included[] {
  return names.map((name) => {
    const found = includable.find((each) => each.toLowerCase() === name.toLowerCase())
    if (!found) throw new GatewayError('settings_invalid', `${key}: "${name}" is none of ${includable.join(', ')}`)
    return found
  })
}

/** Labels that hold for the event as a whole; what holds for fields only is taken out with them. */
export const labelsOfWhole = ({ labels = 0, fieldLabels = 0 }: RecordHeader): number => labels & ~fieldLabels

/** The first label of the mask that the view does not hold; undefined: none. */
export const labelWithheld = (mask: number, include: ReadonlySet<Included>): Included | undefined =>
  labelsBeyond.find((label) => (mask & (1 << Label[label])) !== 0 && !include.has(label))

/** Whether a place in the event may be told: those of law-enforcement units are not, unless they are named. */
export const mayTellPlace = (event: Event, include: ReadonlySet<Included>): boolean =>
  event.origin?.discipline !== Discipline.LAW_ENFORCEMENT || include.has('law_enforcement_position')
