// Which devices somebody has admitted or blocked, in state.sqlite, and what that means for an event that comes from a sender with many
// devices behind it. A decision is on disk before it holds.

import type { Guard } from '../inputs/receive.ts'
import type { State } from '../log/state.ts'
import type { Registry } from '../policy/registry.ts'

export interface KnownDevice {
  /** The principal it stands behind, or `unknownSender`. */
  readonly sender: string
  readonly device: string
  readonly state: 'admitted' | 'blocked'
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly decidedAt: bigint
  /** Of what waited of it, all frames up to this number have gone through the gateway. */
  readonly through: number
}

export interface KnownDevices {
  get(sender: string, device: string): KnownDevice | undefined
  /** By sender and device, in order. */
  list(): readonly KnownDevice[]
  /** Holds when it returns; throws what SQLite throws, and then nothing has changed. */
  put(known: KnownDevice): void
  /** So far has what waited gone; saved within a second. */
  moved(known: KnownDevice, through: number): void
  /** What waited of it is through: from now on it passes. */
  pass(sender: string, device: string): void
  /** Undefined: whatever this sender says may pass. */
  guardOf(sender: string): Guard | undefined
}

/** Stands for the sender of devices that show a good certificate and whose name nobody has entered. */
export const unknownSender = 'unknown'
/** Stands for whoever shows nothing, where the settings admit nobody so. */
export const anonymousSender = 'anonymous'

export interface KnownDevicesParts {
  readonly state: Pick<State, 'database' | 'now' | 'later'>
  readonly registry: Pick<Registry, 'get' | 'onChange'>
  /** Devices of those who show nothing wait too. */
  readonly anonymousWait: boolean
}

/** What is asked for each message stands in one table. */
interface Group {
  readonly verdicts: Map<string, 'pass' | 'blocked'>
  readonly guard: Guard
  subjects: readonly string[]
  admitsNew: boolean
}

const keyOf = (sender: string, device: string): string => `${sender}\n${device}`

export function createKnownDevices({ state, registry, anonymousWait }: KnownDevicesParts): KnownDevices {
  const { database } = state
  const devices = new Map<string, KnownDevice>()
  const groups = new Map<string, Group>()
  const replace = database.prepare(
    'INSERT OR REPLACE INTO devices (sender, device, state, decided_at, through) VALUES (?, ?, ?, ?, ?)',
  )
  const select = database.prepare('SELECT * FROM devices')
  select.setReadBigInts(true)
  for (const row of select.all()) {
    const { sender, device, state: decided, decided_at: decidedAt, through } = row as Record<string, string | bigint>
    enter({
      sender: String(sender),
      device: String(device),
      state: decided === 'admitted' ? 'admitted' : 'blocked',
      decidedAt: BigInt(decidedAt!),
      through: Number(through),
    })
  }
  registry.onChange((name) => {
    const group = groups.get(name)
    if (group) Object.assign(group, rulesOf(name))
  })

  function enter(known: KnownDevice): void {
    devices.set(keyOf(known.sender, known.device), known)
  }

  const rulesOf = (name: string): Pick<Group, 'subjects' | 'admitsNew'> =>
    name === anonymousSender
      ? { subjects: anonymousWait ? [''] : [], admitsNew: false }
      : { subjects: registry.get(name)?.subjects ?? [], admitsNew: registry.get(name)?.admitsNew ?? false }

  function createGroup(name: string): Group {
    const verdicts: Group['verdicts'] = new Map()
    const guard: Guard = {
      judge: (subject) => verdicts.get(subject) ?? judgeNew(group, subject),
    }
    const group: Group = { verdicts, guard, ...rulesOf(name) }
    for (const { sender, device, state: decided } of devices.values()) {
      // What was admitted passes when nothing of it waits any more: `pass`.
      if (sender === name && decided === 'blocked') verdicts.set(device, 'blocked')
    }
    return group
  }

  function groupOf(name: string): Group {
    let group = groups.get(name)
    if (!group) groups.set(name, (group = createGroup(name)))
    return group
  }

  return {
    get: (sender, device) => devices.get(keyOf(sender, device)),
    list: () => [...devices].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, known]) => known),
    put(known) {
      const { sender, device, state: decided, decidedAt, through } = known
      state.now(() => void replace.run(sender, device, decided, decidedAt, through))
      enter(known)
      const { verdicts } = groupOf(sender)
      if (decided === 'blocked') verdicts.set(device, 'blocked')
      else verdicts.delete(device)
    },
    moved(known, through) {
      const { sender, device, state: decided, decidedAt } = known
      enter({ ...known, through })
      state.later(`device ${keyOf(sender, device)}`, () => replace.run(sender, device, decided, decidedAt, through))
    },
    pass: (sender, device) => void groupOf(sender).verdicts.set(device, 'pass'),
    guardOf: (sender) => (rulesOf(sender).subjects.length > 0 ? groupOf(sender).guard : undefined),
  }
}

function judgeNew({ subjects, admitsNew }: Group, subject: string): ReturnType<Guard['judge']> {
  if (subject === '' || !subjects.some((prefix) => subject.startsWith(prefix))) return 'outside'
  return admitsNew ? 'pass' : 'wait'
}
