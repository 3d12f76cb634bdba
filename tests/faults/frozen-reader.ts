// A subscriber that hangs: it connects, subscribes, and from then on takes nothing off its socket, while the connection stays.

import { connect } from 'node:net'
import { connectPacket, mqtt, rawMqtt, subscribePacket } from '../tools/raw-mqtt.ts'

export interface FrozenReader {
  /** The broker has closed the connection; seen only after `thaw`, since who does not read sees no end either. */
  readonly closed: Promise<void>
  /** Reads again: what the kernel held, then the end if there is one. */
  thaw(): void
  close(): void
}

export async function openFrozenReader(
  port: number,
  clientId: string,
  filters: readonly string[],
  { qos = 1, clean = true }: { readonly qos?: 0 | 1 | 2; readonly clean?: boolean } = {},
): Promise<FrozenReader> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const raw = rawMqtt(socket)
  raw.send(connectPacket({ clientId, clean, keepAlive: 3_600 }))
  await raw.packet(mqtt.connack)
  raw.send(subscribePacket(filters, qos))
  await raw.packet(mqtt.suback)
  socket.pause()
  return { closed: raw.closed, thaw: () => void socket.resume(), close: raw.close }
}
