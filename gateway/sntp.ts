// Asks one time server how far this machine's clock is off (SNTP, RFC 4330 and RFC 5905 §14). Believes only an answer to its own
// question from a server that is itself synchronised; what an attacker or a confused server sends is refused with its reason.

import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { Clock } from './clock.ts'

export interface TimeServer {
  readonly host: string
  readonly port: number
}

export type SntpAnswer =
  | { readonly outcome: 'measured'; readonly offsetNs: bigint; readonly delayNs: bigint; readonly stratum: number }
  /** It answers, but must not be believed. */
  | { readonly outcome: 'refused'; readonly why: string }
  /** It says that it will not serve us (RFC 5905 §7.4): RATE is to be asked more rarely, DENY and RSTR never again. */
  | { readonly outcome: 'kiss_of_death'; readonly code: string }
  | { readonly outcome: 'unreachable'; readonly why: string }

export interface SntpParts {
  readonly clock: Clock
  readonly fillRandom: (bytes: Uint8Array) => void
  readonly timeoutMs?: number
}

const timeoutMsDefault = 3_000
const packetBytes = 48
/** RFC 5905 §7.2 MAXDIST: a server that may itself be off by more says nothing of use. */
const rootDistanceSMax = 1.5
/** Seconds from 1900, where NTP begins, to 1970 (RFC 868). */
const epochOffsetS = 2_208_988_800n
const nsPerSecond = 1_000_000_000n

//   0         1        2     3          4           8                12            16       24         32       40
//   LI VN mode stratum poll  precision  root delay  root dispersion  reference id  reference originate  receive  transmit
//   RFC 5905 §7.3; timestamps are 32 bits of seconds since 1900 and 32 bits of fraction
export async function querySntp(server: TimeServer, parts: SntpParts): Promise<SntpAnswer> {
  let socket: Socket | undefined
  try {
    const { address, family } = await lookup(server.host)
    socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    // Nobody waits for an answer when the gateway stops.
    socket.unref()
    // A connected socket takes packets of this address and port only, and tells of a closed port at once.
    await connect(socket, server.port, address)
    return await ask(socket, parts)
  } catch (error) {
    return { outcome: 'unreachable', why: error instanceof Error ? error.message : String(error) }
  } finally {
    socket?.close()
  }
}

const connect = (socket: Socket, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.connect(port, address, () => {
      socket.off('error', reject)
      resolve()
    })
  })

function ask(socket: Socket, { clock, fillRandom, timeoutMs = timeoutMsDefault }: SntpParts): Promise<SntpAnswer> {
  const request = new Uint8Array(packetBytes)
  request[0] = 0x23 // no leap warning, version 4, mode 3: client
  // The transmit timestamp comes back as originate: random, it proves that the answer is to this question, and tells nobody our time.
  const nonce = request.subarray(40)
  fillRandom(nonce)

  return new Promise((resolve) => {
    let strays = 0
    const late = setTimeout(() => {
      const why =
        strays > 0
          ? `no answer to our question in ${timeoutMs} ms, but ${strays} others`
          : `no answer in ${timeoutMs} ms`
      resolve({ outcome: 'unreachable', why })
    }, timeoutMs)
    late.unref()
    const settle = (answer: SntpAnswer): void => {
      clearTimeout(late)
      resolve(answer)
    }
    // In this order: a pause in between then makes the round trip longer, which is what bounds the error, and not the error itself.
    const sent = clock.monotonic()
    const sentAt = clock.now()
    socket.on('error', (error) => settle({ outcome: 'unreachable', why: error.message }))
    socket.on('message', (packet) => {
      // Our clock may be set while we wait: the time of arrival is the time of sending plus what the other clock says.
      const arrivedAt = sentAt + (clock.monotonic() - sent)
      if (packet.length < packetBytes || !packet.subarray(24, 32).equals(nonce)) strays += 1
      else settle(readAnswer(packet, sentAt, arrivedAt))
    })
    socket.send(request, (error) => error && settle({ outcome: 'unreachable', why: error.message }))
  })
}

/** RFC 4330 §5, the checks and the arithmetic. */
function readAnswer(packet: Buffer, sentAt: bigint, arrivedAt: bigint): SntpAnswer {
  const first = packet.readUInt8(0)
  const [leap, version, mode] = [first >> 6, (first >> 3) & 7, first & 7]
  const stratum = packet.readUInt8(1)
  const refused = (why: string): SntpAnswer => ({ outcome: 'refused', why })

  if (mode !== 4) return refused(`mode ${mode} is not a server's`)
  if (version < 3 || version > 4) return refused(`version ${version} is not spoken here`)
  if (stratum === 0) return { outcome: 'kiss_of_death', code: packet.toString('latin1', 12, 16).replace(/[^A-Z]/g, '') }
  if (stratum > 15) return refused(`stratum ${stratum} is not synchronised`)
  if (leap === 3) return refused('it says that its clock is not synchronised')
  const rootDistanceS = shortSeconds(packet, 4) / 2 + shortSeconds(packet, 8)
  if (rootDistanceS >= rootDistanceSMax) return refused(`it may itself be off by ${rootDistanceS.toFixed(1)} s`)

  const serverReceived = unixNs(packet, 32, sentAt)
  const serverSent = unixNs(packet, 40, sentAt)
  if (serverReceived === undefined || serverSent === undefined) return refused('it gives no time')
  if (serverSent < serverReceived) return refused('it answered before it was asked')
  const delayNs = arrivedAt - sentAt - (serverSent - serverReceived)
  if (delayNs < 0n) return refused('it says that it took longer than we waited')
  // RFC 5905 §8 gives the server's lead; ours is how far this machine is ahead.
  const offsetNs = -(serverReceived - sentAt + (serverSent - arrivedAt)) / 2n
  return { outcome: 'measured', offsetNs, delayNs, stratum }
}

/** NTP short format: 16 bits of seconds, 16 of fraction (RFC 5905 §6). */
const shortSeconds = (packet: Buffer, at: number): number => packet.readUInt32BE(at) / 65_536

/** Of the eras of 136 years, the one nearest to our own clock (RFC 5905 §6); undefined: the server does not know. */
function unixNs(packet: Buffer, at: number, near: bigint): bigint | undefined {
  const seconds = BigInt(packet.readUInt32BE(at))
  const fraction = BigInt(packet.readUInt32BE(at + 4))
  if (seconds === 0n && fraction === 0n) return undefined
  const eraS = 1n << 32n
  const nearS = near / nsPerSecond + epochOffsetS
  const lead = BigInt.asIntN(32, seconds - BigInt.asUintN(32, nearS))
  const wholeS = nearS + lead - epochOffsetS
  return wholeS * nsPerSecond + (fraction * nsPerSecond) / eraS
}
