// The peer of a few lines: mqtt.js and the influx package in one process, batches of a thousand messages or 100 ms, one write after
// the other. Started as `node script.ts MQTT_PORT INFLUX_PORT DATABASE`.

import { InfluxDB, type IPoint } from 'influx'
import { connectAsync } from 'mqtt'

const [, , mqttPort, influxPort, database = ''] = process.argv
const batchMessages = 1_000
const batchMs = 100

interface SenmlRecord {
  readonly bn?: string
  readonly bt?: number
  readonly n: string
  readonly u: string
  readonly v: number
}

const influxdb = new InfluxDB({ host: '127.0.0.1', port: Number(influxPort), database })
const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { clientId: 'script' })
let points: IPoint[] = []
let messages = 0
let writing = Promise.resolve()

client.on('message', (_topic, payload) => {
  let [name, time] = ['', 0]
  for (const record of JSON.parse(payload.toString('utf8')) as readonly SenmlRecord[]) {
    name = record.bn ?? name
    time = record.bt ?? time
    points.push({
      measurement: record.n.replaceAll('-', '_'),
      tags: { device: name.replace(/:$/, ''), quantity: record.n },
      fields: { value: record.v, unit: record.u },
      timestamp: Math.round(time * 1000),
    })
  }
  if (++messages >= batchMessages) write()
})
setInterval(write, batchMs)
await client.subscribeAsync('tocsin/in/senml/+', { qos: 1 })

function write(): void {
  if (messages === 0) return
  const batch = points
  points = []
  messages = 0
  writing = writing.then(() => influxdb.writePoints(batch, { precision: 'ms' }))
}
