// A device that keeps its word: it publishes numbered SenML readings with QoS 1, keeps each until it is acknowledged, and after a
// broken connection sends what is not, again, with DUP and the same packet id. Raw packets, so that nothing hides.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Publisher {
  /** Numbers that were acknowledged. */
  readonly acknowledged: ReadonlySet<number>
  /** Numbers sent at least once. */
  readonly sent: number
  /** Connections that ended, by either side. */
  readonly disconnects: number
  /** Publishes on, through broken connections, until told to stop. */
  run(): Promise<void>
  /** No new numbers; resolves when all that was sent is acknowledged. */
  finish(): Promise<void>
}

export interface PublisherOptions {
  readonly port: number
  readonly clientId: string
  readonly window: number
  /** Unless given, readings on tocsin/in/senml/<clientId>. */
  readonly topic?: string
  readonly payload?: (n: number) => string
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { port, clientId, window, topic = `tocsin/in/senml/${clientId}` } = options
  const payload = options.payload ?? ((n) => `[{"n":"count","u":"count","v":${n}}]`)
  const acknowledged = new Set<number>()
  /** Packet id → number, in order of sending. */
  const inFlight = new Map<number, number>()
  let next = 0
  let nextId = 0
  let finishing = false
  let disconnects = 0

  function publishPacket(packetId: number, n: number, dup: boolean): Buffer {
    const [name, body] = [Buffer.from(topic), Buffer.from(payload(n))]
    const length = 2 + name.length + 2 + body.length
    const head = length < 128 ? [length] : [(length & 127) | 128, length >> 7]
    return Buffer.concat([
      Buffer.from([dup ? 0x3a : 0x32, ...head, name.length >> 8, name.length & 255]),
      name,
      Buffer.from([packetId >> 8, packetId & 255]),
      body,
    ])
  }

  function fill(socket: Socket): void {
    const packets: Buffer[] = []
    while (!finishing && inFlight.size < window) {
      do nextId = (nextId % 65_535) + 1
      while (inFlight.has(nextId))
      inFlight.set(nextId, next)
      packets.push(publishPacket(nextId, next, false))
      next += 1
    }
    if (packets.length > 0) socket.write(Buffer.concat(packets))
  }

  function read(socket: Socket, bytes: Buffer): Buffer {
    let rest = bytes
    while (rest.length >= 4) {
      if (rest[0] === 0x20) {
        for (const [packetId, n] of inFlight) socket.write(publishPacket(packetId, n, true))
      } else if (rest[0] === 0x40) {
        const packetId = rest.readUInt16BE(2)
        const n = inFlight.get(packetId)
        if (n === undefined) throw new Error(`PUBACK for ${packetId}, which is not in flight`)
        inFlight.delete(packetId)
        acknowledged.add(n)
      } else throw new Error(`packet ${rest[0]?.toString(16)} was not expected`)
      rest = rest.subarray(4)
    }
    fill(socket)
    if (finishing && inFlight.size === 0) socket.end(Buffer.from([0xe0, 0]))
    return rest
  }

  /** Resolves when the connection is over, however it ended. */
  function converse(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let rest: Buffer = Buffer.alloc(0)
      const id = Buffer.from(clientId)
      const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 60, id.length >> 8, id.length & 255]
      socket.on('connect', () =>
        socket.write(Buffer.concat([Buffer.from([0x10, body.length + id.length, ...body]), id])),
      )
      socket.on('data', (chunk: Buffer) => {
        try {
          rest = read(socket, Buffer.concat([rest, chunk]))
        } catch (error) {
          socket.destroy()
          reject(error)
        }
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        disconnects += 1
        resolve()
      })
    })
  }

  let running: Promise<void> | undefined
  async function run(): Promise<void> {
    while (!finishing || inFlight.size > 0) {
      await converse()
      await sleep(20)
    }
  }

  return {
    acknowledged,
    get sent() {
      return next
    },
    get disconnects() {
      return disconnects
    },
    run: () => (running ??= run()),
    async finish() {
      finishing = true
      await running
    },
  }
}
