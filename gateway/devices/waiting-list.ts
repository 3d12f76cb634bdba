// What waits, by device: the numbers of its frames in the log, and what whoever decides about it must know. It is made again from the
// log at each start. Bounded: of routine frames the oldest are let go, counted; urgent ones never.

import type { Frame } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'

export interface WaitingDevice {
  readonly sender: string
  readonly device: string
  readonly firstAt: bigint
  lastAt: bigint
  readonly addresses: Set<string>
  readonly topics: Set<string>
  adapter: string
  says: string
  /** Of the last frame, which `says` was taken from. */
  labels: number
  /** Numbers of frames, oldest first. */
  readonly routine: number[]
  readonly urgent: number[]
  dropped: number
}

export interface WaitingBounds {
  /** Routine frames of one device, and of all. */
  readonly ofOneMax: number
  readonly ofAllMax: number
  readonly devicesMax: number
}

export interface WaitingList {
  get(sender: string, device: string): WaitingDevice | undefined
  /** By sender and device, in order. */
  list(): readonly WaitingDevice[]
  enter(sender: string, frame: Frame): void
  /** These have gone on; a device with nothing left is forgotten. */
  leave(sender: string, device: string, numbers: readonly number[]): void
  remove(device: WaitingDevice): void
  clear(): void
  /** Urgent frames behind a sender. */
  urgentOf(sender: string): number
  /** Routine frames that were let go. */
  readonly dropped: number
  /** Urgent frames of devices for which there is no room. */
  readonly unlisted: number
  readonly size: number
}

/** Of each device. */
const placesMax = 8

const keyOf = (sender: string, device: string): string => `${sender}\n${device}`

export function createWaitingList({ ofOneMax, ofAllMax, devicesMax }: WaitingBounds): WaitingList {
  const devices = new Map<string, WaitingDevice>()
  /** Routine frames of all, oldest first. */
  const routine = new Map<number, WaitingDevice>()
  const urgentOf = new Map<string, number>()
  let dropped = 0
  let unlisted = 0

  const countUrgent = (sender: string, more: number): void =>
    void urgentOf.set(sender, (urgentOf.get(sender) ?? 0) + more)

  function drop(device: WaitingDevice): void {
    const number = device.routine.shift()
    if (number === undefined) return
    routine.delete(number)
    device.dropped += 1
    dropped += 1
    if (device.routine.length + device.urgent.length === 0) devices.delete(keyOf(device.sender, device.device))
  }

  /** The one that came first of those with nothing urgent. */
  function makeRoom(): boolean {
    if (devices.size < devicesMax) return true
    for (const device of devices.values()) {
      if (device.urgent.length > 0) continue
      while (device.routine.length > 0) drop(device)
      return true
    }
    return false
  }

  function remove(device: WaitingDevice): void {
    for (const number of device.routine) routine.delete(number)
    countUrgent(device.sender, -device.urgent.length)
    devices.delete(keyOf(device.sender, device.device))
  }

  return {
    get: (sender, device) => devices.get(keyOf(sender, device)),
    list: () => [...devices].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, device]) => device),
    enter(sender, { number: given, waiting, receivedAt, channel = '', adapter = '', labels = 0 }) {
      const { device: name = '', urgent = false, address = '', says = '' } = waiting ?? {}
      const number = Number(given)
      const at = timestampNs(receivedAt) ?? 0n
      const key = keyOf(sender, name)
      let device = devices.get(key)
      if (!device) {
        if (!makeRoom()) {
          if (urgent) unlisted += 1
          else dropped += 1
          return
        }
        const places = { addresses: new Set<string>(), topics: new Set<string>() }
        const nothing = { routine: [], urgent: [], dropped: 0, adapter, says, labels }
        devices.set(key, (device = { sender, device: name, firstAt: at, lastAt: at, ...places, ...nothing }))
      }
      Object.assign(device, { lastAt: at, adapter, says, labels })
      if (address !== '') addUpTo(device.addresses, address)
      addUpTo(device.topics, channel)
      const numbers = urgent ? device.urgent : device.routine
      // The log and its answer may both have told of it.
      if (number <= (numbers.at(-1) ?? 0)) return
      numbers.push(number)
      if (urgent) return countUrgent(sender, 1)
      routine.set(number, device)
      if (device.routine.length > ofOneMax) drop(device)
      else if (routine.size > ofAllMax) drop(routine.values().next().value!)
    },
    leave(sender, name, numbers) {
      const device = devices.get(keyOf(sender, name))
      if (!device) return
      const gone = new Set(numbers)
      const urgentBefore = device.urgent.length
      for (const list of [device.routine, device.urgent]) {
        const left = list.filter((number) => !gone.has(number))
        list.splice(0, list.length, ...left)
      }
      countUrgent(sender, device.urgent.length - urgentBefore)
      for (const number of numbers) routine.delete(number)
      if (device.routine.length + device.urgent.length === 0) remove(device)
    },
    remove,
    clear() {
      devices.clear()
      routine.clear()
      urgentOf.clear()
      unlisted = 0
    },
    urgentOf: (sender) => urgentOf.get(sender) ?? 0,
    get dropped() {
      return dropped
    },
    get unlisted() {
      return unlisted
    },
    get size() {
      return devices.size
    },
  }
}

function addUpTo(set: Set<string>, text: string): void {
  if (set.size < placesMax) set.add(text)
}

/** The oldest of both, in the order of their numbers, at most `count`. */
export function oldestOf({ routine, urgent }: WaitingDevice, count: number): number[] {
  return [...routine.slice(0, count), ...urgent.slice(0, count)].toSorted((a, b) => a - b).slice(0, count)
}
