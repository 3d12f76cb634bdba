// Slow over HTTP: headers and bodies a byte at a time (slowloris, R.U.D.Y.), and large answers that nobody reads.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack, Deeds } from './attack.ts'
import { dropAll, type Held, open, openMany, openTls, trickle, watchClosing } from './sockets.ts'

const headersMsMax = 10_000
const requestMsMax = 30_000
const lateMs = 4_000

/** Others get an answer meanwhile. */
async function othersAnswered(port: number, tls: boolean): Promise<boolean> {
  const one = tls ? openTls(port) : open(port, '127.0.0.77')
  one.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  for (let ms = 0; ms < 3_000 && one.received.length === 0; ms += 20) await sleep(20)
  one.socket.destroy()
  return one.received.toString('latin1').startsWith('HTTP/1.1 200')
}

async function slowly(
  port: number,
  opener: () => Held,
  count: number,
  beginning: string,
  msMax: number,
): Promise<Deeds> {
  const held = await openMany(count, () => {
    const one = opener()
    one.socket.write(beginning)
    return one
  })
  const trickling = trickle(held, () => Buffer.from('a'), 500, msMax + lateMs)
  await sleep(1_000)
  const answered = await othersAnswered(port, false)
  const { left, longestMs } = await watchClosing(held, msMax + lateMs)
  dropAll(held)
  await trickling
  const kept = held.filter(({ closedMs, openedMs }) => (closedMs ?? Infinity) - openedMs > 1_000).length
  return {
    text: `${count} sockets, ${count - kept} turned away at once, the last closed after ${(longestMs / 1_000).toFixed(1)} s; others ${answered ? 'were answered' : 'WERE NOT answered'}`,
    faults: [
      ...(left > 0 ? [`${left} still open after ${msMax / 1_000} s and some`] : []),
      ...(answered ? [] : ['somebody else was not answered']),
    ],
  }
}

export const slowHeaders: Attack = {
  name: 'slowloris',
  about: 'HTTP headers a byte at a time (slowloris)',
  counts: { test: 400, full: 1_000 },
  run: ({ http, count }) =>
    slowly(http, () => open(http), count, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ', headersMsMax),
}

export const slowHeadersTls: Attack = {
  name: 'slowloris-tls',
  about: 'the same over HTTPS',
  counts: { test: 20, full: 500 },
  overTls: true,
  async run({ http, count }) {
    const held = await openMany(count, () => {
      const one = openTls(http)
      one.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
      return one
    })
    const trickling = trickle(held, () => Buffer.from('a'), 500, headersMsMax + lateMs)
    const { left, longestMs } = await watchClosing(held, headersMsMax + lateMs)
    dropAll(held)
    await trickling
    return {
      text: `${count} sockets, the last closed after ${(longestMs / 1_000).toFixed(1)} s`,
      faults: left > 0 ? [`${left} still open`] : [],
    }
  },
}

export const slowBodies: Attack = {
  name: 'slow-body',
  about: 'bodies of 100,000 bytes a byte at a time (R.U.D.Y.)',
  counts: { test: 0, full: 300 },
  run: ({ http, count }) =>
    slowly(
      http,
      () => open(http),
      count,
      'POST /v1/ingest/senml/mallory HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/senml+json\r\ncontent-length: 100000\r\n\r\n[',
      requestMsMax,
    ),
}

export const slowReads: Attack = {
  name: 'slow-read',
  about: 'large answers and streams that nobody reads',
  counts: { test: 50, full: 180 },
  async run({ http, count, seconds }) {
    const held = await openMany(count, () => {
      const one = open(http)
      one.socket.pause()
      const path = Math.random() < 0.5 ? '/openapi.json' : '/v1/stream?start=earliest'
      one.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(path === '/openapi.json' ? 50 : 1))
      return one
    })
    await sleep(1_000 + seconds * 1_000)
    const answered = await othersAnswered(http, false)
    dropAll(held)
    return {
      text: `${count} sockets that read nothing; others ${answered ? 'were answered' : 'WERE NOT answered'}`,
      faults: answered ? [] : ['somebody else was not answered'],
    }
  },
}
