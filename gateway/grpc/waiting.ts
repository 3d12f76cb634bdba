// The waiting room for those who run the gateway: what waits, and the decision about it.

import type {
  AdmitDeviceRequest,
  AdmitDeviceResponse,
  BlockDeviceRequest,
  BlockDeviceResponse,
  ListWaitingRequest,
  ListWaitingResponse,
  WaitingDevice as WireDevice,
} from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import type { KnownDevice } from '../devices/known-devices.ts'
import type { WaitingDevice } from '../devices/waiting-list.ts'
import type { WaitingRoom } from '../devices/waiting-room.ts'
import type { View } from './access.ts'

export type Room = Pick<WaitingRoom, 'list' | 'known' | 'admit' | 'block'>

const pageSizeDefault = 100
const pageSizeMax = 1_000

export function listWaiting(room: Room, request: ListWaitingRequest, view: View): ListWaitingResponse {
  const { devicePrefix = '', principal = '', decided = false, pageSize, pageToken } = request
  const after = Buffer.from(pageToken ?? []).toString()
  const known = new Map(room.known.list().map((each) => [keyOf(each), each]))
  const all = decided ? [...known.values()] : room.list.list()
  const found = all.filter(
    (each) =>
      each.device.startsWith(devicePrefix) && (principal === '' || each.sender === principal) && keyOf(each) > after,
  )
  const page = found.slice(0, Math.min(pageSize || pageSizeDefault, pageSizeMax))
  return {
    devices: page.map((each) =>
      'state' in each ? decidedDevice(each) : { ...waitingDevice(each, view), ...decisionOf(known.get(keyOf(each))) },
    ),
    ...(page.length < found.length && { nextPageToken: Buffer.from(keyOf(page.at(-1)!)) }),
    dropped: room.list.dropped,
    unlisted: room.list.unlisted,
  }
}

export const admitDevice = (room: Room, { device = '', principal = '' }: AdmitDeviceRequest): AdmitDeviceResponse =>
  room.admit(device, principal)

export const blockDevice = (room: Room, { device = '', principal = '' }: BlockDeviceRequest): BlockDeviceResponse =>
  room.block(device, principal)

const keyOf = ({ sender, device }: { readonly sender: string; readonly device: string }): string =>
  `${sender}\n${device}`

const decisionOf = (known: KnownDevice | undefined): WireDevice =>
  known
    ? {
        admitted: known.state === 'admitted',
        blocked: known.state === 'blocked',
        decidedAt: timestamp(known.decidedAt),
      }
    : {}

const decidedDevice = (known: KnownDevice): WireDevice => ({
  device: known.device,
  principal: known.sender,
  ...decisionOf(known),
})

function waitingDevice(each: WaitingDevice, view: View): WireDevice {
  const { sender, device, firstAt, lastAt, routine, urgent, dropped, addresses, topics, adapter, says, labels } = each
  return {
    device,
    principal: sender,
    firstSeen: timestamp(firstAt),
    lastSeen: timestamp(lastAt),
    messages: routine.length + urgent.length,
    urgent: urgent.length,
    dropped,
    addresses: [...addresses],
    topics: [...topics],
    adapter,
    says: view.mayReadFrame({ labels }) ? says : '',
  }
}
