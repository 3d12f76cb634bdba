// Clients of MQTT 3.1.1 on raw sockets, and what they were given, for tests of sessions.

import { until, type TestBroker } from './broker.ts'
import { connected, mqtt, type RawMqtt, subscribePacket } from './raw-mqtt.ts'

export const unit = { clientId: 'unit', clean: false }

export interface Got {
  readonly payload: string
  readonly id: number
  readonly qos: number
  readonly dup: boolean
  readonly retain: boolean
}

/** The PUBLISH packets of MQTT 3.1.1 so far. */
export function got({ packets }: RawMqtt): Got[] {
  return packets
    .filter(({ type }) => type === mqtt.publish)
    .map(({ flags, body }) => {
      const after = 2 + body.readUInt16BE(0)
      const qos = (flags >> 1) & 3
      const payload = body.subarray(qos > 0 ? after + 2 : after).toString()
      const id = qos > 0 ? body.readUInt16BE(after) : 0
      return { payload, id, qos, dup: (flags & 8) === 8, retain: (flags & 1) === 1 }
    })
}

export const payloads = (raw: RawMqtt): string[] => got(raw).map(({ payload }) => payload)
/** '0', '1' … */
export const upTo = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => String(from + i))

/** A session of `unit` that is kept and whose client has gone. */
export async function away(broker: TestBroker, qos: 0 | 1 | 2 = 1): Promise<void> {
  const raw = await connected(broker.port, unit)
  raw.send(subscribePacket(['orders/#'], qos))
  await raw.packet(mqtt.suback)
  raw.close()
  await until(() => broker.broker.counts().connections === 0, 'it has gone')
}
