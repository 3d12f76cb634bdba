// Subscribers of a busy topic and the one who makes it busy, in a process of their own, so that what is measured elsewhere is the
// broker. On standard input `freeze N` makes N of them hang at once; `count` says how many connections are still open.
//
//   node tests/prove/crowd.ts PORT SUBSCRIBERS MESSAGES_PER_SECOND PAYLOAD_BYTES

import { createInterface } from 'node:readline'
import { createMqttClient } from '../faults/mqtt-client.ts'

const [port = 0, subscribers = 1, perSecond = 50, payloadBytes = 1_000] = process.argv.slice(2).map(Number)
const payload = Buffer.alloc(payloadBytes, 'x')

let arrivals = 0
const crowd = Array.from({ length: subscribers }, (_, i) =>
  createMqttClient({ port, clientId: `crowd-${i}`, clean: true, onMessage: () => void arrivals++ }),
)
for (const client of crowd) {
  await client.connect()
  await client.subscribe(['busy/#'], 1)
}
const publisher = createMqttClient({ port, clientId: 'busy', clean: true })
await publisher.connect()
const startedMs = performance.now()
let sent = 0
setInterval(() => {
  const due = ((performance.now() - startedMs) / 1_000) * perSecond
  for (; sent < due && publisher.inFlight < perSecond; sent++) publisher.publish({ topic: 'busy/all', payload, qos: 1 })
}, 10)

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, count] = line.split(' ')
  if (word === 'freeze') for (const client of crowd.slice(0, Number(count))) client.freeze()
  if (word === 'count') {
    const open = crowd.filter(({ isConnected }) => isConnected).length
    process.stdout.write(`${JSON.stringify({ open, sent, arrivals })}\n`)
  }
})
process.stdout.write('ready\n')
