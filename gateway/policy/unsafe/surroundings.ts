// What stands around the gateway: how it was started, as whom, with which clock, and who else is on this machine.

import { DEFAULT_MIN_VERSION } from 'node:tls'
import { parseAddress } from '../../addresses.ts'
import { isLoopback } from '../principals.ts'
import type { Site } from './unsafe-check.ts'

/** No version of this software is older. Milliseconds since 1970-01-01 UTC. */
const madeAtMs = Date.UTC(2026, 10, 1)

export function* versionOld({ environment }: Site): Generator<string> {
  // Given to Node.js in the environment, or on its command line.
  if (/--tls-min-v1\.[01]\b/.test(environment['NODE_OPTIONS'] ?? '') || /^TLSv1(\.1)?$/.test(DEFAULT_MIN_VERSION))
    yield 'NODE_OPTIONS: Node.js was started so that it speaks TLS older than 1.2, which can be broken; take out --tls-min-v1.0 and --tls-min-v1.1'
}

export function* verificationOff({ environment }: Site): Generator<string> {
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    yield 'NODE_TLS_REJECT_UNAUTHORIZED: with 0 anybody can pass as InfluxDB or as another broker; take it out, and name the authority in tls.extra_ca'
}

export function* loopbackOpen({ settings }: Site): Generator<string> {
  const doors = [...settings['mqtt.listen'], settings['grpc.listen'], settings['http.listen']]
  const isOnNetwork = doors.some((door) => door !== 'off' && !isLoopback(parseAddress(door, 'listen').address))
  if (!isOnNetwork) return
  if (settings['access.loopback'])
    yield 'access.loopback: every program on this machine, and whoever comes by a proxy that hides that it is one, sees and does everything; set it to false, and give yourself a token'
  const open = settings['mqtt.listen'].filter((door) => isLoopback(parseAddress(door, 'mqtt.listen').address))
  if (settings['mqtt.anonymous'] && open.length > 0)
    yield `mqtt.anonymous: every program on this machine, and whoever comes by a proxy on it, may publish and read everything at ${open.join(', ')}; set it to false`
}

export function* runsAsRoot(): Generator<string> {
  if (process.getuid?.() === 0)
    yield 'the gateway runs as root, which a fault in it would give away; run it as a user of its own (deploy/tocsin.service does)'
}

export function* clockBehind({ now }: Site): Generator<string> {
  if (Number(now / 1_000_000n) < madeAtMs)
    yield 'the clock of this machine stands before this version was made; set it, and look at its battery'
}
