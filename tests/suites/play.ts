// Plays one packet sequence against a broker, over a bare socket, byte for byte. Its one answer: what was not as expected, if anything.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  ackPacket,
  connectPacket,
  frame,
  mqtt,
  pingPacket,
  publishPacket,
  text,
  withoutReason,
} from '../tools/raw-mqtt.ts'
import type { Sequence, Step, Version } from './sequences.ts'

// As long as mosquitto's own runner waits for each answer, and for the end.
const answerMsMax = 2_000
const leaveMs = 50

/** A sentence when it went otherwise than the sequence says. */
export async function play(port: number, sequence: Sequence): Promise<string | undefined> {
  const wire = await openWire(port)
  try {
    if (sequence.connects) await greet(wire, sequence.name, sequence.version)
    for (const step of sequence.steps) await follow(wire, step, sequence.version, port)
    if (sequence.endsClosed) await wire.expectEnd()
    else await wire.ask('PINGREQ', pingPacket, Buffer.of(0xd0, 0))
    return undefined
  } catch (error) {
    if (error instanceof Miss) return error.message
    throw error
  } finally {
    wire.close()
    // What it leaves, a will or a message that nobody acknowledges, is delivered before the next sequence listens.
    if (!sequence.connects || sequence.steps.some(isPublish)) await sleep(leaveMs)
  }
}

const isPublish = (step: Step): boolean => step.does === 'send' && step.bytes[0]! >> 4 === 3

class Miss extends Error {}

async function follow(wire: Wire, step: Step, version: Version, port: number): Promise<void> {
  switch (step.does) {
    case 'send':
      return wire.send(step.bytes)
    case 'receive':
      if (version === 5 && isConnackOfSuccess(step.bytes)) return expectWelcome(wire)
      return version === 5 ? expectAnswer(wire, step.about, step.bytes) : wire.expect(step.about, step.bytes)
    case 'publish':
      return publishByOther(port, step)
    case 'subscribe': {
      const packet = frame(0x82, packetId, none(version), text(step.topic), Buffer.of(step.qos))
      return wire.ask('SUBSCRIBE', packet, frame(0x90, packetId, none(version), Buffer.of(step.qos)))
    }
    case 'unsubscribe': {
      const codes = version === 5 ? Buffer.of(0, 0) : none(version)
      return wire.ask(
        'UNSUBSCRIBE',
        frame(0xa2, packetId, none(version), text(step.topic)),
        frame(0xb0, packetId, codes),
      )
    }
  }
}

const packetId = Buffer.of(0, 1)

/** The properties of a packet that has none, where it can have some. */
const none = (version: Version): Buffer => (version === 5 ? Buffer.of(0) : Buffer.alloc(0))

/** With the CONNECT that mosquitto's own runner sends. */
async function greet(wire: Wire, clientId: string, version: Version): Promise<void> {
  if (version === 5) {
    const receiveMaximum = Buffer.of(3, 0x21, 0, 20)
    wire.send(frame(0x10, text('MQTT'), Buffer.of(5, 2, 0, 60), receiveMaximum, text(clientId)))
    return expectWelcome(wire)
  }
  wire.send(connectPacket({ clientId, version }))
  return wire.expect('CONNACK', Buffer.of(0x20, 2, 0, 0))
}

const isConnackOfSuccess = (bytes: Buffer): boolean => bytes[0] === 0x20 && bytes[2] === 0 && bytes[3] === 0

/** The properties by which an MQTT 5 broker tells its own limits are mosquitto's in the cases; success is what they are about. */
async function expectWelcome(wire: Wire): Promise<void> {
  const header = await wire.take(2, 'CONNACK')
  const body = await wire.take(header[1]!, 'CONNACK')
  const got = Buffer.concat([header, body])
  if (!isConnackOfSuccess(got)) throw new Miss(`CONNACK: expected a success, got ${got.toString('hex')}`)
}

/** Byte for byte, but for a reason in words: a broker of MQTT 5 may add one (§3.4.2.2.2), and the cases are of one that adds none. */
async function expectAnswer(wire: Wire, about: string, bytes: Buffer): Promise<void> {
  const name = about === '' ? packetName(bytes) : about
  const what = `${name}, expected ${bytes.toString('hex')}`
  let header = await wire.take(2, what)
  if (header[1]! >= 0x80) header = Buffer.concat([header, await wire.take(1, what)])
  const length = header.length === 2 ? header[1]! : (header[1]! & 0x7f) | (header[2]! << 7)
  const whole = await wire.take(length, what)
  const { body, words } = withoutReason({ type: header[0]! >> 4, body: whole })
  const got = words === undefined ? Buffer.concat([header, whole]) : frame(header[0]!, body)
  if (!got.equals(bytes)) throw new Miss(`${name}: expected ${bytes.toString('hex')}, got ${got.toString('hex')}`)
}

async function publishByOther(port: number, message: Step & { does: 'publish' }): Promise<void> {
  const { topic, qos, retain, payload } = message
  const other = await openWire(port)
  try {
    await greet(other, 'helper', 4)
    other.send(publishPacket(topic, { qos, retain, payload }))
    if (qos === 1) await other.expect('PUBACK to the other client', ackPacket(mqtt.puback, 1))
    if (qos === 2) {
      await other.expect('PUBREC to the other client', ackPacket(mqtt.pubrec, 1))
      await other.ask('PUBREL of the other client', ackPacket(mqtt.pubrel, 1), ackPacket(mqtt.pubcomp, 1))
    }
  } finally {
    other.close()
  }
}

interface Wire {
  send(bytes: Buffer): void
  /** The next `size` bytes. */
  take(size: number, what: string): Promise<Buffer>
  expect(what: string, bytes: Buffer): Promise<void>
  ask(what: string, bytes: Buffer, answer: Buffer): Promise<void>
  /** The other side closes, and says nothing more before. */
  expectEnd(): Promise<void>
  close(): void
}

async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect').catch((error: unknown) => {
    throw new Error(`no broker on port ${port} any more; did it end during the case before?`, { cause: error })
  })
  let held: Buffer = Buffer.alloc(0)
  let ended = false
  let changed = (): void => {}
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    changed()
  })
  for (const end of ['end', 'close', 'error']) {
    socket.on(end, () => {
      ended = true
      changed()
    })
  }

  /** Resolves when there are so many bytes, the connection has ended, or the time is over. */
  function settled(size: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, answerMsMax)
      changed = () => {
        if (held.length < size && !ended) return
        clearTimeout(timer)
        resolve()
      }
      changed()
    })
  }

  async function take(size: number, what: string): Promise<Buffer> {
    await settled(size)
    if (held.length < size) throw new Miss(`${what}: ${ended ? 'closed' : 'no answer'}${after(held)}`)
    const taken = held.subarray(0, size)
    held = held.subarray(size)
    return taken
  }

  const wire: Wire = {
    send: (bytes) => send(socket, bytes),
    take,
    async expect(what, bytes) {
      const name = what === '' ? packetName(bytes) : what
      const got = await take(bytes.length, `${name}, expected ${bytes.toString('hex')}`)
      if (!got.equals(bytes)) throw new Miss(`${name}: expected ${bytes.toString('hex')}, got ${got.toString('hex')}`)
    },
    async ask(what, bytes, answer) {
      wire.send(bytes)
      await wire.expect(`answer to ${what}`, answer)
    },
    async expectEnd() {
      await settled(1)
      if (held.length > 0) throw new Miss(`at the end: expected a closed connection, got ${held.toString('hex')}`)
      if (!ended) throw new Miss('at the end: the connection is still open')
    },
    close: () => socket.destroy(),
  }
  return wire
}

/** A broker may have closed already; what it says or does not say is looked at next. */
function send(socket: Socket, bytes: Buffer): void {
  if (socket.writable) socket.write(bytes)
}

const after = (bytes: Buffer): string => (bytes.length === 0 ? '' : ` after ${bytes.toString('hex')}`)

const names = 'CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK'.split(' ')
const packetName = (bytes: Buffer): string =>
  [...names, 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH'][(bytes[0]! >> 4) - 1] ?? 'a packet'
