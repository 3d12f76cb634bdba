// What the log repeats of an event beside its bytes, so that filters, permissions and indexes never open it.

import { latLngToCell } from 'h3-js'
import type { Frame } from '../adapters/adapter.ts'
import { EventKind, Label, MessageStatus, Severity } from '../proto/generated/types.ts'
import type { Event, Property, RecordHeader } from '../proto/generated/types.ts'
import { uint64 } from '../proto/int64.ts'
import { timestampNs } from '../proto/time.ts'
import { kindOf } from './lane.ts'
import { fieldLabels, fieldLabelsOfForeign, tellsLawEnforcementPlace } from './policy/labelled-fields.ts'
import type { Sender, Transport } from './inputs/receive.ts'

/** Reads what is written in our own schema, perhaps a newer one. */
const ownAdapter = 'tocsin'

/** Cells of 0.1 km²: fine enough to preselect, coarse enough to tell nobody's doorstep. */
const cellResolution = 9

export function recordHeader(
  event: Event,
  sender: Sender,
  frame: Frame,
  transport: Transport | undefined,
): RecordHeader {
  const { origin } = event
  const stated = labelsMask(event.handling?.labels)
  const inFields = origin?.adapter === ownAdapter ? fieldLabelsOfForeign(event) : fieldLabels(event)
  // One shape for all, with what nearly every event has; defaults are not written.
  const header: RecordHeader = {
    kind: event.body ? kindOf[event.body] : EventKind.UNSPECIFIED,
    messageStatus: event.messageStatus ?? MessageStatus.UNSPECIFIED,
    subject: event.subject ?? '',
    jurisdiction: origin?.jurisdiction ?? '',
    owner: origin?.owner ?? '',
    severity: event.severity ?? Severity.UNSPECIFIED,
    labels: stated | inFields,
    sender: sender.name,
    topic: frame.channel,
    qos: transport?.qos ?? 0,
    device: origin?.device ?? '',
    adapter: origin?.adapter ?? '',
  }
  if (event.dedupKey?.length) header.dedupKey = event.dedupKey
  if (event.expiresAt) header.expiresAtNs = uint64(timestampNs(event.expiresAt) ?? 0n)
  const { location } = event
  if (location?.latitude !== undefined && location.longitude !== undefined) {
    header.cell = uint64(BigInt(`0x${latLngToCell(location.latitude, location.longitude, cellResolution)}`))
  }
  if (location?.polygons?.length || location?.circles?.length) header.hasArea = true
  // What holds for the event as a whole cannot be taken out of it.
  const removable = inFields & ~stated
  if (removable) header.fieldLabels = removable
  if (tellsLawEnforcementPlace(event)) header.lawEnforcementPlace = true
  if (transport?.retain) header.retain = true
  if (frame.properties?.length) header.properties = propertiesOf(frame)
  return header
}

/** Bit n for label n. */
export function maskOf(labels: readonly Label[] | undefined): number {
  let mask = 0
  for (const label of labels ?? []) mask |= 1 << label
  return mask
}

/** The same; none stated means OPS. */
export const labelsMask = (labels: readonly Label[] | undefined): number => maskOf(labels) || 1 << Label.OPS

let asked: Frame['properties']
let answered: Property[] = []

/** A frame's own are asked for once, and once for each of its events. */
export function propertiesOf({ properties }: Frame): Property[] {
  if (properties !== asked) {
    asked = properties
    answered = (properties ?? []).map(([name, value]) => ({ name, value }))
  }
  return answered
}
