// What the tests of the audit share: an audit on a real or a faulty disk, with an anchor in memory, and a way to damage its files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemEventType } from '../../proto/generated/types.ts'
import { type Alarm, createAlarms } from '../../gateway/alarms.ts'
import { alarmNotes } from '../../gateway/audit/alarm-notes.ts'
import type { StateAnchor } from '../../gateway/audit/anchors.ts'
import type { Audit, AuditNote } from '../../gateway/audit/audit.ts'
import { entryAt, type Head } from '../../gateway/audit/chain.ts'
import { type AuditParts, createAudit } from '../../gateway/audit/create-audit.ts'
import { type Verified, verifyAudit } from '../../gateway/audit/verify.ts'
import { systemClock } from '../../gateway/clock.ts'

export interface MemoryAnchor extends StateAnchor {
  head: Head | undefined
}

export function memoryAnchor(head?: Head): MemoryAnchor {
  return {
    head,
    get() {
      return this.head
    },
    set(next) {
      this.head = next
      return Promise.resolve()
    },
  }
}

export interface AuditHouse {
  readonly dataDir: string
  readonly anchor: MemoryAnchor
  readonly audit: Audit
  readonly alarms: ReturnType<typeof createAlarms>
  verify(): Verified
}

const settingsDefault = { whenItFails: 'alarm', keepMs: 3 * 365 * 86_400_000 } as const

/** `notesAlarms`: alarms are entries, as they are in a gateway. */
export function openAudit(
  dataDir: string,
  parts: Partial<AuditParts> & { anchor?: MemoryAnchor; notesAlarms?: true } = {},
): AuditHouse {
  const clock = parts.clock ?? systemClock
  const told: ((alarm: Alarm, raised: boolean) => void)[] = []
  const alarms = createAlarms(clock, (alarm, raised) => told.forEach((each) => each(alarm, raised)))
  const anchor = parts.anchor ?? memoryAnchor()
  const audit = createAudit({
    dataDir,
    clock,
    alarms,
    site: { gateway: 'gateway.county-a.example', owner: 'em.county-a.example' },
    ...parts,
    settings: { ...settingsDefault, ...parts.settings },
    anchor: {
      get: () => anchor.get(),
      set: (head) => anchor.set(head),
    },
  })
  if (parts.notesAlarms) told.push(alarmNotes(audit))
  const verify = (): Verified => verifyFolder(dataDir, anchor.head, parts.disk)
  return { dataDir, anchor, audit, alarms, verify }
}

export const verifyFolder = (dataDir: string, anchor: Head | undefined, disk?: AuditParts['disk']): Verified =>
  verifyAudit({
    folder: join(dataDir, 'audit'),
    anchors: anchor ? [{ ...anchor, from: 'the anchor' }] : [],
    ...(disk && { disk }),
  })

export const noteOf = (number: number): AuditNote => ({
  action: 'sign_in',
  type: SystemEventType.SIGNED_IN,
  outcome: number % 7 === 0 ? 'denied' : 'done',
  principal: `mqtt:gauge-${number}`,
  address: `192.0.2.${number % 256}:${40_000 + (number % 20_000)}`,
  object: 'mqtt://127.0.0.1:1883',
  details: { protocol: 'MQTT 5', number: String(number) },
})

/** Every entry with the place of its bytes, length included. */
export function placesOf(file: Buffer): { number: number; from: number; to: number }[] {
  const places: { number: number; from: number; to: number }[] = []
  for (let at = 0; at < file.length;) {
    const placed = entryAt(file, at)
    if (!placed) break
    places.push({ number: placed.number, from: at, to: placed.end })
    at = placed.end
  }
  return places
}

export const auditFolderOf = (dataDir: string): string => join(dataDir, 'audit')
export const filesOf = (dataDir: string): string[] =>
  readdirSync(auditFolderOf(dataDir))
    .filter((name) => name.endsWith('.audit'))
    .toSorted()
    .map((name) => join(auditFolderOf(dataDir), name))

/** Digits of entries, as a reader would get them. */
export const numbersIn = (dataDir: string): number[] =>
  filesOf(dataDir).flatMap((path) => placesOf(readFileSync(path)).map(({ number }) => number))
