// "mqtt://127.0.0.1:1883", "127.0.0.1:50051", "[::1]:8080": addresses to listen on, as settings write them.

import { GatewayError } from '../proto/errors.ts'

export interface Address {
  /** '' when none is written. */
  readonly scheme: string
  readonly address: string
  /** 0: any free one. */
  readonly port: number
}

const portDefaults: Record<string, number> = {
  mqtt: 1883,
  mqtts: 8883,
  ws: 9001,
  wss: 9001,
  http: 8080,
  https: 8443,
}

/** Throws GatewayError settings_invalid naming `key`. */
export function parseAddress(text: string, key: string): Address {
  const match = /^(?:([a-z]+):\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+))(?::(\d{1,5}))?\/?$/.exec(text)
  const scheme = match?.[1] ?? ''
  const port = match?.[4] === undefined ? portDefaults[scheme] : Number(match[4])
  if (!match || port === undefined || port > 65_535) {
    throw new GatewayError(
      'settings_invalid',
      `${key}: "${text}" is not an address such as 127.0.0.1:8080 or mqtts://0.0.0.0:8883`,
    )
  }
  return { scheme, address: match[2] ?? match[3] ?? '', port }
}
