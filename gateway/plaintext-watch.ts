// Plaintext doors while the gateway runs: what came by them, an alarm when their last day is near, their end, and an entry in the audit each
// day, so that none is forgotten.

import type { BrokerEvent } from '../broker/port.ts'
import { SystemEventType } from '../proto/generated/types.ts'
import type { PlaintextExceptionStatus } from '../proto/generated/types.ts'
import { nsPerMs, timestamp } from '../proto/time.ts'
import type { Alarms } from './alarms.ts'
import type { Audit } from './audit/audit.ts'
import type { Clock } from './clock.ts'
import type { Family } from './http/metrics.ts'
import type { Take } from './inputs/receive.ts'
import { doorName, endOf, type PlaintextDoor } from './policy/plaintext-doors.ts'

export interface PlaintextWatch {
  /** Counts messages on their way; the same function where there is no such door. */
  counting(take: Take): Take
  /** Whether one of this address may come in by this door now. */
  admits(door: PlaintextDoor, address: string): boolean
  hear(event: BrokerEvent): void
  /** Begins to look at the days; `cut` closes what is connected under a name. */
  start(cut: (principal: string) => void): void
  states(): PlaintextExceptionStatus[]
  families(): readonly Family[]
  /** Notes what came since it was last noted. */
  stop(): void
}

interface Parts {
  readonly doors: readonly PlaintextDoor[]
  readonly clock: Clock
  readonly alarms: Alarms
  readonly audit: Pick<Audit, 'note'>
}

const lookEveryMs = 60_000
const dayMs = 86_400_000
/** Days before the end at which it is said again. */
const saidAtDays = [30, 7, 1, 0] as const

interface Watched {
  readonly door: PlaintextDoor
  connections: number
  messages: number
  turnedAway: number
  /** Of `saidAtDays`, the last that was said. */
  said: number | undefined
  notedDay: number | undefined
}

export function createPlaintextWatch({ doors, clock, alarms, audit }: Parts): PlaintextWatch {
  const byName = new Map<string, Watched>(
    doors.map((door) => [
      doorName(door),
      { door, connections: 0, messages: 0, turnedAway: 0, said: undefined, notedDay: undefined },
    ]),
  )
  const watched = [...byName.values()]
  const nowMs = (): number => Number(clock.now() / nsPerMs)
  let timer: NodeJS.Timeout | undefined

  function look(each: Watched, cut: (principal: string) => void): void {
    const { door } = each
    const leftMs = endOf(door) - nowMs()
    const stage = saidAtDays.findLast((days) => leftMs <= days * dayMs)
    if (stage !== each.said) {
      // Raised anew, so that it is said again.
      alarms.clear('plaintext_exception', door.name)
      if (stage !== undefined) alarms.raise('plaintext_exception', door.name, endingText(door, leftMs))
      each.said = stage
    }
    if (leftMs <= 0) cut(doorName(door))
    const day = Math.floor(nowMs() / dayMs)
    if (day === each.notedDay) return
    each.notedDay = day
    note(each)
  }

  function note({ door, connections, messages, turnedAway }: Watched): void {
    audit.note({
      action: 'plaintext_exception',
      type: SystemEventType.ELEMENT_STATE_CHANGE,
      outcome: 'done',
      object: door.name,
      text: door.reason,
      details: {
        listen: door.listen,
        only_from: door.onlyFrom.join(', '),
        until: door.until,
        officer: door.approvedBy.officer,
        connections: String(connections),
        messages: String(messages),
        turned_away: String(turnedAway),
      },
    })
  }

  const counted = (name: string, help: string, count: (each: Watched) => number): Family => ({
    name,
    kind: 'counter',
    help,
    read: () => watched.map((each) => ({ labels: { exception: each.door.name }, value: count(each) })),
  })

  return {
    counting(take) {
      if (byName.size === 0) return take
      return (sender, frame, transport, told) => {
        const each = byName.get(sender.name)
        if (each) each.messages++
        take(sender, frame, transport, told)
      }
    },
    admits(door, address) {
      if (door.admits(address) && !door.isOver(clock.now())) return true
      const each = byName.get(doorName(door))
      if (each) each.turnedAway++
      return false
    },
    hear(event) {
      const each = event.kind === 'connected' && byName.get(event.listener)
      if (each) each.connections++
    },
    start(cut) {
      const lookAtAll = (): void => watched.forEach((each) => look(each, cut))
      if (watched.length === 0) return
      lookAtAll()
      timer = setInterval(lookAtAll, lookEveryMs).unref()
    },
    states: () =>
      watched.map(({ door, connections, messages, turnedAway }) => ({
        name: door.name,
        listen: door.listen,
        onlyFrom: [...door.onlyFrom],
        topics: [...door.topics],
        reason: door.reason,
        endsAt: timestamp(BigInt(endOf(door)) * nsPerMs),
        officer: door.approvedBy.officer,
        connections,
        messages,
        turnedAway,
      })),
    families: () =>
      watched.length === 0
        ? []
        : [
            counted(
              'tocsin_plaintext_connections_total',
              'Connections over plain text that an exception allows, since the start.',
              (each) => each.connections,
            ),
            counted(
              'tocsin_plaintext_messages_total',
              'Messages over plain text that an exception allows, since the start; they are UNVERIFIED.',
              (each) => each.messages,
            ),
            counted(
              'tocsin_plaintext_turned_away_total',
              'Connections to such a listener that were turned away, since the start.',
              (each) => each.turnedAway,
            ),
          ],
    stop() {
      clearInterval(timer)
      watched.forEach(note)
    },
  }
}

function endingText({ name, listen, until }: PlaintextDoor, leftMs: number): string {
  const what = `The exception ${name} for plain text on ${listen}`
  if (leftMs <= 0)
    return `${what} ended with ${until}: its devices are turned away. Move them to TLS, or set a new day in plaintext_exceptions and restart.`
  return `${what} ends with ${until}, in ${Math.ceil(leftMs / dayMs)} days: move its devices to TLS, or have it approved anew.`
}
