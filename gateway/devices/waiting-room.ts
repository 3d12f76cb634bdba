// The waiting room: where devices that nobody has admitted are heard and not yet believed. What they send is kept and acknowledged; it
// is given to nobody, until somebody admits its device. Then it goes on its way in the order in which it came, and only after it what
// the device sends from there on.

import { GatewayError } from '../../proto/errors.ts'
import { Authenticity } from '../../proto/generated/types.ts'
import type { Frame as KeptFrame } from '../../proto/generated/types.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Guard, Sender } from '../inputs/receive.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import type { WaitingFrames } from '../pipeline.ts'
import type { Flow } from './flow.ts'
import { anonymousSender, type KnownDevice, type KnownDevices, unknownSender } from './known-devices.ts'
import { oldestOf, type WaitingDevice, type WaitingList } from './waiting-list.ts'

export interface WaitingRoom extends WaitingFrames {
  readonly list: Pick<WaitingList, 'list' | 'dropped' | 'unlisted'>
  readonly known: Pick<KnownDevices, 'list'>
  /** Looks into the log for what waits, and goes on with what is on its way. */
  start(): void
  /** Throws GatewayError not_found or invalid_argument. */
  admit(device: string, sender: string): Decided
  block(device: string, sender: string): Decided
  /** A sender with its guard, for doors that look for none themselves. */
  guarded(sender: Sender): Sender
  /** Undefined: whatever this sender says may pass. */
  guardOf(sender: Pick<Sender, 'name' | 'authenticity'>): Guard | undefined
  /** Of a device with a good certificate whose name nobody has entered; undefined: it is blocked. */
  strangerOf(device: string): Guard | undefined
  stop(): Promise<void>
}

export interface Decided {
  readonly devices: number
  readonly messages: number
}

export interface WaitingRoomParts {
  readonly known: KnownDevices
  readonly list: WaitingList
  readonly log: Pick<Log, 'eachFrame' | 'readFrame'>
  readonly flow: Flow
  readonly clock: Pick<Clock, 'now'>
  readonly alarms: Alarms
  readonly logger: Logger
  /** Devices with a good certificate and a name that nobody has entered are let in, and wait. */
  readonly takesStrangers: boolean
  /** Enters it as a principal, so that it is let in under its own name. */
  enter(device: string): void
  /** Connections of it are cut. */
  cut(sender: string): void
}

/** What goes through the pipeline at once. */
const stretch = 64
const triedAgainMs = 5_000

export function createWaitingRoom(parts: WaitingRoomParts): WaitingRoom {
  const { known, list, log, flow, clock, alarms, logger } = parts
  /** Frames that were given to the log and not yet answered, by sender and device. */
  const entering = new Map<string, number>()
  /** What is on its way, each until it ends. */
  const draining = new Map<string, Promise<void>>()
  const retries = new Set<NodeJS.Timeout>()
  let stopping = false

  const guardOf: WaitingRoom['guardOf'] = ({ name, authenticity }) =>
    known.guardOf(authenticity === 'authenticated' ? name : anonymousSender)

  function rebuild(): void {
    list.clear()
    const frames: KeptFrame[] = []
    for (const frame of log.eachFrame({ fate: 'waiting' })) {
      const { device = '' } = frame.waiting ?? {}
      const decided = known.get(groupOf(frame), device)
      if (decided?.state === 'blocked' || Number(frame.number) <= (decided?.through ?? 0)) continue
      frames.push({ ...frame, payload: new Uint8Array() })
    }
    for (const frame of frames.toReversed()) list.enter(groupOf(frame), frame)
  }

  function tellUrgent(sender: string): void {
    if (list.urgentOf(sender) === 0) return alarms.clear('device_waiting', sender)
    const text = `Something urgent of a device behind ${sender} waits, since nobody has admitted the device: \`tocsin devices\` shows it, \`tocsin devices admit\` lets it pass.`
    alarms.raise('device_waiting', sender, text)
  }

  function drain(decided: KnownDevice): void {
    const key = keyOf(decided.sender, decided.device)
    if (draining.has(key) || stopping) return
    const run = drainAll(decided)
      .catch((err: unknown) => {
        logger.warn({ err }, 'what waited of a device could not go on its way; it is tried again')
        const retry = setTimeout(() => {
          retries.delete(retry)
          drain(decided)
        }, triedAgainMs)
        retries.add(retry.unref())
      })
      .finally(() => {
        draining.delete(key)
        const device = list.get(decided.sender, decided.device)
        // One that came in the last moment.
        const isAdmitted = known.get(decided.sender, decided.device)?.state === 'admitted'
        if (device && isAdmitted && !stopping && retries.size === 0) drain(decided)
      })
    draining.set(key, run)
  }

  async function drainAll(decided: KnownDevice): Promise<void> {
    const { sender, device } = decided
    for (;;) {
      const waiting = list.get(sender, device)
      const numbers = waiting ? oldestOf(waiting, stretch) : []
      if (numbers.length === 0 || stopping || known.get(sender, device)?.state !== 'admitted') break
      await Promise.all(numbers.map((number) => goOn(decided, number)))
      known.moved(known.get(sender, device) ?? decided, numbers.at(-1)!)
      list.leave(sender, device, numbers)
    }
    tellUrgent(sender)
    if (list.unlisted > 0) rebuild()
    const isThrough = !list.get(sender, device) && !entering.get(keyOf(sender, device))
    if (isThrough && !stopping && known.get(sender, device)?.state === 'admitted') pass(sender, device)
  }

  async function goOn({ sender, device }: KnownDevice, number: number): Promise<void> {
    const frame = log.readFrame(number)
    // Retention, or a removal, may have been faster.
    if (!frame) return
    const group = known.guardOf(sender)
    const guard = group && { judge: (subject: string) => (subject === device ? 'pass' : group.judge(subject)) }
    const { address } = frame.waiting ?? {}
    const name = sender === unknownSender ? `device:${device}` : (frame.sender ?? sender)
    await flow(frame, { name, ...(address && { address }) }, guard)
  }

  function pass(sender: string, device: string): void {
    known.pass(sender, device)
    if (sender !== unknownSender) return
    parts.enter(device)
    parts.cut(`${unknownSender}:${device}`)
  }

  /** Whom it concerns: those that wait, or one that does not wait yet where its sender is named. */
  function chosen(name: string, sender: string): readonly Pick<WaitingDevice, 'sender' | 'device'>[] {
    const isMeant = name.endsWith('*')
      ? ({ device }: { device: string }) => device.startsWith(name.slice(0, -1))
      : ({ device }: { device: string }) => device === name
    const isHis = (one: { sender: string }): boolean => sender === '' || one.sender === sender
    const waiting = list.list().filter((one) => isMeant(one) && isHis(one))
    const before = name.endsWith('*') ? [] : known.list().filter((one) => isMeant(one) && isHis(one))
    const found = waiting.length > 0 ? waiting : before
    if (found.length === 0 && sender !== '' && name !== '' && !name.endsWith('*')) return [{ sender, device: name }]
    if (found.length === 0) {
      throw new GatewayError('not_found', 'No device of this name waits: `tocsin devices waiting` lists those that do.')
    }
    const senders = new Set(found.map((one) => one.sender))
    if (senders.size === 1) return found
    const text = `principal must say behind whom: devices of this name stand behind ${[...senders].join(', ')}.`
    throw new GatewayError('invalid_argument', text)
  }

  function decide(state: KnownDevice['state'], name: string, sender: string): Decided {
    let messages = 0
    const all = chosen(name, sender)
    const wasBlocked = all.some((one) => known.get(one.sender, one.device)?.state === 'blocked')
    for (const one of all) {
      const waiting = list.get(one.sender, one.device)
      messages += waiting ? waiting.routine.length + waiting.urgent.length : 0
      const through = known.get(one.sender, one.device)?.through ?? 0
      known.put({ sender: one.sender, device: one.device, state, decidedAt: clock.now(), through })
      if (state === 'blocked' && waiting) list.remove(waiting)
      if (state === 'blocked' && one.sender === unknownSender) parts.cut(`${unknownSender}:${one.device}`)
    }
    // What waited of it when it was blocked waits again.
    if (state === 'admitted' && wasBlocked) rebuild()
    for (const one of all) {
      const decided = known.get(one.sender, one.device)
      if (decided?.state === 'admitted') drain(decided)
    }
    for (const each of new Set(all.map((one) => one.sender))) tellUrgent(each)
    return { devices: all.length, messages }
  }

  return {
    list,
    known,
    entering(sender, frame) {
      const key = keyOf(groupOf({ ...frame, sender: sender.name }), frame.waiting?.device ?? '')
      entering.set(key, (entering.get(key) ?? 0) + 1)
    },
    entered(sender, frame, number) {
      const group = groupOf({ ...frame, sender: sender.name })
      const { device = '', urgent = false } = frame.waiting ?? {}
      const key = keyOf(group, device)
      const left = (entering.get(key) ?? 1) - 1
      if (left > 0) entering.set(key, left)
      else entering.delete(key)
      const decided = known.get(group, device)
      if (number !== undefined && decided?.state !== 'blocked') {
        list.enter(group, { ...frame, number, payload: new Uint8Array() })
        if (urgent && decided === undefined) tellUrgent(group)
      }
      if (decided?.state === 'admitted') drain(decided)
    },
    start() {
      rebuild()
      for (const decided of known.list()) if (decided.state === 'admitted') drain(decided)
      for (const sender of new Set(list.list().map((device) => device.sender))) tellUrgent(sender)
    },
    admit: (device, sender) => decide('admitted', device, sender),
    block: (device, sender) => decide('blocked', device, sender),
    guardOf,
    guarded(sender) {
      const guard = guardOf(sender)
      return guard ? { ...sender, guard } : sender
    },
    strangerOf: (device) =>
      !parts.takesStrangers || known.get(unknownSender, device)?.state === 'blocked'
        ? undefined
        : { judge: () => 'wait', whole: device },
    async stop() {
      stopping = true
      for (const retry of retries) clearTimeout(retry)
      await Promise.all(draining.values())
    },
  }
}

const keyOf = (sender: string, device: string): string => `${sender}\n${device}`

/** Behind whom its device stands, as the room counts it. */
function groupOf({ sender = '', waiting }: KeptFrame): string {
  if (sender.startsWith(`${unknownSender}:`)) return unknownSender
  return waiting?.authenticity === Authenticity.AUTHENTICATED ? sender : anonymousSender
}
