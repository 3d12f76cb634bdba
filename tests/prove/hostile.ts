// A hostile publisher and a hostile subscriber of one broker, in a process of their own. Each opens one connection after the other,
// several at once, and holds a conversation drawn from a seed: `node tests/prove/hostile.ts PORT SEED SECONDS` is the whole attack again,
// `… PORT SEED SECONDS ROLE NUMBER` one conversation of it. At the end it clears the sessions that it was given and prints what it did.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { type Conversation, drawConversation, type Role } from '../faults/hostile-packets.ts'

const [port = 0, seed = 0, seconds = 0] = process.argv.slice(2, 5).map(Number)
const [onlyRole, onlyNumber] = process.argv.slice(5)

const atOnce = 6
const lingerMs = 40
/** Below the rate at which the gateway lets new connections in, so that they get in. */
const betweenMs = 15

const roles: readonly Role[] = ['publisher', 'subscriber']
const done = { conversations: 0, packets: 0, letIn: 0, bytesRead: 0 }
/** CONNECT packets that may have been answered with a session; by hex, so that each is cleared once. */
const letIn = new Map<string, Buffer>()
const frozen = new Set<Socket>()
const frozenMax = 20

const drawn = (role: Role, number: number): Conversation =>
  drawConversation(seededRandom(seed + number * 2 + roles.indexOf(role)), role)

async function converse({ pieces, packets, connect: greeting, end }: Conversation): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let first: Buffer | undefined
  let isOver = false
  socket.on('error', () => {})
  socket.on('close', () => {
    isOver = true
    frozen.delete(socket)
  })
  socket.on('data', (bytes: Buffer) => {
    first ??= bytes
    done.bytesRead += bytes.length
  })
  if (end === 'freeze') socket.pause()
  for (const { pauseMs, bytes } of pieces) {
    if (pauseMs > 0) await sleep(pauseMs)
    if (isOver) break
    socket.write(bytes)
  }
  done.conversations += 1
  done.packets += packets
  if (end === 'freeze' && frozen.size < frozenMax) {
    if (greeting.length > 0) letIn.set(greeting.toString('hex'), greeting)
    return void frozen.add(socket)
  }
  await sleep(end === 'linger' ? 10 * lingerMs : lingerMs)
  if (first?.[0] === 0x20 && first[3] === 0) done.letIn += 1
  // Who has no answer yet may still get one.
  if (greeting.length > 0 && (first ? first[3] === 0 : !isOver)) letIn.set(greeting.toString('hex'), greeting)
  if (end === 'rst' && !isOver) socket.resetAndDestroy()
  else if (end === 'fin') socket.end()
  setTimeout(() => socket.destroy(), lingerMs)
}

async function attack(role: Role, lane: number, untilMs: number): Promise<void> {
  for (let number = lane; performance.now() < untilMs; number += atOnce) {
    await converse(drawn(role, number))
    await sleep(betweenMs)
    if (frozen.size === frozenMax) for (const socket of [...frozen].slice(0, frozenMax / 2)) socket.destroy()
  }
}

/** A kept session is no ghost; what is left when each was asked to end is. */
async function clear(greeting: Buffer): Promise<void> {
  const bytes = Buffer.from(greeting)
  const body = bytes.findIndex((value, i) => i > 0 && value < 0x80) + 1
  const flagsAt = body + 2 + ((bytes[body] ?? 0) << 8) + (bytes[body + 1] ?? 0) + 1
  // Too broken to have been let in.
  if (body === 0 || flagsAt >= bytes.length) return
  // Clean, and without the will.
  bytes[flagsAt]! |= 2
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.resume()
  socket.write(bytes)
  await sleep(lingerMs)
  // MQTT 5 §3.14.2.2.2: a session expiry of 0, whatever CONNECT had asked for.
  socket.end(bytes[flagsAt - 1] === 5 ? Buffer.of(0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0) : Buffer.of(0xe0, 0))
  setTimeout(() => socket.destroy(), 5 * lingerMs)
  await closed
}

if (onlyRole !== undefined) await converse(drawn(onlyRole as Role, Number(onlyNumber)))
else {
  const untilMs = performance.now() + seconds * 1_000
  const lanes = Array.from({ length: atOnce }, (_, lane) => lane)
  await Promise.all(roles.flatMap((role) => lanes.map((lane) => attack(role, lane, untilMs))))
}
for (const socket of frozen) socket.destroy()
await sleep(10 * lingerMs)
const toClear = [...letIn.values()]
while (toClear.length > 0) await Promise.all(toClear.splice(0, 2 * atOnce).map(clear))
process.stdout.write(`${JSON.stringify(done)}\n`)
process.exit(0)
