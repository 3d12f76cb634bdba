// A process that changes MQTT sessions until it is killed, or until its disk is full and has room again, or while it is traced; tests
// run it and read what it says.   kill FOLDER SEED FROM · full FOLDER · trace FOLDER ROUNDS

import { rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createSessionStore } from '../../gateway/mqtt-state/session-store.ts'
import { openState } from '../../gateway/log/state.ts'
import type { SessionChange } from '../../broker/stored.ts'
import { callsOfSeed, createSessionModel, textOf } from '../session-model.ts'

const [, , task, dataDir = '', seed = '0', from = '0'] = process.argv
const say = (line: string): void => void writeSync(1, `${line}\n`)
const state = openState({ dataDir, failed: (error) => say(error ? `failed ${error.message}` : 'well again') })
const store = createSessionStore({ state })

if (task === 'kill') await changeUntilKilled()
else if (task === 'full') await fillTheDisk()
else await oweInRounds(Number(seed))

/** Says `safe N` when the first N calls of `write` are; they are those of the seed, and the first FROM were made before. */
async function changeUntilKilled(): Promise<void> {
  const calls = callsOfSeed(Number(seed))
  const model = createSessionModel()
  const next = (): SessionChange[] => {
    const changes: SessionChange[] = calls.next().value
    model.apply(...changes)
    return changes
  }
  for (let count = 0; count < Number(from); count++) next()
  say(textOf(store.load()) === textOf(model.stored()) ? 'open' : 'open, and not as it was left')
  for (let count = Number(from); ;) {
    // Now one, now many; now waited for, now not.
    const flushed = count + 1 + (count % 17)
    for (; count < flushed; count++) store.write(...next())
    const safe = store.flush().then(() => say(`safe ${flushed}`))
    if (count % 5 < 3) await safe
    else await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Each round owes one number more, and pays one in seven; a checkpoint comes every few rounds. */
async function oweInRounds(rounds: number): Promise<void> {
  store.load()
  state.database.exec('PRAGMA wal_autocheckpoint = 12')
  store.write({
    kind: 'session',
    session: { clientId: 'a', principal: 'p', protocolVersion: 5, expirySeconds: 1, leftAt: 1n },
  })
  for (let round = 1; round <= rounds; round++) {
    const owed = { source: 'frames', number: round, qos: 1 } as const
    const changes: SessionChange[] = [
      { kind: 'owed', clientId: 'a', owed },
      { kind: 'through', source: 'frames', number: round },
    ]
    if (round % 7 === 0) changes.push({ kind: 'paid', clientId: 'a', source: 'frames', number: round - 3 })
    store.write(...changes)
    // Some that nobody waits for, which a commit writes and no sync covers yet.
    if (round % 5 === 0) state.flush()
    const safe = store.flush().then(() => say(`safe ${round}`))
    if (round % 3 !== 0) await safe
  }
  await store.flush()
  say('done')
  process.exit()
}

async function fillTheDisk(): Promise<void> {
  const model = createSessionModel()
  store.load()
  const change = (round: number): void => {
    const calls = callsOfSeed(round)
    const write = (...changes: SessionChange[]): void => {
      model.apply(...changes)
      store.write(...changes)
    }
    for (let count = 0; count < 100; count++) write(...calls.next().value)
    const session = {
      clientId: `large ${round}`,
      principal: 'p',
      protocolVersion: 5,
      expirySeconds: 1,
      leftAt: 1n,
    } as const
    const many = Array.from({ length: 5000 }, (_, n) => ({ source: 'frames', number: n + 1, qos: 1 }) as const)
    const owing = many.map((owed) => ({ kind: 'owed', clientId: session.clientId, owed }) as const)
    write({ kind: 'session', session }, ...owing)
  }
  const flush = (): Promise<void> =>
    store.flush().then(
      () => say('flushed'),
      (error: Error) => say(`refused ${error.message}`),
    )
  change(1)
  await flush()
  const filler = join(dataDir, 'filler')
  fill(filler)
  change(2)
  await flush()
  await Promise.all([flush(), flush()])
  change(3)
  rmSync(filler)
  await flush()
  state.close()
  const again = createSessionStore({ state: openState({ dataDir }) })
  say(textOf(again.load()) === textOf(model.stored()) ? 'all there' : 'not as it was left')
}

function fill(path: string): void {
  try {
    for (let block = 4096; ;) writeFileSync(path, Buffer.alloc(block, 1), { flag: 'a' })
  } catch {
    // Full, which was the aim.
  }
}
