// How the gateway is: what it received and what became of it, how far its log and its readers are, what is wrong now. With --watch it
// is asked again and again, and a gateway that does not answer is said not to.

import { setTimeout as sleep } from 'node:timers/promises'
import { timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { Command, Given } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { type Picture, type RefusalSummary, statusLines } from './status-text.ts'
import { safe, safeJson, type Terminal } from './terminal.ts'
import { clockText, spanText } from './time.ts'

/** Refusals are counted among the newest so many. */
const refusalsMax = 1_000
const hourNs = 3_600_000_000_000n
const watchEveryMs = 2_000
/** A gateway that is well answers in some milliseconds. */
const watchTimeoutMs = 3_000
/** ANSI: to the upper left corner; all behind it is taken away. */
const home = '\u001b[H\u001b[J'

const frameCodec = codec('tocsin.v1.Frame')
const statusCodec = codec('tocsin.v1.GetStatusResponse')
const bookmarkCodec = codec('tocsin.v1.BookmarkStatus')

export const status: Command = {
  name: 'status',
  usage: '[options]',
  about: 'Says how the gateway is, and what is wrong now.',
  options: {
    watch: { about: 'Shows it again every two seconds, until Ctrl-C.' },
    json: { about: 'As JSON; with --watch one line each time.' },
    ...connectionOptions,
  },
  wordsMax: 0,
  examples: [
    ['tocsin status', 'On one screen.'],
    ['tocsin status --watch', 'The same, kept up to date.'],
  ],
  async run(given, terminal) {
    const connection = connect(given)
    try {
      if (given.flag('watch')) return await watchStatus(connection, given, terminal)
      show(await look(connection), given, terminal)
      return 0
    } finally {
      connection.close()
    }
  },
}

async function look(connection: Connection): Promise<Picture> {
  const [state, { bookmarks = [] }, page] = await Promise.all([
    connection.call('AdminService/GetStatus', {}),
    connection.call('AdminService/ListBookmarks', {}),
    connection.call('AdminService/ListRefusals', { pageSize: refusalsMax }),
  ])
  const refusals = summaries(page.frames ?? [], timestampNs(state.now) ?? 0n)
  return { state, bookmarks, refusals, isCut: (page.nextPageToken?.length ?? 0) > 0 }
}

/** `frames`: newest first. */
function summaries(frames: readonly Uint8Array[], now: bigint): RefusalSummary[] {
  const byFault = new Map<string, RefusalSummary>()
  for (const bytes of frames) {
    const { fault = 'other', channel = '', why = '', receivedAt } = frameCodec.decode(bytes)
    const at = timestampNs(receivedAt) ?? 0n
    const known = byFault.get(fault) ?? { fault, count: 0, lastHour: 0, newest: { at, topic: channel, why } }
    const lastHour = known.lastHour + (now - at < hourNs ? 1 : 0)
    byFault.set(fault, { ...known, count: known.count + 1, lastHour })
  }
  return [...byFault.values()]
}

function show(picture: Picture, given: Given, { print, paint, width }: Terminal): void {
  if (given.flag('json')) return print(safeJson(asJson(picture)))
  const start = given.flag('watch') && width !== undefined ? home : ''
  print(start + statusLines(picture, paint).join('\n'))
}

function asJson({ state, bookmarks, refusals }: Picture): object {
  return {
    ...(statusCodec.toJson(state) as object),
    bookmarks: bookmarks.map((each) => bookmarkCodec.toJson(each)),
    refusals: refusals.map(({ newest, ...rest }) => ({
      ...rest,
      newest: { ...newest, at: new Date(Number(newest.at / 1_000_000n)).toISOString() },
    })),
  }
}

async function watchStatus(connection: Connection, given: Given, terminal: Terminal): Promise<number> {
  const over = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort())
  let heardAtMs = performance.now()
  while (!over.signal.aborted) {
    try {
      show(await within(watchTimeoutMs, look(connection)), given, terminal)
      heardAtMs = performance.now()
    } catch (error) {
      const why = safe(error === late ? 'it does not answer' : connection.explain(error).message)
      const silent = spanText(performance.now() - heardAtMs)
      const at = clockText(BigInt(Date.now()) * 1_000_000n)
      terminal.tell(`── ${at}: no word from the gateway for ${silent}: ${why}; what stands above is old ──`)
    }
    await sleep(watchEveryMs, undefined, { signal: over.signal }).catch(() => undefined)
  }
  return 0
}

const late = new Error('late')

async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  const timer = new AbortController()
  const tooLate = sleep(ms, undefined, { signal: timer.signal }).then(() => Promise.reject(late))
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    timer.abort()
    tooLate.catch(() => {})
  }
}
