// Rows that no test of a whole process can show in any number: power that goes at any write, and syncs that fail, in the simulation
// of the way in and out on a disk in memory that forgets what was not synced.

import { type Faults, simulate } from '../faults/simulation.ts'
import { startSimulatedGateway } from '../faults/simulated-gateway.ts'
import { found, number, type Row } from './row.ts'
import type { Version } from './message-traits.ts'
import { runTraffic, wrongdoings } from './traffic.ts'

const simulatedRow = (
  name: string,
  promise: string,
  note: string,
  faultsOf: (seed: number) => Partial<Faults>,
): Row => ({
  name,
  promise,
  wanted: '0, 0, 0',
  unit: 'seeds',
  counts: { test: 20, proof: 300, night: 20_000 },
  async run({ seed, count, say }) {
    const tocsin = await found(async () => {
      const sum = { lost: 0, twice: 0, inverted: 0, acknowledged: 0, withheld: 0 }
      const details: string[] = []
      for (let i = 0; i < count; i++) {
        const options = { seed: seed + i, lives: 4, framesEachLife: 40, faults: faultsOf(seed + i) }
        const { verdict, acknowledged, withheld, accounting } = await simulate(options)
        const twice = verdict.doubled + verdict.repeats
        sum.lost += verdict.lost
        sum.twice += twice
        sum.inverted += verdict.inverted
        sum.acknowledged += acknowledged
        sum.withheld += withheld
        if (verdict.lost + twice + verdict.inverted + accounting.length > 0) {
          details.push(`TOCSIN_SEED=${seed + i}: ${[...verdict.examples, ...accounting].join('; ')}`)
        }
        if ((i + 1) % Math.ceil(count / 4) === 0)
          say(`${i + 1} seeds, ${number(sum.withheld)} frames withheld and sent again`)
      }
      return {
        text: `${sum.lost} lost, ${sum.twice} doubled, ${sum.inverted} inverted of ${number(sum.acknowledged)}, ${number(count)} seeds`,
        met: details.length === 0 && sum.withheld > 0,
        details,
      }
    })
    return { findings: { tocsin }, notes: [note] }
  },
})

const inMemory = 'simulated in one process, on a disk in memory; nobody else’s program can be run on it'

export const power = simulatedRow(
  'power',
  'acknowledged and lost, doubled or inverted for a reader, when the power goes at any write, torn writes too',
  inMemory,
  (seed) => ({ power: true, disk: seed % 3 === 0, full: seed % 5 === 0 }),
)

export const syncs = simulatedRow('syncs', 'the same when every n-th sync fails, n = 2 to 9', inMemory, (seed) => ({
  everySync: 2 + (seed % 8),
  power: seed % 4 === 0,
}))

const messagesEachSeed = 1_000

const sessionsRow = (name: string, like: string, version: Version): Row => ({
  name,
  promise: `the traffic of \`${like}\` while the power goes and the disk fails: lost to a session, QoS 2 doubled, inverted`,
  wanted: '0, 0, 0',
  unit: 'seeds',
  counts: { test: 2, proof: 30, night: 2_000 },
  async run({ seed, count, say }) {
    const tocsin = await found(async () => {
      const sum = { lost: 0, doubled: 0, inverted: 0, others: 0, acknowledged: 0, expired: 0, powerLosses: 0 }
      const details: string[] = []
      for (let i = 0; i < count; i++) {
        const gateway = await startSimulatedGateway(seed + i, { powerEach: 50, diskErrors: i % 2 === 0 ? 0 : 0.01 })
        const traffic = await runTraffic({
          port: gateway.dial,
          version,
          seed: seed + i,
          messages: messagesEachSeed,
          kills: 1,
          eventEach: 40,
          kill: gateway.crash,
          storm: gateway.storm,
          calm: gateway.calm,
          say: () => {},
        })
        await gateway.stop()
        const { lost, doubled, inverted, ...rest } = wrongdoings(traffic)
        const others = Object.values(rest).reduce((all, times) => all + times, gateway.wrong.length)
        sum.lost += lost
        sum.doubled += doubled
        sum.inverted += inverted
        sum.others += others
        sum.acknowledged += traffic.acknowledged
        sum.expired += traffic.verdict.expired
        sum.powerLosses += gateway.powerLosses
        if (lost + doubled + inverted + others > 0) {
          const words = [...traffic.verdict.examples, ...traffic.wrong, ...gateway.wrong]
          details.push(`TOCSIN_SEED=${seed + i}: ${words.slice(0, 3).join('; ')}`)
        }
        if ((i + 1) % Math.ceil(count / 4) === 0) say(`${i + 1} seeds, ${number(sum.powerLosses)} losses of power`)
      }
      const others = sum.others > 0 ? `, ${sum.others} other faults` : ''
      const expired = version === 5 ? `, ${number(sum.expired)} expired` : ''
      return {
        text: `${sum.lost} lost, ${sum.doubled} doubled, ${sum.inverted} inverted${others} of ${number(sum.acknowledged)}${expired}; power lost ${number(sum.powerLosses)} times`,
        met: details.length === 0 && sum.powerLosses > 0,
        details,
      }
    })
    return { findings: { tocsin }, notes: [inMemory] }
  },
})

export const powerSessions = sessionsRow('power-mqtt', 'order', 4)
export const powerSessionsOfMqtt5 = sessionsRow('power5', 'order5', 5)
