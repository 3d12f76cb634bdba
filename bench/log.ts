// How fast the log takes records on this machine: 10 senders with 100 messages on their way each, as in `npm run bench`, without
// network and decoding. Prints records a second, latency, and CPU of this thread and of all threads for each record.

import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createLog } from '../gateway/log/create-log.ts'
import type { Log, NewFrame } from '../gateway/log/log.ts'

const senders = 10
const depth = 100
const seconds = Number(process.argv[2] ?? 5)
const eventBytes = 300
const payloadBytes = 150

const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'tocsin-bench-log-'))
const log = await createLog({
  dataDir: folder,
  clock: systemClock,
  alarms: createAlarms(systemClock, (alarm, raised) => raised && process.stderr.write(`${alarm.text}\n`)),
  settings: { urgentReserveBytes: 0 },
  fatal(error) {
    throw error
  },
})
try {
  await run(log, 1)
  const from = { cpu: process.cpuUsage(), thread: process.threadCpuUsage(), at: performance.now() }
  const latencies = await run(log, seconds)
  const [cpu, thread, elapsedMs] = [
    process.cpuUsage(from.cpu),
    process.threadCpuUsage(from.thread),
    performance.now() - from.at,
  ]
  const count = latencies.length
  latencies.sort((a, b) => a - b)
  const at = (share: number): string => (latencies[Math.floor(count * share)] ?? 0).toFixed(2)
  const each = (usage: { user: number; system: number }): string => ((usage.user + usage.system) / count).toFixed(2)
  process.stdout.write(
    `${Math.round(count / (elapsedMs / 1000))} records/s of ${eventBytes} B, each with its frame of ${payloadBytes} B\n` +
      `latency ms: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1 - 1 / count)}\n` +
      `CPU µs a record: this thread ${each(thread)}, all threads ${each(cpu)}\n`,
  )
} finally {
  await log.close()
  rmSync(folder, { recursive: true })
}

async function run(to: Log, forSeconds: number): Promise<number[]> {
  const latencies: number[] = []
  const until = performance.now() + forSeconds * 1000
  let sequence = 0
  async function send(sender: number): Promise<void> {
    const frames = messages(sender)
    for (let began = performance.now(); began < until;) {
      await to.append(frames(sequence++))
      const ended = performance.now()
      latencies.push(ended - began)
      began = ended
    }
  }
  await Promise.all(Array.from({ length: senders * depth }, (_, index) => send(index % senders)))
  return latencies
}

/** Text-like payloads, so that compression has what it has in the field. */
function messages(sender: number): (sequence: number) => NewFrame {
  const event = randomFillSync(Buffer.alloc(eventBytes)).map((byte) => 32 + (byte & 63))
  const [subject, topic, name] = [`urn:dev:ow:${sender}`, `tocsin/in/senml/gauge-${sender}`, `mqtt:gauge-${sender}`]
  const payload = Buffer.alloc(payloadBytes, `{"n":"level","u":"m","v":12.25},`)
  const startMs = Math.floor(performance.timeOrigin)
  const header = {
    kind: 1,
    messageStatus: 1,
    subject,
    topic,
    sender: name,
    jurisdiction: 'us-ca-sonoma',
    owner: 'fire.example.gov',
    qos: 1,
    adapter: 'senml',
  } as const
  return (sequence) => {
    const id = Buffer.allocUnsafe(16)
    id.writeUIntBE(startMs, 0, 6)
    id.writeUInt32BE(sequence, 6)
    id.fill(sender, 10)
    payload.writeUInt32LE(sequence, 40)
    return {
      frame: {
        id,
        receivedAt: { seconds: 1_790_000_000, nanos: 1_000_000 },
        adapter: 'senml',
        channel: topic,
        sender: name,
        payload,
        fate: 1,
      },
      records: [{ lane: 'routine', retention: 'standard', header, event }],
    }
  }
}
