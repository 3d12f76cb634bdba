// A thousand strangers who never get as far as a CONNECT: half a packet, a packet that never ends, one byte a second, nothing at all.
// They must not make the broker grow, and are gone within seconds.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBystander } from './bystander.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext, slack } from './row.ts'

export const hostileSockets: Row = {
  name: 'strangers',
  promise: 'hostile sockets without CONNECT: memory of the broker, closed after',
  wanted: '≤ 64 MB, ≤ 10 s',
  unit: 'sockets',
  counts: { test: 200, proof: 1_000, night: 1_000 },
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context)),
    notes: ['each sends as much as is taken, at most 1 MB; every fourth trickles, every fourth says nothing'],
  }),
}

const patienceMs = 12_000
const closedMsMax = 10_000
const grownBytesMax = 64e6
const eachBytesMax = 1 << 20
const openAtOnce = 50

/** A CONNECT whose announced length, 268,435,455 bytes, never comes (MQTT 3.1.1 §2.2.3). */
const endless = Buffer.concat([
  Buffer.of(0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4),
  Buffer.from('MQTT'),
  Buffer.of(4, 2, 0, 60),
])
/** One of 65,000 bytes, which might be honest, of which the last never comes. */
const unfinished = Buffer.concat([Buffer.of(0x10, 0xe8, 0xfb, 0x03, 0, 4), Buffer.from('MQTT'), Buffer.of(4, 2, 0, 60)])

async function scenario(name: PeerName, context: RowContext): Promise<Finding> {
  const { count, say } = context
  await using peer = await startPeer(name, { settings: { LOGGING_LEVEL: 'error' } })
  const bystander = await startBystander(peer.port)
  // A program's memory has found its size after the first of them; what they cost is what the others add.
  await swarm(peer.port, count / 5, 2_000)
  await sleep(1_000)
  bystander.take()
  const residentBefore = peer.residentBytes()
  let peak = residentBefore
  const watching = setInterval(() => (peak = Math.max(peak, peer.residentBytes())), 100)
  const { open, closedMs } = await swarm(peer.port, count, patienceMs)
  clearInterval(watching)
  const delay = bystander.take()
  const grown = peak - residentBefore
  await bystander.stop()
  say(`${name}: worst delay of a bystander ${number(delay.worstMs)} ms`)
  const closed =
    open > 0 ? `${open} still open after ${patienceMs / 1_000} s` : `closed after ${number(closedMs / 1_000, 1)} s`
  return {
    text: `grown ${number(grown / 1e6)} MB, ${closed}`,
    ...(name === 'tocsin' && { met: open === 0 && grown <= grownBytesMax * slack(context) && closedMs <= closedMsMax }),
  }
}

/** Opens so many, and waits until the broker has closed them all or the time is over. */
async function swarm(port: number, count: number, waitMs: number): Promise<{ open: number; closedMs: number }> {
  const strangers: Socket[] = []
  let open = 0
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.on('close', () => (open -= 1))
    socket.resume()
    strangers.push(socket)
    await once(socket, 'connect')
    open += 1
    beHostile(socket, i)
    if (i % openAtOnce === 0) await sleep(1)
  }
  const openedMs = performance.now()
  while (open > 0 && performance.now() - openedMs < waitMs) await sleep(20)
  const result = { open, closedMs: performance.now() - openedMs }
  strangers.forEach((socket) => socket.destroy())
  return result
}

function beHostile(socket: Socket, i: number): void {
  const kind = i % 4
  if (kind === 3) return
  socket.write(kind === 0 ? endless : unfinished)
  if (kind === 2) {
    const trickle = setInterval(() => socket.write('x'), 1_000)
    return void socket.on('close', () => clearInterval(trickle))
  }
  let sent = 0
  const flood = (): void => {
    const most = kind === 0 ? eachBytesMax : 60_000
    while (sent < most && !socket.destroyed) {
      sent += 16_384
      if (!socket.write(Buffer.alloc(16_384, 'x'))) return
    }
  }
  socket.on('drain', flood)
  flood()
}
