// The HTTP proxy of the settings, for what this gateway asks by HTTP elsewhere.

import { GatewayError } from '../proto/errors.ts'
import { isLoopback } from './policy/principals.ts'
import type { Settings } from './settings.ts'

/** Undefined: `url` is asked directly. Throws GatewayError settings_invalid; nothing of a password is said. */
export function proxyFor(url: string, settings: Settings): string | undefined {
  const proxy = settings['proxy.url']
  if (!proxy) return undefined
  const place = URL.parse(proxy)
  if (!place || !/^https?:$/.test(place.protocol))
    throw new GatewayError(
      'settings_invalid',
      'proxy.url: must be an address such as http://proxy.county-a.example:3128',
    )
  const host = (URL.parse(url)?.hostname ?? '').replace(/^\[|\]$/g, '')
  return isLoopback(host) || settings['proxy.except'].some((name) => isBelow(host, name)) ? undefined : proxy
}

/** "county-a.example" is for itself and all below it. */
const isBelow = (host: string, name: string): boolean =>
  host === name || host.endsWith(name.startsWith('.') ? name : `.${name}`)
