// The connections to InfluxDB: directly or by a proxy, with the authorities that the settings add.

import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import { trustAlso } from '../../trust.ts'
import type { InfluxdbSettings } from './settings.ts'

export interface Transport {
  /** `path` with its query. */
  request(options: Omit<Dispatcher.RequestOptions, 'origin'>): Promise<Dispatcher.ResponseData>
  /** At once: a request that hangs would hold up the end of the gateway. */
  destroy(): Promise<void>
}

export function createTransport(settings: InfluxdbSettings, options: Omit<Pool.Options, 'connect'>): Transport {
  const { origin } = new URL(settings.url)
  const { authorities, proxy, timeoutMs: timeout } = settings
  if (authorities !== undefined) trustAlso(authorities)
  const dispatcher =
    proxy === undefined
      ? new Pool(origin, { ...options, connect: { timeout } })
      : new ProxyAgent({ uri: proxy, ...options, connect: { timeout }, requestTls: { timeout }, proxyTls: { timeout } })
  return {
    request: (request) => dispatcher.request({ ...request, origin }),
    destroy: () => dispatcher.destroy(),
  }
}

/** The same for the package influx, which asks by Node.js itself. */
export function agentOf({ url, authorities, proxy }: InfluxdbSettings): HttpAgent | undefined {
  if (authorities !== undefined) trustAlso(authorities)
  if (proxy === undefined) return undefined
  const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: '' }
  return url.startsWith('https:') ? new HttpsAgent({ proxyEnv }) : new HttpAgent({ proxyEnv })
}
