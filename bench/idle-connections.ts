// MQTT clients that connect and then say nothing, in a process of its own: holds them until its standard input ends.
//
//   node bench/idle-connections.ts PORT CONNECTIONS

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

/** A thousand at once would be an attack, and servers treat it as one: Tocsin lets in 500 a second, and 5,000 from one address. */
const opensAtOnce = 40
const opensEveryMs = 100
const addresses = 8
/** Far longer than the measurement: nothing is heard of them. */
const keepAliveSeconds = 1_200
/** Nothing but CONNACK comes. */
const read = Buffer.allocUnsafe(1_024)

const { positionals } = parseArgs({ allowPositionals: true })
const [port = 0, count = 0] = positionals.map(Number)
const sockets: Socket[] = []

while (sockets.length < count) {
  const some = Array.from({ length: Math.min(opensAtOnce, count - sockets.length) }, (_, index) =>
    open(sockets.length + index),
  )
  sockets.push(...(await Promise.all(some)))
  await sleep(opensEveryMs)
}
process.stdout.write('open\n')
process.stdin.once('end', () => process.exit(0)).resume()

function open(number: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: read,
      callback(bytes: number): boolean {
        const accepted = bytes === 4 && read[0] === 0x20 && read[3] === 0
        if (accepted) resolve(socket)
        else reject(new Error(`no CONNACK: ${read.toString('hex', 0, bytes)}`))
        return true
      },
    }
    // All of 127.0.0.0/8 is this machine.
    const localAddress = `127.0.0.${1 + (number % addresses)}`
    const socket: Socket = connect({ port, host: '127.0.0.1', localAddress, onread }, () =>
      socket.write(connectPacket(`idle-${process.pid}-${number}`)),
    )
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('a connection was closed')))
  })
}

/** MQTT 3.1.1 §3.1, a clean session without a will, a name or a password. */
function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId)
  const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, keepAliveSeconds >> 8, keepAliveSeconds & 255, 0, id.length]
  return Buffer.concat([Buffer.of(0x10, body.length + id.length, ...body), id])
}
