// What a sender may say, beside where it may publish: the one decision about events on their way in.

import type { Event } from '../../proto/generated/types.ts'
import type { Sender } from '../inputs/receive.ts'

/** Why this sender may not say this; undefined: it may. */
export function mayPublishEvent(_sender: Sender, event: Event): string | undefined {
  // Tocsin sends no command without a person: none is taken from a device, a program or a replay.
  if (event.body === 'command') return 'commands are not taken from senders; they are off until enabled for each device'
  // What a gateway says of itself comes from that gateway only.
  if (event.body === 'systemEvent' && event.origin?.system === 'tocsin') return 'only the gateway itself says this'
  return undefined
}
