// What the golden logs hold: the same frames in every version, as far as it can keep them. log-v1 is older than numbers of frames and
// envelopes of MQTT, log-v1-numbered has both.

import type { Clock } from '../../gateway/clock.ts'
import type { NewFrame, NewRecord } from '../../gateway/log/log.ts'

const second = 1_000_000_000n
const start = 1_790_000_000n * second

export function goldenClock(): Clock {
  let now = start
  const tick = (): bigint => (now += 1_000_000n)
  return { now: tick, monotonic: tick }
}

function id(number: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Number(start / 1_000_000n) + number, 0, 6)
  bytes[6] = 0x70
  bytes[8] = 0x80
  bytes[15] = number
  return bytes
}

export function goldenFrames(): NewFrame[] {
  const frames = Array.from({ length: 24 }, (_, number): NewFrame => {
    const records = Array.from({ length: number % 4 }, (_record, index): NewRecord => {
      const event = Buffer.alloc(100 + number * 20, number + index)
      event.set([0x0a, 16, ...id(100 + number * 4 + index)])
      const header = {
        kind: 1,
        messageStatus: 1,
        subject: `urn:golden:${number}`,
        topic: 'gölden/topic',
        dedupKey: Buffer.from(`${number}/${index}`),
      } as const
      return {
        lane: number % 3 === 0 ? 'urgent' : 'routine',
        retention: index === 2 ? 'record' : 'standard',
        header,
        event,
      }
    })
    const common = {
      id: id(number),
      channel: 'gölden/topic',
      sender: 'mqtt:golden',
      payload: Buffer.alloc(number * 10, number),
      ...(number % 5 === 0 && { mqtt: { qos: 1, clientId: 'gölden', messageExpirySeconds: number } }),
    }
    return { frame: { ...common, fate: records.length > 0 ? 1 : 3 }, records }
  })
  const refused = {
    id: id(99),
    channel: 'gölden/topic',
    sender: 'mqtt:golden',
    payload: Buffer.from('broken'),
    fate: 5,
    why: 'not JSON',
    fault: 'syntax',
  } as const
  return [...frames, { frame: refused, records: [] }]
}
