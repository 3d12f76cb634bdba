// PUBLISH packets of one device: SenML with one measurement, or with three in about 150 bytes. Only the packet id, the time and a value change from
// one to the next, and they are written into copies of one packet: making a message costs next to nothing.

/** Measurements of each message, and so the rows it should become. */
export type MeasurementsEach = 1 | 3

const packetIds = 65_535
const wholeDigits = 10
const millisecondDigits = 3
/** Ten microseconds: fifteen digits in all, which any double holds. */
const stampDigits = 5
const stampUnitNs = 10_000n

/**
 * With `stampOffsetNs` the time is the monotonic clock of the machine plus that; else it counts up from now by a millisecond, so that
 * no two messages of a device are one point of a time series.
 */
export function createPackets(
  topic: string,
  device: string,
  measurements: MeasurementsEach = 3,
  stampOffsetNs?: bigint,
): (first: number, count: number) => Buffer {
  const digits = stampOffsetNs === undefined ? millisecondDigits : stampDigits
  const startedMs = Date.now()
  const time = `${'0'.repeat(wholeDigits)}.${'0'.repeat(digits)}`
  const others = measurements === 3 ? ',{"n":"temperature","u":"Cel","v":11.7},{"n":"battery","u":"V","v":3.71}' : ''
  const payload = Buffer.from(`[{"bn":"${device}:","bt":${time},"n":"water-level","u":"m","v":2.00}${others}]`)
  const topicBytes = Buffer.from(topic)
  const length = 2 + topicBytes.length + 2 + payload.length
  const remaining = length > 127 ? [(length & 127) | 128, length >> 7] : [length]
  const head = Buffer.of(0x32, ...remaining, topicBytes.length >> 8, topicBytes.length & 255)
  const packet = Buffer.concat([head, topicBytes, Buffer.of(0, 0), payload])
  const idAt = head.length + topicBytes.length
  const timeAt = packet.indexOf(time)
  const valueAt = packet.indexOf('2.00') + 2

  function putTime(packets: Buffer, at: number, n: number): void {
    if (stampOffsetNs === undefined) {
      const ms = startedMs + n
      putDigits(packets, at, wholeDigits, Math.floor(ms / 1000))
      putDigits(packets, at + wholeDigits + 1, millisecondDigits, ms % 1000)
    } else {
      const stamp = Number((process.hrtime.bigint() + stampOffsetNs) / stampUnitNs)
      putDigits(packets, at, wholeDigits, Math.floor(stamp / 10 ** stampDigits))
      putDigits(packets, at + wholeDigits + 1, stampDigits, stamp % 10 ** stampDigits)
    }
  }

  return (first, count) => {
    const packets = Buffer.allocUnsafe(packet.length * count)
    for (let i = 0; i < count; i++) {
      const n = first + i
      const at = i * packet.length
      packets.set(packet, at)
      const packetId = (n % packetIds) + 1
      packets[at + idAt] = packetId >> 8
      packets[at + idAt + 1] = packetId & 255
      putTime(packets, at + timeAt, n)
      putDigits(packets, at + valueAt, 2, n % 100)
    }
    return packets
  }
}

function putDigits(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    target[i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
