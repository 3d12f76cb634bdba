// PUBLISH packets of one device: SenML with one measurement, or with three in about 150 bytes; of MQTT 3.1.1, or of 5 with properties.
// Only the packet id, the time, a value and the correlation data change from one to the next, and they are written into copies of one packet:
// making a message costs next to nothing.

/** Measurements of each message, and so the rows it should become. */
export type MeasurementsEach = 1 | 3

/** How they are said: in MQTT 3.1.1, in 5 with the properties below, or so and with an alias for the topic from the second on. */
export const loadForms = ['3.1.1', '5', '5-alias'] as const
export type LoadForm = (typeof loadForms)[number]

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
  form: LoadForm = '3.1.1',
): (first: number, count: number) => Buffer {
  const digits = stampOffsetNs === undefined ? millisecondDigits : stampDigits
  const startedMs = Date.now()
  const time = `${'0'.repeat(wholeDigits)}.${'0'.repeat(digits)}`
  const others = measurements === 3 ? ',{"n":"temperature","u":"Cel","v":11.7},{"n":"battery","u":"V","v":3.71}' : ''
  const payload = Buffer.from(`[{"bn":"${device}:","bt":${time},"n":"water-level","u":"m","v":2.00}${others}]`)
  const opening = template(topic, payload, form)
  const following = form === '5-alias' ? template('', payload, form) : opening

  const timeAt = payload.indexOf(time)
  const valueAt = payload.indexOf('2.00') + 2

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
    const packets = Buffer.allocUnsafe(
      following.packet.length * count + (first === 0 ? opening.packet.length - following.packet.length : 0),
    )
    let at = 0
    for (let i = 0; i < count; i++) {
      const n = first + i
      const { packet, idAt, correlationAt } = n === 0 ? opening : following
      const payloadAt = at + packet.length - payload.length
      packets.set(packet, at)
      const packetId = (n % packetIds) + 1
      packets[at + idAt] = packetId >> 8
      packets[at + idAt + 1] = packetId & 255
      putTime(packets, payloadAt + timeAt, n)
      putDigits(packets, payloadAt + valueAt, 2, n % 100)
      if (correlationAt !== undefined) putDigits(packets, at + correlationAt, correlation.length, n)
      at += packet.length
    }
    return packets
  }
}

interface Template {
  readonly packet: Buffer
  readonly idAt: number
  readonly correlationAt: number | undefined
}

function template(topic: string, payload: Buffer, form: LoadForm): Template {
  const properties = form === '3.1.1' ? Buffer.alloc(0) : withLength(propertiesOf(form))
  const topicBytes = text(topic)
  const length = topicBytes.length + 2 + properties.length + payload.length
  const remaining = length > 127 ? [(length & 127) | 128, length >> 7] : [length]
  const head = Buffer.of(0x32, ...remaining)
  const packet = Buffer.concat([head, topicBytes, Buffer.of(0, 0), properties, payload])
  const correlationAt = packet.indexOf(correlation)
  return {
    packet,
    idAt: head.length + topicBytes.length,
    correlationAt: correlationAt < 0 ? undefined : correlationAt,
  }
}

const correlation = 'c0rrelat'

/** 86 bytes, as a gateway of sensors sends them: what it is, who made it and in what state it is, how long it is worth anything. */
const propertiesOf = (form: LoadForm): Buffer =>
  Buffer.concat([
    Buffer.of(0x03),
    text('application/senml+json'),
    ...[
      ['firmware', '2.14.0'],
      ['battery-state', 'charging'],
    ].flatMap((pair) => [Buffer.of(0x26), ...pair.map(text)]),
    Buffer.of(0x02, 0, 1, 0x51, 0x80),
    Buffer.of(0x09),
    text(correlation),
    ...(form === '5-alias' ? [Buffer.of(0x23, 0, 1)] : []),
  ])

const withLength = (properties: Buffer): Buffer => Buffer.concat([Buffer.of(properties.length), properties])

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes])
}

function putDigits(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    target[i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
