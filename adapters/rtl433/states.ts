// States that rtl_433 gives as words: "open", "ON", "MOTION TRIPPED". Only those whose meaning a decoder's source says are read;
// any other word stays an attribute.

import type { Measurement } from '../../proto/generated/types.ts'

type State = Pick<Measurement, 'quantity'> & { readonly flag: boolean }

/** Key → its word in lower case → state. */
const states: Readonly<Record<string, Readonly<Record<string, State>>>> = {
  state: {
    open: { quantity: 'contact_open', flag: true },
    closed: { quantity: 'contact_open', flag: false },
    on: { quantity: 'switch_on', flag: true },
    off: { quantity: 'switch_on', flag: false },
  },
  event: {
    open: { quantity: 'contact_open', flag: true },
    'door/window open': { quantity: 'contact_open', flag: true },
    'door/window closed': { quantity: 'contact_open', flag: false },
    'motion tripped': { quantity: 'motion', flag: true },
    'motion ready': { quantity: 'motion', flag: false },
    'button press': { quantity: 'button', flag: true },
  },
  extradata: {
    'contact open': { quantity: 'contact_open', flag: true },
    'contact closed': { quantity: 'contact_open', flag: false },
  },
}

/** Five latches of a sensor of Interlogix. */
export const isLatch = (key: string): boolean => key.startsWith('switch') && /^switch[1-5]$/.test(key)
const latchStates: Readonly<Record<string, boolean>> = { OPEN: true, CLOSED: false }

/** Undefined: the word is none of these. */
export function stateOf(
  key: string,
  value: unknown,
  message: Readonly<Record<string, unknown>>,
): Measurement | undefined {
  if (typeof value !== 'string') return undefined
  if (isLatch(key)) {
    const flag = Object.hasOwn(latchStates, value) ? latchStates[value] : undefined
    return flag === undefined ? undefined : { quantity: 'contact_open', value: 'flag', flag, channel: key }
  }
  const words = Object.hasOwn(states, key) ? states[key]! : undefined
  const word = value.toLowerCase()
  const state = words && Object.hasOwn(words, word) ? words[word]! : undefined
  // Where a flag says it as well, the flag is read.
  const hasContact = message['contact_open'] !== undefined || message['opened'] !== undefined
  if (!state || (state.quantity === 'contact_open' && hasContact)) return undefined
  return { quantity: state.quantity!, value: 'flag', flag: state.flag }
}
