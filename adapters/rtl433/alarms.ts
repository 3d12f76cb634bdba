// When a sensor states that something is wrong. Radio sensors of burglar alarms say little of themselves, so only what a decoder's
// documentation calls an alarm is one here; what a site knows of its own sensors it declares (option `alarms`, README.md).
//
// Interlogix heat, freeze and panic are not in the table: nobody has said which of their five latches is the alarm. That it is the
// second one of a smoke detector shows in recordings of one at rest and in smoke (merbanan/rtl_433_tests, interlogix/05; at rest
// switch1 is OPEN, merbanan/rtl_433#1856). Nor is DSC: its sensors do not say what they are (#1731).

import { z } from 'zod'
import { MessageStatus } from '../../proto/generated/types.ts'
import type { Detection } from '../../proto/generated/types.ts'

export interface AlarmRule {
  /** A model, or the beginning of a device's path; absent: whatever has the field. */
  readonly device?: string | undefined
  readonly subtype?: string | undefined
  readonly field: string
  readonly equals: string | number | boolean
  readonly agent: string
  readonly incidentType?: string | undefined
  readonly isTest?: boolean
  readonly isSilenced?: boolean
}

const water = { agent: 'water', incidentType: 'ALRWTR' }
const smoke = { agent: 'smoke', incidentType: 'ALRF' }

const builtIn: readonly AlarmRule[] = [
  { field: 'water', equals: 1, ...water },
  { field: 'detect_wet', equals: 1, ...water },
  { field: 'leak_detected', equals: 1, ...water },
  { device: 'Govee-Water', field: 'event', equals: 'Water Leak', ...water },
  { device: 'Fineoffset-WH55', field: 'alarm', equals: 1, ...water },
  { device: 'Cavius-Security', field: 'text', equals: 'Warning/Water detected', ...water },
  { device: 'Cavius-Security', field: 'text', equals: 'Fire alarm', ...smoke },
  { device: 'Cavius-Security', field: 'text', equals: 'Test alarm', ...smoke, isTest: true },
  { device: 'Cavius-Security', field: 'text', equals: 'Alarm muted', ...smoke, isSilenced: true },
  // It transmits when it sounds, and when it is taught.
  { device: 'Smoke-GS558', field: 'learn', equals: 0, ...smoke },
  { device: 'Honeywell-Security', field: 'alarm', equals: 1, agent: 'alarm' },
  { device: 'Visonic-Powercode', field: 'alarm', equals: 1, agent: 'alarm' },
  { device: 'Chuango-Security', field: 'cmd', equals: 'Alarm', agent: 'alarm' },
  { device: 'Interlogix-Security', subtype: 'smoke', field: 'switch2', equals: 'OPEN', ...smoke },
  { device: 'Interlogix-Security', subtype: 'glass', field: 'switch1', equals: 'CLOSED', agent: 'glass_break' },
  { device: 'X10-Security', field: 'event', equals: 'KR15 PANIC', agent: 'panic_button' },
  { device: 'X10-Security', field: 'event', equals: 'KR15 PANIC-3SECOND', agent: 'panic_button' },
  { device: 'X10-Security', field: 'event', equals: 'KR18 PANIC', agent: 'panic_button' },
  { device: 'SimpliSafe-Keypad', field: 'extradata', equals: 'Keypad Panic Button', agent: 'panic_button' },
]

/** What a site declares of its own sensors. */
export const alarmForm = z.strictObject({
  /** "DSC-Security/5175788", or "DSC-Security" for all of them. */
  device: z.string().min(1).max(256),
  field: z.string().min(1).max(128),
  equals: z.union([z.string(), z.number(), z.boolean()]),
  agent: z.string().min(1).max(64),
  incident_type: z.string().min(1).max(16).optional(),
})

export type Alarms = (device: string, message: Readonly<Record<string, unknown>>) => readonly Alarm[]

export interface Alarm {
  readonly detection: Detection
  readonly messageStatus?: MessageStatus
}

const none: readonly Alarm[] = []

export function createAlarms(declared: readonly z.infer<typeof alarmForm>[]): Alarms {
  const sites = declared.map(({ incident_type: incidentType, ...rule }) => ({ ...rule, incidentType }))
  const rules = [...sites, ...builtIn].map((rule) => ({ ...rule, ...(rule.device && { device: joined(rule.device) }) }))
  const byField = Map.groupBy(rules, ({ field }) => field)

  return function alarmsOf(device, message) {
    let found: Alarm[] | undefined
    const path = joined(device)
    for (const field in message) {
      const candidates = byField.get(field)
      const rule = candidates?.find((each) => fits(each, path, message, field))
      // One sensor says one thing once, by whatever fields.
      if (!rule || found?.some(({ detection }) => detection.agent === rule.agent)) continue
      ;(found ??= []).push(alarmOf(rule, field, message[field]))
    }
    return found ?? none
  }
}

/** Before 2019 models had blanks: "SimpliSafe Sensor". */
const joined = (path: string): string => path.replaceAll(/[ _]/g, '-')

function fits(rule: AlarmRule, device: string, message: Readonly<Record<string, unknown>>, field: string): boolean {
  if (String(message[field]) !== String(rule.equals)) return false
  if (rule.subtype !== undefined && message['subtype'] !== rule.subtype) return false
  return rule.device === undefined || device === rule.device || device.startsWith(`${rule.device}/`)
}

function alarmOf({ agent, incidentType, isTest, isSilenced }: AlarmRule, field: string, value: unknown): Alarm {
  return {
    detection: {
      agent,
      alarm: true,
      channel: field,
      sourceCode: String(value),
      ...(incidentType !== undefined && { proposedIncidentType: incidentType }),
      ...(isSilenced && { silenced: true }),
    },
    ...(isTest && { messageStatus: MessageStatus.TEST }),
  }
}
