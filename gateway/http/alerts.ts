// Which alerts hold: of all that are kept the latest of each, without what was cancelled, replaced or ran out. Only the sender of an
// alert can take it back, and an exercise takes back nothing real.

import { Action, AlertScope, EventKind, MessageStatus, Relation } from '../../proto/generated/types.ts'
import type { Alert, Event } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { View } from '../grpc/access.ts'
import type { CompiledFilter } from '../grpc/filter.ts'
import type { Log, StoredRecord } from '../log/log.ts'

export type AlertState = 'in-force' | 'cancelled' | 'superseded' | 'expired'

export interface FoundAlert {
  readonly record: StoredRecord
  readonly event: Event
  readonly alert: Alert
  readonly state: AlertState
}

export interface AlertsWanted {
  readonly view: View
  readonly filter: CompiledFilter
  readonly status: MessageStatus
  /** Beside those in force. */
  readonly states: readonly AlertState[]
  readonly now: bigint
}

const eventCodec = codec('tocsin.v1.Event')
const alertKind = new Set([EventKind.ALERT])

/** Newest first; public ones only. */
export function findAlerts(log: Pick<Log, 'current'>, wanted: AlertsWanted): FoundAlert[] {
  const all = log.current(alertKind).flatMap((kept) => {
    const record = wanted.view.shown(kept)
    if (!record || record.removed) return []
    const event = eventCodec.decode(record.event)
    return event.body === 'alert' && event.messageStatus === wanted.status
      ? [{ record, event, alert: event.alert }]
      : []
  })
  const takenBack = takenBackBy(all)
  return all
    .filter(({ record, event, alert }) => isShown(event, alert) && wanted.filter.passes(record))
    .map((each) => ({ ...each, state: stateOf(each, takenBack, wanted.now) }))
    .filter(({ state }) => state === 'in-force' || wanted.states.includes(state))
    .toSorted((a, b) => (a.record.loggedAt < b.record.loggedAt ? 1 : -1))
}

interface Kept {
  readonly event: Event
  readonly alert: Alert
}

/** Cancels, acknowledgements and errors speak of alerts, and are none. Restricted and private ones are for those they name. */
function isShown({ action = Action.UNSPECIFIED }: Event, { scope }: Alert): boolean {
  const isAlert = action === Action.UNSPECIFIED || action === Action.REPORT || action === Action.UPDATE
  return isAlert && scope === AlertScope.PUBLIC
}

type TakenBack = ReadonlyMap<string, 'cancelled' | 'superseded'>

const nameOfAlert = ({ sender = '' }: Alert, subject = ''): string => `${sender}\n${subject}`

function takenBackBy(all: readonly Kept[]): TakenBack {
  const states = new Map<string, 'cancelled' | 'superseded'>()
  for (const { event, alert } of all) {
    for (const { subject = '', relation } of event.references ?? []) {
      const name = nameOfAlert(alert, subject)
      // Of an alert that was replaced and then cancelled the last word is that it was cancelled.
      if (relation === Relation.CANCELS) states.set(name, 'cancelled')
      else if (relation === Relation.SUPERSEDES && !states.has(name)) states.set(name, 'superseded')
    }
  }
  return states
}

function stateOf({ event, alert }: Kept, takenBack: TakenBack, now: bigint): AlertState {
  const ended = takenBack.get(nameOfAlert(alert, event.subject))
  if (ended) return ended
  const expiries = (alert.infos ?? []).map(({ expiresAt }) => timestampNs(expiresAt))
  // CAP 1.2 §3.2.2: who states no end leaves it to the recipient; here it holds until it is taken back.
  const hasEnded = expiries.length > 0 && expiries.every((at) => at !== undefined && at <= now)
  return hasEnded ? 'expired' : 'in-force'
}
