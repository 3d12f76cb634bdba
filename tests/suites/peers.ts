// The brokers that are put to the suites: a gateway as its users run it, and Debian's mosquitto beside it for comparison.

import { startGatewayProcess } from '../gateway/process.ts'
import { startMosquitto } from '../tools/mosquitto.ts'

export interface Peer extends AsyncDisposable {
  readonly name: string
  readonly port: number
  /** One that it does not allow to subscribe to, where there is one. */
  readonly refusedFilter: string
}

export type PeerName = keyof typeof peers

// What paho's test of Server Keep Alive takes its broker to be set to: it asks for 120 s and wants to be told 60.
const keepAliveSecondsMax = 60

export const peers = {
  async tocsin(): Promise<Peer> {
    const gateway = await startGatewayProcess({ settings: { MQTT_KEEP_ALIVE_MAX: `${keepAliveSecondsMax}s` } })
    const [name, port] = ['tocsin', gateway.mqttPort]
    // No `$` topic but those of `$SYS` can be subscribed to (docs/mqtt.md).
    return {
      name,
      port,
      refusedFilter: '$nosubscribe',
      [Symbol.asyncDispose]: async () => void (await gateway.stop()),
    }
  },
  async mosquitto(): Promise<Peer> {
    const broker = await startMosquitto({ config: `max_keepalive ${keepAliveSecondsMax}` })
    const [name, port] = ['mosquitto', broker.port]
    return {
      name,
      port,
      refusedFilter: 'test/nosubscribe',
      [Symbol.asyncDispose]: async () => void (await broker.stop()),
    }
  },
}
