// The whole gateway with sockets, clock and disk passed in, from seeds: publishers and sessions of every QoS through cuts, takeovers,
// crashes and losses of power. TOCSIN_SEED=n runs one seed; TOCSIN_SEEDS=n so many.

import { expect, test } from 'vitest'
import { type GatewayFaults, startSimulatedGateway } from './faults/simulated-gateway.ts'
import type { Version } from './prove/message-traits.ts'
import { runTraffic, wrongdoings } from './prove/traffic.ts'

const only = process.env['TOCSIN_SEED']
const seeds = Number(process.env['TOCSIN_SEEDS'] ?? 2)
const messages = 1_000

const storms: readonly (readonly [string, Version, GatewayFaults & { readonly crashes: number }])[] = [
  ['crashes', 4, { powerEach: 0, diskErrors: 0, crashes: 3 }],
  ['losses of power', 4, { powerEach: 60, diskErrors: 0, crashes: 0 }],
  ['a failing disk, crashes and losses of power', 4, { powerEach: 40, diskErrors: 0.01, crashes: 2 }],
  ['MQTT 5, crashes and losses of power', 5, { powerEach: 60, diskErrors: 0, crashes: 2 }],
]

test.each(storms)(
  '%s: nothing lost to a session, doubled or out of order',
  { timeout: 120_000 },
  async (_, version, storm) => {
    const first = only === undefined ? 1 : Number(only)
    let losses = 0
    for (let seed = first; seed < first + (only === undefined ? seeds : 1); seed++) {
      const gateway = await startSimulatedGateway(seed, storm)
      const traffic = await runTraffic({
        port: gateway.dial,
        version,
        seed,
        messages,
        kills: storm.crashes,
        eventEach: 40,
        kill: gateway.crash,
        storm: gateway.storm,
        calm: gateway.calm,
        say: () => {},
      })
      await gateway.stop()
      const { verdict, acknowledged, events } = traffic
      const { invertedWithinQos, repeats, expired, examples } = verdict
      const wrong = [...examples, ...traffic.wrong, ...gateway.wrong]
      const happened = `${acknowledged} acknowledged, ${repeats} repeats, ${expired} expired, ${gateway.powerLosses} losses of power, ${JSON.stringify(events)}`
      expect({ ...wrongdoings(traffic), invertedWithinQos, wrong }, `TOCSIN_SEED=${seed}: ${happened}`).toEqual({
        lost: 0,
        doubled: 0,
        inverted: 0,
        invertedWithinQos: 0,
        'stale retained': 0,
        invented: 0,
        'wrongly flagged as retained': 0,
        'sessions lost': 0,
        'again unprovoked': 0,
        'wrong in MQTT 5': 0,
        wrong: [],
      })
      expect(acknowledged, happened).toBeGreaterThan(messages / 2)
      if (version === 5) expect(expired, happened).toBeGreaterThan(0)
      losses += gateway.powerLosses
      process.stdout.write(`seed ${seed}: ${happened}\n`)
    }
    if (storm.powerEach > 0 && only === undefined) expect(losses, 'losses of power').toBeGreaterThan(0)
  },
)
