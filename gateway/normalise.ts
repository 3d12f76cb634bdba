// Turns what an adapter read into a whole event in the house's own words: id, times, provenance, origin, status, labels. Pure: clock,
// ids and the site's settings are passed in. What the source said is never overwritten, only completed.

import type { EventDraft } from '../adapters/adapter.ts'
import { Authenticity, ClockQuality, Flag, MessageStatus } from '../proto/generated/types.ts'
import type { Event, Label, Measurement, Origin } from '../proto/generated/types.ts'
import { timestamp, timestampNs } from '../proto/time.ts'
import type { Ids } from './ids.ts'
import type { Sender } from './inputs/receive.ts'
import { type UnknownQuantities, judge } from './quantities.ts'

/** A device's clock may run ahead by this much before it is called a fault. */
export const clockAheadNsMax = 300_000_000_000n
/** 2000-01-01: earlier times are clocks that were never set. */
export const clockSetSince = 946_684_800_000_000_000n

/** EAS test codes: tests whatever the status says (47 CFR 11.31). */
const testEventCodes: ReadonlySet<string> = new Set(['RWT', 'RMT', 'NPT', 'DMO'])

/** What a site says of an input, for formats that cannot say it themselves. */
export interface Site {
  readonly gateway: string
  readonly jurisdiction: string
  readonly owner: string
  readonly messageStatus: MessageStatus
  readonly labels: readonly Label[]
}

export interface Reading {
  readonly receivedAt: bigint
  readonly sender: Sender
  readonly adapter: { readonly name: string; readonly version: string }
  /** Taken from the channel, for formats whose messages do not name their device. */
  readonly device: string | undefined
  readonly site: Site
  readonly replayed: boolean
  readonly unknownQuantities?: UnknownQuantities | undefined
}

export function normalise(draft: EventDraft, reading: Reading, ids: Ids): Event {
  const { site, sender, receivedAt } = reading
  const received = timestamp(receivedAt)
  const device = draft.origin?.device || reading.device
  const event = {
    ...draft,
    // A decoded message tells its body by its prototype, which a copy leaves behind.
    body: draft.body,
    // Only a program that speaks our own schema gives an id; then it is the event's identity for good.
    id: draft.id?.length === 16 ? draft.id : ids.next(receivedAt),
    receivedAt: received,
    observedAt: draft.observedAt ?? received,
    clockQuality: draft.observedAt ? draft.clockQuality || ClockQuality.UNSYNCED : ClockQuality.ASSUMED,
    messageStatus: isTestAlert(draft) ? MessageStatus.TEST : draft.messageStatus || site.messageStatus,
    authenticity:
      draft.authenticity ||
      (sender.authenticity === 'authenticated' ? Authenticity.AUTHENTICATED : Authenticity.UNVERIFIED),
    origin: originOf(draft, device, reading),
    // What a sender says of the gateways before us counts only on a link between gateways.
    provenance: [{ gateway: site.gateway, receivedAt: received, link: sender.link }],
  } as Event
  keepUnknownFields(draft, event)
  if (draft.id?.length === 16 && !event.dedupKey?.length) event.dedupKey = draft.id
  if (!event.subject && device) event.subject = subjectOf(site.jurisdiction, device)
  if (!event.handling?.labels?.length) event.handling = { ...event.handling, labels: [...site.labels] }
  const flags = noticed(event, reading)
  if (flags.length > 0) event.flags = [...(event.flags ?? []), ...flags]
  return event
}

function originOf(draft: EventDraft, device: string | undefined, { site, adapter }: Reading): Origin {
  const origin: Origin = {
    ...draft.origin,
    jurisdiction: draft.origin?.jurisdiction || site.jurisdiction,
    owner: draft.origin?.owner || site.owner,
    adapter: adapter.name,
    adapterVersion: adapter.version,
  }
  if (device) origin.device = device
  return origin
}

// The same devices speak again and again, and a text that was there before is found in a table without being hashed. Many that
// invent names do no more than empty it.
const subjects = new Map<string, { readonly jurisdiction: string; readonly subject: string }>()
const subjectsMax = 10_000
const deviceCharsMax = 256

function subjectOf(jurisdiction: string, device: string): string {
  const known = subjects.get(device)
  if (known?.jurisdiction === jurisdiction) return known.subject
  const subject = `device:${jurisdiction}/${device}`
  if (subjects.size >= subjectsMax) subjects.clear()
  if (device.length <= deviceCharsMax) subjects.set(device, { jurisdiction, subject })
  return subject
}

/** protobufjs keeps the fields it does not know beside the message, where a copy does not see them. */
function keepUnknownFields(from: object, to: object): void {
  const { $unknowns: unknowns } = from as { $unknowns?: unknown }
  if (unknowns !== undefined) Object.defineProperty(to, '$unknowns', { value: unknowns, enumerable: false })
}

/** What is wrong is flagged and shown; neither time nor value is rewritten, and the event is still delivered. */
function noticed(event: Event, reading: Reading): Flag[] {
  const flags: Flag[] = []
  const observedAt = timestampNs(event.observedAt) ?? reading.receivedAt
  if (observedAt > reading.receivedAt + clockAheadNsMax || observedAt < clockSetSince) flags.push(Flag.CLOCK_FAULT)
  if (judge(measurementsOf(event), reading.adapter.name, reading.unknownQuantities)) flags.push(Flag.OUT_OF_RANGE)
  if (reading.replayed) flags.push(Flag.REPLAYED)
  return flags
}

function measurementsOf(event: Event): readonly Measurement[] | undefined {
  if (event.body === 'observation') return event.observation.measurements
  return event.body === 'detection' ? event.detection.measurements : undefined
}

function isTestAlert(draft: EventDraft): boolean {
  if (draft.body !== 'alert') return false
  return (draft.alert.infos ?? []).some((info) =>
    (info.eventCodes ?? []).some((code) => testEventCodes.has(code.value ?? '')),
  )
}
