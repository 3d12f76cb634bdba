// A load generator that is not what limits: raw MQTT packets, made beforehand, pipelined over plain sockets. It keeps a fixed
// number of unacknowledged QoS 1 messages on each connection, or publishes at a fixed rate, and prints what it measured as JSON.
//
//   node bench/load.ts --port 1883 --connections 10 --window 100 --messages 200000 [--warm-up 20000] [--rate 2000] [--stamp NS] [--form 5]

import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'

import { createPackets, type LoadForm, loadForms, type MeasurementsEach } from './load-packets.ts'
import { quantile } from './statistics.ts'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  /** Unacknowledged messages on each connection; without a rate. */
  readonly window: number
  /** All connections together take from these, so that they end together. */
  readonly messages: number
  /** So many come first and are not measured; a line "warm" is printed when they are acknowledged. */
  readonly warmUp: number
  /** Messages a second over all connections; 0: as fast as acknowledgements come. */
  readonly rate: number
  /** The device's number is appended as a level. */
  readonly topic: string
  /** Its number for the first connection; a second load of one server takes other devices, so that no point is written twice. */
  readonly firstDevice: number
  readonly measurements: MeasurementsEach
  readonly form: LoadForm
  /** Name and secret, short enough that CONNECT has less than 128 bytes. */
  readonly credentials?: readonly [name: string, secret: string]
  /**
   * Set: each message carries the time at which it is written, which is the monotonic clock plus these nanoseconds, so that another
   * process of this machine can say how old it is. Else times count up by a millisecond, and no two messages of a device share one.
   */
  readonly stampOffsetNs?: bigint
}

export interface LoadResult {
  readonly acked: number
  readonly seconds: number
  readonly perSecond: number
  /** From PUBLISH to PUBACK. */
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Of the generator itself: near 1, it is what limits. */
  readonly cores: number
  readonly cpuMicrosEach: number
}

interface Connection {
  readonly socket: Socket
  readonly packets: (first: number, count: number) => Buffer
  /** When the messages on their way were written, those that are timed. */
  readonly written: number[]
  sent: number
  acked: number
  partialBytes: number
}

/** At full speed every sixteenth is timed: timing each would make the generator the limit. */
const timedEachAtFullSpeed = 16
/** Any read of PUBACKs fits; reading into one buffer again and again spares the garbage collector. */
const readBytesMax = 64 * 1024
const paceMs = 1
/** A thousand at once would be an attack, and servers treat it as one. */
const opensAtOnce = 50

/** Resolves when every message is acknowledged; rejects when a connection ends before. */
export async function runLoad(options: LoadOptions, onWarm: () => void = () => {}): Promise<LoadResult> {
  const { warmUp, messages, rate, connections: count } = options
  const timedEach = rate === 0 ? timedEachAtFullSpeed : 1
  const latenciesMs: number[] = []
  let remaining = warmUp + messages
  let acked = 0
  let startedMs = performance.now()
  let cpuBefore = process.cpuUsage()
  const { promise: finished, resolve: finish, reject } = Promise.withResolvers<void>()

  const connections: Connection[] = []
  while (connections.length < count) {
    const some = Array.from({ length: Math.min(opensAtOnce, count - connections.length) }, (_, index) =>
      open(options, options.firstDevice + connections.length + index, take),
    )
    connections.push(...(await Promise.all(some)))
  }
  for (const { socket } of connections) {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`a connection was closed after ${acked} acknowledgements`)))
  }

  function send(connection: Connection, wanted: number): void {
    const some = Math.min(wanted, remaining)
    if (some <= 0) return
    remaining -= some
    connection.socket.write(connection.packets(connection.sent, some))
    const now = performance.now()
    for (let i = 0; i < some; i++) if (++connection.sent % timedEach === 0) connection.written.push(now)
  }

  function take(connection: Connection, acks: number): void {
    const before = acked
    acked += acks
    if (acked >= warmUp) {
      const now = performance.now()
      for (let i = 0; i < acks; i++) {
        if (++connection.acked % timedEach === 0) latenciesMs.push(now - connection.written.shift()!)
      }
      if (before < warmUp) startMeasuring()
    } else {
      for (let i = 0; i < acks; i++) if (++connection.acked % timedEach === 0) connection.written.shift()
    }
    if (acked >= warmUp + messages) finish()
    else if (rate === 0) send(connection, acks)
  }

  function startMeasuring(): void {
    onWarm()
    cpuBefore = process.cpuUsage()
    startedMs = performance.now()
  }

  if (warmUp === 0) startMeasuring()
  let pace: NodeJS.Timeout | undefined
  if (rate === 0) for (const connection of connections) send(connection, options.window)
  else pace = paced(rate, (turn) => send(connections[turn % count]!, 1))
  await finished
  clearInterval(pace)
  const seconds = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const cpuMicros = cpu.user + cpu.system
  for (const { socket } of connections) socket.removeAllListeners('close').end(Buffer.of(0xe0, 0))
  latenciesMs.sort((a, b) => a - b)
  return {
    acked: messages,
    seconds,
    perSecond: messages / seconds,
    ackMs: { p50: quantile(latenciesMs, 0.5), p99: quantile(latenciesMs, 0.99), max: quantile(latenciesMs, 1) },
    cores: cpuMicros / 1e6 / seconds,
    cpuMicrosEach: cpuMicros / messages,
  }
}

/** Calls back at the rate, evenly over time as far as the timer allows, and catches up when it was late. */
function paced(perSecond: number, send: (turn: number) => void): NodeJS.Timeout {
  const startedMs = performance.now()
  let turn = 0
  return setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond)
    while (turn < due) send(turn++)
  }, paceMs)
}

function open(
  options: LoadOptions,
  device: number,
  onAcks: (connection: Connection, acks: number) => void,
): Promise<Connection> {
  const { port, topic, measurements, stampOffsetNs, form } = options
  return new Promise((resolve, reject) => {
    let connected = false
    const onread = {
      buffer: Buffer.allocUnsafe(readBytesMax),
      callback(bytes: number, buffer: Uint8Array): boolean {
        // After CONNACK, which comes whole, nothing but PUBACKs of four bytes comes: whole ones are counted, a rest is kept.
        let payload = bytes
        if (!connected) {
          if (bytes < 4 || buffer[0] !== 0x20 || buffer[3] !== 0) {
            reject(new Error(`no CONNACK: ${Buffer.from(buffer.subarray(0, bytes)).toString('hex')}`))
            return false
          }
          connected = true
          payload -= 2 + buffer[1]!
          resolve(connection)
        }
        const whole = connection.partialBytes + payload
        connection.partialBytes = whole & 3
        if (whole > 3) onAcks(connection, whole >> 2)
        return true
      },
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    const packets = createPackets(`${topic}/gauge-${device}`, `gauge-${device}`, measurements, stampOffsetNs, form)
    const connection: Connection = { socket, packets, written: [], sent: 0, acked: 0, partialBytes: 0 }
    socket.once('connect', () =>
      socket.write(connectPacket(`load-${process.pid}-${device}`, form, options.credentials)),
    )
    socket.once('error', reject)
  })
}

function connectPacket(clientId: string, form: LoadForm, credentials: LoadOptions['credentials']): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.of(value.length >> 8, value.length & 255), Buffer.from(value)])
  const keepAliveSeconds = 60
  const [version, properties] = form === '3.1.1' ? [4, []] : [5, [0]]
  // Clean session; with a name and a secret.
  const flags = 0x02 | (credentials ? 0xc0 : 0)
  const head = Buffer.of(0, 4, 0x4d, 0x51, 0x54, 0x54, version, flags, 0, keepAliveSeconds, ...properties)
  const body = Buffer.concat([head, text(clientId), ...(credentials ?? []).map(text)])
  return Buffer.concat([Buffer.of(0x10, body.length), body])
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '1883' },
      connections: { type: 'string', default: '10' },
      window: { type: 'string', default: '100' },
      messages: { type: 'string', default: '100000' },
      'warm-up': { type: 'string', default: '0' },
      rate: { type: 'string', default: '0' },
      topic: { type: 'string', default: 'tocsin/in/senml' },
      'first-device': { type: 'string', default: '0' },
      measurements: { type: 'string', default: '3' },
      form: { type: 'string', default: '3.1.1' },
      stamp: { type: 'string' },
      user: { type: 'string' },
    },
  })
  const result = await runLoad(
    {
      port: Number(values.port),
      connections: Number(values.connections),
      window: Number(values.window),
      messages: Number(values.messages),
      warmUp: Number(values['warm-up']),
      rate: Number(values.rate),
      topic: values.topic,
      firstDevice: Number(values['first-device']),
      measurements: values.measurements === '1' ? 1 : 3,
      form: loadForms.find((form) => form === values.form) ?? '3.1.1',
      ...(values.stamp !== undefined && { stampOffsetNs: BigInt(values.stamp) }),
      ...(values.user !== undefined && { credentials: [values.user, process.env['LOAD_SECRET'] ?? ''] as const }),
    },
    () => process.stdout.write('warm\n'),
  )
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
