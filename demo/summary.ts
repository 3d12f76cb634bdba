// What is left of the hour: counts by kind, what was refused and why, who has fallen silent. All of it is worked out from what the
// dispatcher was given, nothing from the story.

import { EventKind } from '../proto/generated/types.ts'
import type { Event, Frame } from '../proto/generated/types.ts'
import { timestampNs } from '../proto/time.ts'
import { nameOf } from '../gateway/cli/event-summary.ts'
import { counted, pad, safe, type Terminal } from '../gateway/cli/terminal.ts'
import { spanText } from '../gateway/cli/time.ts'
import { adviceFor } from '../gateway/refusal-advice.ts'

/** A device that reports regularly is silent when so many of its reports are missing. */
const missedMin = 3
const reportsMin = 3

export interface Silent {
  readonly device: string
  readonly silentMs: number
  readonly usualMs: number
}

/** Who reported regularly and has stopped, seen at `now`; the longest silence first. */
export function silentDevices(events: readonly Event[], now: Date): Silent[] {
  const heard = Map.groupBy(
    events.filter((event) => event.body === 'observation'),
    (event) => deviceOf(event),
  )
  const silent = [...heard].flatMap(([device, reports]): Silent[] => {
    const times = [...new Set(reports.map((event) => timeMs(event)))].toSorted((a, b) => a - b)
    if (times.length < reportsMin) return []
    const steps = times.slice(1).map((time, n) => time - times[n]!)
    const usualMs = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)]!
    const silentMs = now.getTime() - times.at(-1)!
    return silentMs > usualMs * missedMin ? [{ device, silentMs, usualMs }] : []
  })
  return silent.toSorted((a, b) => b.silentMs - a.silentMs)
}

export function countByKind(events: readonly Event[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { body } of events) {
    const kind = (body ?? 'unknown').replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

export function printSummary(
  events: readonly Event[],
  refusals: readonly Frame[],
  now: Date,
  terminal: Terminal,
): void {
  const { print, paint } = terminal
  const head = (text: string): void => print(`\n${paint('bold', text)}`)

  head(`The dispatcher saw ${counted(events.length, 'event')}`)
  const counts = [...countByKind(events)].toSorted(([, a], [, b]) => b - a)
  for (const [kind, count] of counts) {
    print(`  ${String(count).padStart(4)}  ${nameOf(EventKind, EventKind[kind as keyof typeof EventKind])}`)
  }
  const marked = events.filter(({ flags = [] }) => flags.length > 0)
  if (marked.length > 0) {
    const devices = [...new Set(marked.map(deviceOf))].join(', ')
    print(`  ${String(marked.length).padStart(4)}  of them marked: a value of ${safe(devices)} cannot be`)
  }

  head(`${counted(refusals.length, 'message')} in quarantine`)
  for (const { channel = '', fault = '', why = '' } of refusals) {
    print(`  ${safe(channel)}  ${paint('red', safe(fault))}: ${safe(why)}`)
  }
  for (const fault of new Set(refusals.map((frame) => frame.fault ?? ''))) print(`  ${pad('', 2)}${adviceFor(fault)}`)

  const silent = silentDevices(events, now)
  head(silent.length === 0 ? 'Nobody has fallen silent' : 'Silent')
  for (const { device, silentMs, usualMs } of silent) {
    print(`  ${safe(device)} has said nothing for ${spanText(silentMs)}; it used to every ${spanText(usualMs)}`)
  }
}

/** The name that its network gives it, else the device's own. */
export const deviceOf = ({ attributes = [], origin = {} }: Event): string =>
  attributes.find(({ name }) => name === 'device_name')?.value ?? origin.device ?? ''

const timeMs = (event: Event): number => Number((timestampNs(event.observedAt ?? event.receivedAt) ?? 0n) / 1_000_000n)
