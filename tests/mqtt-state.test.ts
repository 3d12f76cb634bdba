// The store of MQTT sessions against a model of it: what was flushed is there after any crash, what is taken back costs no disk, and
// a disk that refuses loses nothing.

import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { SessionChange, SessionStore, StoredRetained, StoredWill } from '../broker/stored.ts'
import { backup, restore } from '../gateway/log/backup.ts'
import { openState, type State, type StateParts } from '../gateway/log/state.ts'
import { createSessionStore } from '../gateway/mqtt-state/session-store.ts'
import { callsOfSeed, createSessionModel, someChanges, textOf } from './session-model.ts'
import { startChild } from './tools/child.ts'
import { createLogSource } from './tools/log-source.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const open: State[] = []
afterEach(() => open.splice(0).forEach((state) => state.close()))

function openStore(dataDir = tempFolder('mqtt-state'), parts: Partial<StateParts> = {}) {
  const state = openState({ dataDir, ...parts })
  open.push(state)
  const store = createSessionStore({ state })
  return { dataDir, state, store, loaded: store.load() }
}

/** The folder as another process would find it now, this one having been killed. */
function crashCopy(dataDir: string): string {
  const copy = tempFolder('mqtt-crash')
  // Not the index of the write-ahead file, which is memory.
  for (const name of readdirSync(dataDir))
    if (!name.endsWith('-shm')) copyFileSync(join(dataDir, name), join(copy, name))
  return copy
}

function afterCrash(dataDir: string) {
  const { state, loaded } = openStore(crashCopy(dataDir))
  state.close()
  return loaded
}

const session = (clientId: string, leftAt?: bigint): SessionChange => ({
  kind: 'session',
  session: { clientId, principal: 'mqtt:a', protocolVersion: 5, expirySeconds: 60, leftAt },
})
const owed = (clientId: string, number: number, source = 'frames'): SessionChange => ({
  kind: 'owed',
  clientId,
  owed: { source, number, qos: 1 },
})
const paid = (clientId: string, number: number): SessionChange => ({ kind: 'paid', clientId, source: 'frames', number })
const numbers = (store: { sessions: readonly { owed: readonly { number: number }[] }[] }): number[][] =>
  store.sessions.map((one) => one.owed.map(({ number }) => number))
const changesOfDisk = (state: State): number =>
  Number((state.database.prepare('SELECT total_changes() AS n').get() as { n: number }).n)

describe('what is written', () => {
  test('is loaded again as it was given, field by field', async () => {
    const { dataDir, state, store } = openStore()
    const retained: StoredRetained = {
      topic: 'rain/7',
      clientId: 'gauge-7',
      payload: Uint8Array.of(0, 255, 3),
      qos: 1,
      receivedAt: 1_795_348_800_123_456_789n,
      properties: {
        contentType: 'application/senml+json',
        userProperties: [
          ['unit', 'mm'],
          ['via', 'a'],
          ['unit', 'cm'],
        ],
        responseTopic: 'answers/7',
        correlationData: Uint8Array.of(9, 0, 9),
        messageExpirySeconds: 3600,
        payloadFormatIndicator: 1,
      },
    }
    const will: StoredWill = {
      clientId: 'gauge',
      principal: 'mqtt:gauge',
      protocolVersion: 4,
      topic: 'gone/gauge',
      payload: new Uint8Array(0),
      qos: 2,
      retain: true,
      silentSecondsMax: 22.5,
      delaySeconds: 0,
    }
    const filter = { filter: 'rain/+', qos: 2, noLocal: true, retainAsPublished: false, retainHandling: 2 } as const
    const frameId = Uint8Array.from({ length: 16 }, (_, n) => n)
    store.write(
      session('gauge', 1_795_348_800_000_000_001n),
      { kind: 'subscribed', clientId: 'gauge', subscription: { ...filter, identifier: 7 } },
      { kind: 'owed', clientId: 'gauge', owed: { source: 'frames', number: 12, qos: 2 } },
      owed('gauge', 3, 'alerts'),
      { kind: 'sent', clientId: 'gauge', sent: { packetId: 5, source: 'frames', number: 12, state: 'published' } },
      { kind: 'received', clientId: 'gauge', received: { packetId: 65_535, frameId } },
      { kind: 'retained', retained },
      { kind: 'will', will },
      { kind: 'through', source: 'frames', number: 12 },
    )
    await store.flush()
    state.close()
    const { loaded } = openStore(dataDir)
    expect(loaded).toEqual({
      sessions: [
        {
          clientId: 'gauge',
          principal: 'mqtt:a',
          protocolVersion: 5,
          expirySeconds: 60,
          leftAt: 1_795_348_800_000_000_001n,
          subscriptions: [{ ...filter, identifier: 7 }],
          owed: [
            { source: 'frames', number: 12, qos: 2 },
            { source: 'alerts', number: 3, qos: 1 },
          ],
          sent: [{ packetId: 5, source: 'frames', number: 12, state: 'published' }],
          received: [{ packetId: 65_535, frameId }],
        },
      ],
      retained: [{ ...retained, properties: { ...retained.properties, correlationData: Buffer.of(9, 0, 9) } }],
      wills: [will],
      through: new Map([['frames', 12]]),
    })
  })

  test('is on disk within a second without anybody asking, and at close', async () => {
    const { dataDir, state, store } = openStore()
    store.write(session('a'), owed('a', 1))
    expect(afterCrash(dataDir).sessions).toEqual([])
    await sleep(1100)
    expect(numbers(afterCrash(dataDir))).toEqual([[1]])
    store.write(owed('a', 2))
    state.close()
    expect(numbers(openStore(dataDir).loaded)).toEqual([[1, 2]])
  })

  test('costs no row and no sync when it is taken back before, and one row when it is said twice', async () => {
    let syncs = 0
    const { state, store } = openStore(tempFolder('mqtt-state'), { syncFile: async () => void syncs++ })
    store.write(session('a'), owed('a', 1))
    await store.flush()
    const before = changesOfDisk(state)
    const walBytes = statSync(`${state.path}-wal`).size
    for (let n = 2; n < 1000; n++) store.write(owed('a', n), paid('a', n))
    store.write(session('b'), owed('b', 7), { kind: 'session_gone', clientId: 'b' })
    await store.flush()
    expect([changesOfDisk(state) - before, statSync(`${state.path}-wal`).size - walBytes, syncs]).toEqual([0, 0, 1])
    const retained = { topic: 't', payload: Uint8Array.of(1), qos: 0, receivedAt: 1n } as const
    for (let n = 0; n < 9; n++) store.write({ kind: 'retained', retained })
    await store.flush()
    expect(changesOfDisk(state) - before).toBe(1)
  })

  test('keeps the order of what is owed across sources and flushes; owed again, it comes last', async () => {
    const { dataDir, state, store } = openStore()
    store.write(session('a'), owed('a', 9), owed('a', 4, 'alerts'), owed('a', 10))
    await store.flush()
    store.write(owed('a', 2, 'alerts'), owed('a', 9), owed('a', 11), paid('a', 11))
    state.close()
    const again = openStore(dataDir)
    expect(numbers(again.loaded)).toEqual([[4, 10, 2, 9]])
    again.store.write(owed('a', 3))
    again.state.close()
    expect(numbers(openStore(dataDir).loaded)).toEqual([[4, 10, 2, 9, 3]])
  })

  test('of a session that was gone and came again is only what came after', async () => {
    const { dataDir, state, store } = openStore()
    store.write(session('a'), owed('a', 1), owed('a', 2))
    await store.flush()
    store.write(owed('a', 3), { kind: 'session_gone', clientId: 'a' }, paid('a', 3), session('a', 5n), owed('a', 2))
    await store.flush()
    store.write(owed('a', 4))
    state.close()
    const { loaded } = openStore(dataDir)
    expect([numbers(loaded), loaded.sessions[0]?.leftAt]).toEqual([[[2, 4]], 5n])
    const rows = openStore(dataDir).state.database.prepare('SELECT count(*) AS n FROM mqtt_owed').get()
    expect(rows).toEqual({ n: 2 })
  })

  test('of a session that is not there is nothing; writing before loading is a fault of ours', async () => {
    const { dataDir, state, store } = openStore()
    store.write(owed('a', 1), session('a'), { kind: 'session_gone', clientId: 'a' }, owed('a', 2), session('b'))
    await store.flush()
    expect(afterCrash(dataDir).sessions).toMatchObject([{ clientId: 'b', owed: [] }])
    expect(() => createSessionStore({ state }).write(session('a'))).toThrow('loaded')
  })
})

test('random changes, flushes, refusals and crashes: never less than was flushed, never half a call', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: someChanges },
    { weight: 2, arbitrary: fc.constant('flush' as const) },
    { weight: 1, arbitrary: fc.constant('flush, refused at first' as const) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let { dataDir, state, store } = openStore()
      let calls: SessionChange[][] = []
      let flushed = 0
      for (const one of [...steps, 'flush' as const, 'crash' as const]) {
        if (one === 'crash') {
          const copy = crashCopy(dataDir)
          state.close()
          const next = openStore(copy)
          // The timer may have written what was not flushed.
          const count = modelTexts(calls).indexOf(textOf(next.loaded), flushed)
          expect(count).toBeGreaterThanOrEqual(flushed)
          calls = calls.slice(0, count)
          flushed = count
          ;({ dataDir, state, store } = next)
        } else if (typeof one !== 'string') {
          store.write(...one)
          calls.push(one)
        } else {
          if (one === 'flush, refused at first') await refusedOnce(state, store)
          await store.flush()
          flushed = calls.length
        }
      }
      open.splice(0).forEach((each) => each.close())
    }),
    { numRuns: 60 },
  )
}, 60_000)

/** After none of the calls, after the first, and so on. */
const modelTexts = (calls: readonly (readonly SessionChange[])[]): string[] => {
  const model = createSessionModel()
  const texts = [textOf(model.stored())]
  for (const changes of calls) {
    model.apply(...changes)
    texts.push(textOf(model.stored()))
  }
  return texts
}

/** Another's row fails the transaction that all share, after ours were written. */
async function refusedOnce(state: State, store: SessionStore): Promise<void> {
  state.later('trouble', () => {
    throw new Error('trouble')
  })
  await expect(store.flush()).rejects.toThrow('trouble')
  state.later('trouble', () => {})
}

describe('a process that changes sessions', () => {
  const program = `${import.meta.dirname}/faults/fill-sessions.ts`
  const kills = 8
  /** More calls than a process makes while it waits for syncs. */
  const unsafeMax = 500

  test(
    `killed ${kills} times: what it said is flushed is there, and every call is there whole or not at all`,
    { timeout: 60_000 },
    async () => {
      const dataDir = tempFolder('mqtt-kill')
      const seed = 20_261_125
      const calls = callsOfSeed(seed)
      const model = createSessionModel()
      let from = 0
      for (let kill = 0; kill < kills; kill++) {
        const child = startChild(process.execPath, [program, 'kill', dataDir, String(seed), String(from)], {})
        await child.waitFor(/^safe /m)
        await sleep((kill * 37) % 90)
        await child.kill()
        expect(child.stdout).toMatch(/^open$/m)
        const safe = Math.max(...[...child.stdout.matchAll(/^safe (\d+)$/gm)].map(([, count]) => Number(count)))
        const { state, loaded } = openStore(dataDir)
        state.close()
        const text = textOf(loaded)
        const advance = (): unknown => (from++, model.apply(...calls.next().value))
        while (from < safe) advance()
        for (let more = 0; more < unsafeMax && textOf(model.stored()) !== text; more++) advance()
        expect(textOf(model.stored()), `kill ${kill}, at ${from}; ${safe} were safe`).toBe(text)
      }
      process.stdout.write(`sessions, kill -9 × ${kills}: ${from} calls, 0 flushed are missing\n`)
    },
  )

  const mount = ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"', 'sh']
  test('told of a full disk by each flush, goes on by itself when there is room, and has lost nothing', async (context) => {
    const canMount = (await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])).code === 0
    context.skip(!canMount, 'this machine lets no user mount a tmpfs of its own')
    const dataDir = join(tempFolder('mqtt-full'), 'disk')
    mkdirSync(dataDir)
    const { stdout, stderr } = await run('unshare', [...mount, dataDir, process.execPath, program, 'full', dataDir])
    expect([stdout.trim().split('\n'), stderr]).toEqual([
      [
        'flushed',
        'failed database or disk is full',
        ...Array.from({ length: 3 }, () => 'refused database or disk is full'),
        'well again',
        'flushed',
        'all there',
      ],
      '',
    ])
  })
})

describe('beside the log', () => {
  test('sessions come along with a backup, whatever numbers they are owed', async () => {
    const dataDir = tempFolder('mqtt-backup')
    const source = createLogSource(dataDir)
    for (let n = 0; n < 20; n++) await source.commit()
    const { state, store } = openStore(dataDir)
    // Far above the head: the broker takes it for the end of what there is.
    store.write(session('a', 3n), owed('a', 1), owed('a', 1_000_000), {
      kind: 'through',
      source: 'frames',
      number: 2_000_000,
    })
    await store.flush()
    const [target, to] = [tempFolder('mqtt-target'), join(tempFolder('mqtt-restored'), 'data')]
    await backup({ dataDir, target, gatewayVersion: '0.1.0', madeAt: 1n })
    state.close()
    await restore({ source: target, dataDir: to })
    const { loaded } = openStore(to)
    expect(numbers(loaded)).toEqual([[1, 1_000_000]])
    expect(loaded.through).toEqual(new Map([['frames', 2_000_000]]))
  })

  test('sessions of a damaged file are gone, and that is said', async () => {
    const { dataDir, state, store } = openStore()
    store.write(session('a'))
    state.close()
    writeFileSync(state.path, 'no database')
    const warnings: string[] = []
    const { loaded } = openStore(dataDir, { warn: (text) => warnings.push(text) })
    expect(loaded).toEqual({ sessions: [], retained: [], wills: [], through: new Map() })
    expect(warnings).toEqual([expect.stringMatching(/retained messages and wills are gone.*must subscribe again/)])
  })
})
