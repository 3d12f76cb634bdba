// Where the gateway listens, as it is shown to people, and what is said when somebody else listens there already.

import type { ListenerAddress } from '../broker/port.ts'
import { GatewayError } from '../proto/errors.ts'
import type { Settings } from './settings.ts'

const schemes: Readonly<Record<ListenerAddress['kind'], string>> = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' }

/** "mqtt://127.0.0.1:1883". */
export const mqttUrl = ({ kind, address, port }: ListenerAddress): string =>
  `${schemes[kind]}://${bracketed(address)}:${port}`

/** The port that was really given, where the settings left it open. */
export const withPort = (address: string, port: number): string => address.replace(/:\d+$/, `:${port}`)

export const httpUrl = (address: string): string => (address.includes('://') ? address : `http://${address}`)

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Rejects with GatewayError port_taken, which says what to do. */
export async function orPortTaken(starting: Promise<void>, settings: Settings): Promise<void> {
  try {
    await starting
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    const places = settings['mqtt.listen'].join(', ')
    throw new GatewayError(
      'port_taken',
      `MQTT cannot listen on ${places}: stop the program that does (is a mosquitto running?), or set other addresses in mqtt.listen`,
      { cause: error },
    )
  }
}
