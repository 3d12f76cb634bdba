// A load generator that is not what limits: raw MQTT 3.1.1 packets, made beforehand, pipelined over plain sockets. It keeps a fixed
// number of unacknowledged QoS 1 messages on each connection, or publishes at a fixed rate, and prints what it measured as JSON.
//
//   node bench/load.ts --port 1883 --connections 10 --window 100 --messages 200000 [--rate 2000] [--topic tocsin/in/senml]

import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  /** Unacknowledged messages on each connection. */
  readonly window: number
  readonly messages: number
  /** Messages a second over all connections; 0: as fast as acknowledgements come. */
  readonly rate: number
  /** The device's number is appended as a level. */
  readonly topic: string
}

export interface LoadResult {
  readonly acked: number
  readonly seconds: number
  readonly perSecond: number
  /** From PUBLISH to PUBACK. */
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly cpuSeconds: number
}

interface Connection {
  readonly socket: Socket
  readonly device: number
  readonly queue: number[]
  sent: number
  acked: number
  quota: number
  partial: number
}

const packetIds = 65_535

/** Resolves when every message is acknowledged; rejects when a connection ends before. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = await Promise.all(
    Array.from({ length: options.connections }, (_, device) => open(options.port, device)),
  )
  const share = Math.floor(options.messages / options.connections)
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(
    connections.map((connection) => {
      connection.quota = share
      return drive(connection, options, latencies)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const used = process.cpuUsage(cpu)
  for (const { socket } of connections) socket.end(Buffer.from([0xe0, 0]))
  const acked = share * options.connections
  latencies.sort((a, b) => a - b)
  const at = (share_: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share_))] ?? 0
  return {
    acked,
    seconds,
    perSecond: acked / seconds,
    ackMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    cpuSeconds: (used.user + used.system) / 1e6,
  }
}

function open(port: number, device: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const clientId = Buffer.from(`load-${process.pid}-${device}`)
    const body = Buffer.concat([
      Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, clientId.length >> 8, clientId.length & 255]),
      clientId,
    ])
    socket.once('connect', () => socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body])))
    socket.once('error', reject)
    socket.once('data', (answer) => {
      if (answer[0] !== 0x20 || answer[3] !== 0) reject(new Error(`CONNACK ${answer.toString('hex')}`))
      else resolve({ socket, device, queue: [], sent: 0, acked: 0, quota: 0, partial: 0 })
    })
  })
}

/** Writes as many messages as acknowledgements came, in one write for all that was read in one turn. */
function drive(connection: Connection, options: LoadOptions, latencies: number[]): Promise<void> {
  const { socket } = connection
  const write = messageWriter(options.topic, connection.device)
  let timer: NodeJS.Timeout | undefined
  let due = 0
  return new Promise((resolve, reject) => {
    const send = (count: number): void => {
      const allowed = Math.min(count, connection.quota - connection.sent)
      if (allowed <= 0) return
      const now = performance.now()
      socket.write(write(connection.sent, allowed))
      for (let i = 0; i < allowed; i++) {
        connection.sent += 1
        // Every sixteenth is timed: timing each would make the generator the limit.
        if (connection.sent % 16 === 0) connection.queue.push(now)
      }
    }
    const sendDue = (): void => {
      send(due)
      due = 0
    }
    socket.removeAllListeners('error')
    socket.on('error', reject)
    socket.on('close', () => {
      clearInterval(timer)
      if (connection.acked < connection.quota)
        reject(new Error(`closed after ${connection.acked} of ${connection.quota}`))
    })
    socket.on('data', (chunk) => {
      // Nothing but PUBACKs of four bytes comes: whole ones are counted, a rest is kept.
      const bytes = connection.partial + chunk.length
      const count = bytes >> 2
      connection.partial = bytes & 3
      const now = performance.now()
      for (let i = 0; i < count; i++) {
        connection.acked += 1
        if (connection.acked % 16 === 0) latencies.push(now - connection.queue.shift()!)
      }
      if (connection.acked >= connection.quota) {
        clearInterval(timer)
        resolve()
      } else if (options.rate === 0) {
        if (due === 0) setImmediate(sendDue)
        due += count
      }
    })
    if (options.rate === 0) send(options.window)
    else timer = paced(send, options.rate / options.connections)
  })
}

function paced(send: (count: number) => void, perSecond: number): NodeJS.Timeout {
  const startedAt = performance.now()
  let sent = 0
  return setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond) - sent
    if (due > 0) send(due)
    sent += Math.max(0, due)
  }, 2)
}

/**
 * PUBLISH packets of one device, SenML of about 150 bytes. Only the packet id, the time and a value change from one to the next, and
 * they are written into copies of one packet: no two messages are one point, and making them costs next to nothing.
 */
function messageWriter(topic: string, device: number): (first: number, count: number) => Buffer {
  const topicBytes = Buffer.from(`${topic}/gauge-${device}`)
  const startedAtMs = Date.now()
  const time = '0000000000.000'
  const payload = Buffer.from(
    `[{"bn":"gauge-${device}:","bt":${time},"n":"water-level","u":"m","v":2.00},{"n":"temperature","u":"Cel","v":11.7},{"n":"battery","u":"V","v":3.71}]`,
  )
  const length = 2 + topicBytes.length + 2 + payload.length
  const head = Buffer.from([0x32, (length & 127) | 128, length >> 7, topicBytes.length >> 8, topicBytes.length & 255])
  const packet = Buffer.concat([head, topicBytes, Buffer.from([0, 0]), payload])
  const idAt = 5 + topicBytes.length
  const timeAt = packet.indexOf(time)
  const valueAt = packet.indexOf('2.00') + 2

  return (first, count) => {
    const packets = Buffer.allocUnsafe(packet.length * count)
    for (let i = 0; i < count; i++) {
      const n = first + i
      const at = i * packet.length
      packet.copy(packets, at)
      const packetId = (n % packetIds) + 1
      packets[at + idAt] = packetId >> 8
      packets[at + idAt + 1] = packetId & 255
      const ms = startedAtMs + n
      putDigits(packets, at + timeAt, 10, Math.floor(ms / 1000))
      putDigits(packets, at + timeAt + 11, 3, ms % 1000)
      putDigits(packets, at + valueAt, 2, n % 100)
    }
    return packets
  }
}

function putDigits(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    target[i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '1883' },
      connections: { type: 'string', default: '10' },
      window: { type: 'string', default: '100' },
      messages: { type: 'string', default: '100000' },
      rate: { type: 'string', default: '0' },
      topic: { type: 'string', default: 'tocsin/in/senml' },
    },
  })
  const { port, connections, window, messages, rate, topic } = values
  const result = await runLoad({
    port: Number(port),
    connections: Number(connections),
    window: Number(window),
    messages: Number(messages),
    rate: Number(rate),
    topic,
  })
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
