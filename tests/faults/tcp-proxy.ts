// A stretch of bad network between a client and a server: it cuts, falls silent, delays and throttles, each direction by itself.
// A storm is a schedule of such faults drawn from a seed, so that the same storm can be had again.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './fault-disk.ts'

export interface Direction {
  delayMs: number
  /** 0: as fast as it goes. */
  bytesPerSecond: number
  /** Takes bytes and hands nothing on, without an end: half open, as when a radio link is gone. */
  isSilent: boolean
}

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** From those who connect to the server. */
  readonly up: Direction
  readonly down: Direction
  /** Open connections. */
  readonly connections: number
  /** Ends every connection: orderly (FIN), or as if the machine had died (RST). */
  cut(how?: 'fin' | 'rst'): void
  /** Clear weather; what was silent stays lost, so its connections are cut. */
  heal(): void
}

/** More is not taken from the sender, so that a throttled link pushes back as a real one does. */
const queuedBytesMax = 256 << 10

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const up: Direction = { delayMs: 0, bytesPerSecond: 0, isSilent: false }
  const down: Direction = { delayMs: 0, bytesPerSecond: 0, isSilent: false }
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    const pair = [near, far] as const
    pairs.add(pair)
    for (const each of pair) each.on('error', () => {})
    carry(near, far, up)
    carry(far, near, down)
    near.once('close', () => pairs.delete(pair))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system named no port')

  const proxy: TcpProxy = {
    port: address.port,
    up,
    down,
    get connections() {
      return pairs.size
    },
    cut(how = 'fin') {
      for (const [near, far] of pairs) {
        for (const each of [near, far]) {
          if (how === 'rst' && !each.connecting) each.resetAndDestroy()
          else each.destroy()
        }
      }
      pairs.clear()
    },
    heal() {
      const wasSilent = up.isSilent || down.isSilent
      for (const each of [up, down]) Object.assign(each, { delayMs: 0, bytesPerSecond: 0, isSilent: false })
      if (wasSilent) proxy.cut()
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

function carry(from: Socket, to: Socket, weather: Direction): void {
  const queue: { readonly bytes: Buffer; readonly dueMs: number }[] = []
  let queuedBytes = 0
  let freeMs = 0
  let isOver = false
  let timer: NodeJS.Timeout | undefined

  const settle = (): void => {
    if (queuedBytes <= queuedBytesMax && !to.writableNeedDrain) from.resume()
  }
  const pump = (): void => {
    timer = undefined
    const nowMs = performance.now()
    while (queue.length > 0 && queue[0]!.dueMs <= nowMs) {
      const { bytes } = queue.shift()!
      queuedBytes -= bytes.length
      to.write(bytes)
    }
    if (queue.length > 0) timer = setTimeout(pump, Math.max(1, queue[0]!.dueMs - nowMs))
    else if (isOver && !weather.isSilent) to.end()
    settle()
  }
  from.on('data', (bytes: Buffer) => {
    if (weather.isSilent) return
    const nowMs = performance.now()
    const { delayMs, bytesPerSecond } = weather
    // On its way for as long as its own bytes take, behind all that went before.
    freeMs = Math.max(freeMs, nowMs) + (bytesPerSecond > 0 ? (bytes.length / bytesPerSecond) * 1_000 : 0)
    const dueMs = Math.max(freeMs + delayMs, queue.at(-1)?.dueMs ?? 0)
    queue.push({ bytes, dueMs })
    queuedBytes += bytes.length
    if (dueMs <= nowMs && !timer) return pump()
    timer ??= setTimeout(pump, Math.max(1, queue[0]!.dueMs - nowMs))
    if (queuedBytes > queuedBytesMax) from.pause()
  })
  to.on('drain', settle)
  from.on('end', () => {
    isOver = true
    if (queue.length === 0 && !weather.isSilent) to.end()
  })
  from.on('close', () => {
    clearTimeout(timer)
    if (!weather.isSilent && !to.destroyed && !isOver) to.destroy()
  })
  to.on('close', () => from.destroy())
}

export interface Squall {
  readonly afterMs: number
  readonly kind: 'fin' | 'rst' | 'silence' | 'delay' | 'narrow' | 'calm'
  readonly direction: 'up' | 'down'
  readonly lastsMs: number
}

/** So many squalls, each with a calm before it; the same seed, the same storm. */
export function drawStorm(random: Random, count: number, msMax = 400): readonly Squall[] {
  const kinds = ['fin', 'rst', 'silence', 'delay', 'narrow', 'calm'] as const
  return Array.from({ length: count }, () => ({
    afterMs: Math.floor(random() * msMax),
    kind: kinds[Math.floor(random() * kinds.length)]!,
    direction: random() < 0.5 ? ('up' as const) : ('down' as const),
    lastsMs: Math.floor(random() * msMax),
  }))
}

/** Resolves when the storm is over, or stopped, and the weather clear. */
export async function blow(proxy: TcpProxy, storm: readonly Squall[], signal?: AbortSignal): Promise<void> {
  for (const { afterMs, kind, direction, lastsMs } of storm) {
    if (signal?.aborted) return
    await sleep(afterMs)
    if (kind === 'fin' || kind === 'rst') proxy.cut(kind)
    else if (kind === 'silence') proxy[direction].isSilent = true
    else if (kind === 'delay') proxy[direction].delayMs = Math.min(lastsMs, 100)
    else if (kind === 'narrow') proxy[direction].bytesPerSecond = 20_000
    await sleep(lastsMs)
    proxy.heal()
  }
}
