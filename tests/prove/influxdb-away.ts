// InfluxDB is away, killed at random moments and gone for long, while devices send: when it is back, every reading is a point in it,
// once, and intake never noticed.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger } from '../faults/ledger.ts'
import { startInfluxdb } from '../tools/influxdb.ts'
import { startDevices } from './devices.ts'
import { startPeer } from './peer.ts'
import { found, number, type Row, type RowContext } from './row.ts'

export const influxdbAway: Row = {
  name: 'influxdb',
  promise: 'InfluxDB killed and away: readings missing from it, or there twice',
  wanted: '0, 0',
  unit: 'absences',
  counts: { test: 1, proof: 4, night: 100 },
  async run(context) {
    return { findings: { tocsin: await found(() => scenario(context)) } }
  },
}

const devices = 3
const caughtUpMsMax = 60_000

async function scenario({ seed, count, say }: RowContext) {
  const random = seededRandom(seed)
  let influxdb = await startInfluxdb()
  const { port, dataDir, url } = influxdb
  try {
    await using peer = await startPeer('tocsin', { settings: { INFLUX_URL: url } })
    const ledger = createLedger()
    const load = await startDevices({
      port: peer.port,
      ledger,
      count: devices,
      window: 20,
      perSecond: 1_000,
      isTimed: true,
    })
    load.publish(1_000_000)
    for (let absence = 1; absence <= count; absence++) {
      await sleep(500 + random() * 1_000)
      await influxdb.kill()
      await sleep(500 + random() * 3_000)
      influxdb = await startInfluxdb({ port, dataDir })
      say(`absence ${absence}: ${number(ledger.acknowledged)} acknowledged`)
    }
    load.halt()
    const isSettled = await load.settled()
    const read = async (): Promise<string[]> => {
      const series = await influxdb.query('SELECT value FROM /.*/ GROUP BY device', 'tocsin').catch(() => [])
      return series.flatMap(({ tags, columns, values }) => {
        const at = columns.indexOf('value')
        return values.map((row) => `${tags?.['device']} ${String(row[at])}`)
      })
    }
    let seen: string[] = []
    for (let ms = 0; ms < caughtUpMsMax && (seen = await read()).length < ledger.published; ms += 500) await sleep(500)
    const unique = new Set(seen).size
    const [missing, twice] = [ledger.published - unique, seen.length - unique]
    await load.close()
    return {
      text: `${number(missing)} missing, ${number(twice)} twice of ${number(ledger.published)}; ${load.losses} devices noticed`,
      met: missing === 0 && twice === 0 && isSettled && load.losses === 0 && ledger.published > 0,
    }
  } finally {
    await influxdb.stop()
  }
}
