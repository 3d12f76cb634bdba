// What the MQTT output has done, in numbers that only grow. Every record is in one of them.

import { type Included, newWithheld } from '../../policy/configured-view.ts'

export interface MqttOutMetrics {
  /** Messages given to the broker, by form. */
  published: Record<'protobuf' | 'json', number>
  /** Records that no subscriber asked for. */
  unasked: number
  /** Records that were withheld for what they hold, while anybody listened. */
  withheld: Record<Included, number>
  /** Records of which single fields were taken out. */
  redacted: number
  /** Drafts and commands, which are not published; records whose payload was removed or that cannot be read. */
  leftOut: Record<'draft' | 'command' | 'removed' | 'unreadable', number>
  /** Records that were gone before they could be published. */
  missed: number
}

export const newMqttOutMetrics = (): MqttOutMetrics => ({
  published: { protobuf: 0, json: 0 },
  unasked: 0,
  withheld: newWithheld(),
  redacted: 0,
  leftOut: { draft: 0, command: 0, removed: 0, unreadable: 0 },
  missed: 0,
})
