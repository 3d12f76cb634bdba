// Sockets of an attacker: opened from his own address, counted, and never in the way of the next one.

import { type ClientHttp2Session, connect as connectHttp2, type Settings } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { attackersAddress } from './attack.ts'

export interface Held {
  readonly socket: Socket
  readonly openedMs: number
  connected: boolean
  closedMs: number | undefined
  received: Buffer
}

const keptBytes = 4_096

export function open(port: number, localAddress = attackersAddress): Held {
  return hold(connect({ port, host: '127.0.0.1', localAddress, noDelay: true }))
}

export const openTls = (port: number): Held =>
  hold(
    connectTls({
      socket: connect({ port, host: '127.0.0.1', localAddress: attackersAddress }),
      rejectUnauthorized: false,
    }),
    'secureConnect',
  )

export function openHttp2(port: number, settings: Settings = {}): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`, {
    settings,
    createConnection: () => connect({ port, host: '127.0.0.1', localAddress: attackersAddress, noDelay: true }),
  })
  session.on('error', () => {})
  return session
}

function hold(socket: Socket, event: 'connect' | 'secureConnect' = 'connect'): Held {
  const held: Held = {
    socket,
    openedMs: performance.now(),
    connected: false,
    closedMs: undefined,
    received: Buffer.alloc(0),
  }
  socket.on('error', () => {})
  socket.on(event, () => (held.connected = true))
  socket.on('close', () => (held.closedMs = performance.now()))
  socket.on('data', (bytes: Buffer) => {
    if (held.received.length < keptBytes) held.received = Buffer.concat([held.received, bytes])
  })
  return held
}

/** In small groups, as fast as they are taken. */
export async function openMany(count: number, one: () => Held, atOnce = 50): Promise<Held[]> {
  const held: Held[] = []
  while (held.length < count) {
    const group = Array.from({ length: Math.min(atOnce, count - held.length) }, one)
    held.push(...group)
    await settled(group, 2_000)
  }
  return held
}

async function settled(group: readonly Held[], msMax: number): Promise<void> {
  const end = performance.now() + msMax
  while (group.some(({ connected, closedMs }) => !connected && closedMs === undefined) && performance.now() < end)
    await sleep(1)
}

export const openOf = (held: readonly Held[]): number => held.filter(({ closedMs }) => closedMs === undefined).length

/** Until all are closed by the other side, or the time is over; how long the last one lived. */
export async function watchClosing(held: readonly Held[], msMax: number): Promise<{ left: number; longestMs: number }> {
  const end = performance.now() + msMax
  while (openOf(held) > 0 && performance.now() < end) await sleep(20)
  const longestMs = Math.max(0, ...held.map(({ openedMs, closedMs }) => (closedMs ?? performance.now()) - openedMs))
  return { left: openOf(held), longestMs }
}

export const dropAll = (held: readonly Held[]): void => held.forEach(({ socket }) => socket.destroy())

/** Writes again and again, a piece at a time, until the socket is closed or the time is over. */
export async function trickle(
  held: readonly Held[],
  bytes: (step: number) => Uint8Array,
  everyMs: number,
  msMax: number,
) {
  const end = performance.now() + msMax
  for (let step = 0; performance.now() < end && openOf(held) > 0; step++) {
    for (const { socket, closedMs } of held) if (closedMs === undefined && !socket.destroyed) socket.write(bytes(step))
    await sleep(everyMs)
  }
}

/** As fast as the other side takes it, until it is closed or the time is over; bytes that were handed on. */
export async function pour({ socket }: Held, bytes: Uint8Array, msMax: number): Promise<number> {
  const end = performance.now() + msMax
  let sent = 0
  while (!socket.destroyed && performance.now() < end) {
    sent += bytes.length
    if (!socket.write(bytes)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(200)])
    else await sleep(0)
  }
  return sent
}
