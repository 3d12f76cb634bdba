// Somebody who has nothing to do with the trouble: a publisher and a subscriber of another topic, whose delays are measured from one
// clock. What the machine alone would do to them is measured beside them, by a server that only gives back what it gets.

import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createMqttClient } from '../faults/mqtt-client.ts'
import { startChild } from '../tools/child.ts'

export interface Delays {
  readonly worstMs: number
  readonly p99Ms: number
  readonly count: number
  /** The worst of the server that does nothing, in the same time. */
  readonly machineMs: number
}

export interface Bystander {
  /** Milliseconds of all that has come since the last call; what has not come counts with the time that it has waited. */
  take(): Delays
  stop(): Promise<void>
}

/** True: within the bound. Undefined: beyond it by no more than what the machine did to a server that does nothing. */
export function isWithin({ worstMs, machineMs, count }: Delays, boundMs: number): boolean | undefined {
  if (count === 0) return false
  if (worstMs <= boundMs) return true
  return worstMs - machineMs <= boundMs ? undefined : false
}

const perSecond = 100
const topic = 'calm/heartbeat'

export async function startBystander(port: number, id = 'bystander'): Promise<Bystander> {
  const sentMs = new Map<number, number>()
  let delaysMs: number[] = []
  let next = 0
  const subscriber = createMqttClient({
    port,
    clientId: `${id}-reads`,
    clean: true,
    onMessage({ payload }) {
      const n = Number(payload.toString())
      const sent = sentMs.get(n)
      if (sent === undefined) return
      sentMs.delete(n)
      delaysMs.push(performance.now() - sent)
    },
  })
  const publisher = createMqttClient({ port, clientId: `${id}-writes`, clean: true })
  await subscriber.connect()
  await subscriber.subscribe([topic], 1)
  await publisher.connect()
  const machine = await startMachineDelay()
  const beat = setInterval(() => {
    machine.beat()
    sentMs.set(next, performance.now())
    publisher.publish({ topic, payload: String(next++), qos: 1 })
  }, 1_000 / perSecond)
  return {
    take() {
      const nowMs = performance.now()
      const all = [...delaysMs, ...[...sentMs.values()].map((sent) => nowMs - sent)].toSorted((a, b) => a - b)
      delaysMs = []
      return {
        worstMs: all.at(-1) ?? 0,
        p99Ms: all[Math.floor(all.length * 0.99)] ?? 0,
        count: all.length,
        machineMs: machine.take(),
      }
    },
    async stop() {
      clearInterval(beat)
      await machine.stop()
      await publisher.disconnect()
      await subscriber.disconnect()
    },
  }
}

export interface MachineDelay {
  beat(): void
  take(): number
  stop(): Promise<void>
}

export async function startMachineDelay(): Promise<MachineDelay> {
  const echo = startChild(process.execPath, [join(import.meta.dirname, 'echo.ts')])
  await echo.waitFor(/port \d+/)
  const socket = connect({ port: Number(/port (\d+)/.exec(echo.stdout)?.[1]), host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const sentMs: number[] = []
  let worstMs = 0
  socket.on('data', (bytes: Buffer) => {
    for (let i = 0; i < bytes.length; i++) worstMs = Math.max(worstMs, performance.now() - (sentMs.shift() ?? Infinity))
  })
  return {
    beat() {
      sentMs.push(performance.now())
      socket.write('x')
    },
    take() {
      const waited = sentMs.length > 0 ? performance.now() - sentMs[0]! : 0
      const worst = Math.max(worstMs, waited)
      worstMs = 0
      return worst
    },
    async stop() {
      socket.destroy()
      await echo.stop()
    },
  }
}
