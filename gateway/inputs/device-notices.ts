// What a device is told of its messages, on `tocsin/refused/<its client id>`: what was wrong, where, and what to do. Never more than a
// little, so that a device that sends rubbish by the thousand gets no flood back; never a payload.

import type { OutgoingMessage } from '../../broker/port.ts'
import { cutAdvice } from '../../broker/reasons.ts'
import { rfc3339 } from '../../proto/time.ts'
import { clockAdvice, clockWords } from '../clock-faults.ts'
import type { Clock } from '../clock.ts'
import { idText } from '../ids.ts'
import { refusedTopic } from '../outputs/mqtt/topic.ts'
import { adviceFor } from '../refusal-advice.ts'
import type { Fate } from './receive.ts'

export interface DeviceNotices {
  /** Tells of a refusal, of a clock that is wrong, of a topic that nobody reads; of other fates there is nothing to tell. */
  settled(clientId: string, topic: string, receivedAt: bigint, fate: Fate): void
  /** A packet was not taken and the connection was closed for it. */
  cut(clientId: string, why: 'too_large' | 'protocol', detail: string): void
}

export interface DeviceNoticeParts {
  readonly clock: Clock
  publish(message: OutgoingMessage): void
  isWanted(topic: string): boolean
  /** Why no adapter reads a topic, and what to do. */
  whyUnread(topic: string): string
}

/** One a second for each client, and so many at once: enough to see what is wrong, too few to be a load. */
const noticesBurst = 20
const noticeEveryNs = 1_000_000_000n
/** A wrong clock, or topic, stays wrong: told once an hour. */
const warnEveryNs = 3_600_000_000_000n
/** Clients, and their warnings, that are remembered; the oldest is forgotten first. */
const rememberedMax = 10_000

interface Allowance {
  left: number
  since: bigint
  /** Since the last that was told. */
  untold: number
}

export function createDeviceNotices(parts: DeviceNoticeParts): DeviceNotices {
  const { clock } = parts
  const allowances = new Map<string, Allowance>()
  const warned = new Map<string, bigint>()

  function tell(clientId: string, notice: object): void {
    const topic = refusedTopic(clientId)
    if (!parts.isWanted(topic)) return
    const allowance = allowanceOf(clientId)
    if (allowance.left <= 0) {
      allowance.untold += 1
      return
    }
    allowance.left -= 1
    const said = allowance.untold > 0 ? { ...notice, not_told: allowance.untold } : notice
    allowance.untold = 0
    const payload = Buffer.from(JSON.stringify(said))
    parts.publish({
      topic,
      payload,
      qos: 1,
      properties: { contentType: 'application/json', payloadFormatIndicator: 1 },
    })
  }

  function allowanceOf(clientId: string): Allowance {
    const now = clock.monotonic()
    let allowance = allowances.get(clientId)
    if (!allowance) {
      forgetOldest(allowances)
      allowances.set(clientId, (allowance = { left: noticesBurst, since: now, untold: 0 }))
    }
    const earned = (now - allowance.since) / noticeEveryNs
    if (earned > 0n) {
      allowance.left = Math.min(noticesBurst, allowance.left + Number(earned))
      allowance.since += earned * noticeEveryNs
    }
    return allowance
  }

  function mayWarn(clientId: string, about: string): boolean {
    // Mostly nobody listens, and there is nothing to remember.
    if (!parts.isWanted(refusedTopic(clientId))) return false
    const key = `${clientId}\n${about}`
    const now = clock.monotonic()
    const last = warned.get(key)
    if (last !== undefined && now - last < warnEveryNs) return false
    warned.delete(key)
    forgetOldest(warned)
    warned.set(key, now)
    return true
  }

  return {
    settled(clientId, topic, receivedAt, fate) {
      const where = () => ({ frame_id: idText(fate.frameId), topic, received_at: rfc3339(receivedAt) })
      if (fate.fate === 'refused') {
        const { fault, why } = fate
        tell(clientId, { ...where(), fault, why, what_to_do: adviceFor(fault) })
      } else if (fate.fate === 'carried') {
        if (!mayWarn(clientId, `topic\n${topic}`)) return
        const what_to_do =
          'check the topic; a message between others needs nothing, it was delivered to its subscribers'
        tell(clientId, { ...where(), warning: 'topic', why: parts.whyUnread(topic), what_to_do })
      } else if (fate.fate === 'stored' && fate.clockFault) {
        const { device } = fate.clockFault
        if (!mayWarn(clientId, `clock\n${device}`)) return
        const why = clockWords(fate.clockFault)
        tell(clientId, { ...where(), warning: 'clock', why, what_to_do: clockAdvice })
      }
    },
    cut(clientId, why, detail) {
      tell(clientId, { fault: why, why: detail, what_to_do: cutAdvice[why], received_at: rfc3339(clock.now()) })
    },
  }
}

function forgetOldest(remembered: Map<string, unknown>): void {
  if (remembered.size < rememberedMax) return
  const [oldest] = remembered.keys()
  if (oldest !== undefined) remembered.delete(oldest)
}
