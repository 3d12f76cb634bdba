// What became of a message, and what a person can do about it.

import { Fate, Lane } from '../../proto/generated/types.ts'
import type { FrameFate } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import { idText } from '../ids.ts'
import { adviceFor, carriedAdvice } from '../refusal-advice.ts'
import { nameOf } from './event-summary.ts'
import { pad, safe, type Style, type Terminal } from './terminal.ts'
import { spanText, stampText } from './time.ts'

const words: Readonly<Record<Fate, readonly [word: string, style: Style, meaning: string]>> = {
  [Fate.UNSPECIFIED]: ['UNKNOWN', 'dim', 'nothing is known of it'],
  [Fate.STORED]: ['STORED', 'green', 'every event of it is in the log'],
  [Fate.DUPLICATE]: ['DUPLICATE', 'yellow', 'it was here before; nothing was stored again'],
  [Fate.IGNORED]: ['IGNORED', 'yellow', 'sound, but it says nothing that the schema knows; the message is kept'],
  [Fate.CARRIED]: [
    'CARRIED',
    'cyan',
    'delivered to MQTT subscribers; no adapter reads its topic, so there is no event',
  ],
  [Fate.REFUSED]: ['REFUSED', ['red', 'bold'], 'kept in quarantine with its bytes'],
  [Fate.NOT_TAKEN]: ['NOT TAKEN', ['red', 'bold'], 'never acknowledged; the sender still has it'],
  [Fate.WAITING]: [
    'WAITING',
    'yellow',
    'kept, and given to nobody until its device is admitted: tocsin devices waiting',
  ],
  [Fate.PENDING]: ['PENDING', 'yellow', 'on its way to the disk'],
}

export function printFate(fate: FrameFate, { print, paint }: Terminal): void {
  const [word, style, meaning] = words[fate.fate ?? Fate.UNSPECIFIED] ?? words[Fate.UNSPECIFIED]
  const received = timestampNs(fate.receivedAt)
  const settled = timestampNs(fate.settledAt)
  const took =
    received !== undefined && settled !== undefined && settled >= received
      ? `, settled after ${spanText(Number(settled - received) / 1e6)}`
      : ''
  print(`${paint(style, pad(word, 9))}  ${meaning}`)
  const row = (name: string, text: string): void => print(`  ${paint('dim', pad(name, 9))}${text}`)
  if (received !== undefined) row('received', `${stampText(received)}${took}`)
  row(
    'came by',
    `${safe(fate.channel || '–')} from ${safe(fate.sender || '–')}${fate.adapter ? `, read by ${safe(fate.adapter)}` : ''}`,
  )
  if (fate.why) row('why', `${fate.fault ? `${safe(fate.fault)}: ` : ''}${safe(fate.why)}`)
  for (const warning of fate.warnings ?? []) row('warning', safe(warning))
  if (fate.fate === Fate.REFUSED) row('to do', adviceFor(fate.fault ?? ''))
  if (fate.fate === Fate.CARRIED) row('to do', carriedAdvice)
  if (fate.frameId?.length) row('frame', idText(fate.frameId))
  for (const place of fate.places ?? []) {
    row(
      'event',
      `${place.eventId?.length ? idText(place.eventId) : '(removed)'}  ${nameOf(Lane, place.lane)} ${place.sequence}`,
    )
  }
}
