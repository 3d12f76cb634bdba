// Who does not keep up with what it subscribed to: it holds up nobody, gets what it is owed when it takes it, and what is urgent first.

import { afterEach, expect, test } from 'vitest'
import { closeBrokers, pause, startBroker, until, type TestBroker } from './tools/broker.ts'
import { createMemoryLog } from './tools/memory-log.ts'
import { ackPacket, connected, frame, mqtt, openRaw, subscribePacket, text } from './tools/raw-mqtt.ts'
import { away, got, payloads, unit, upTo } from './tools/raw-session.ts'

afterEach(closeBrokers)

test('has so many on the way and no more, and the rest as it acknowledges', async () => {
  const { port, say } = await startBroker({ limits: { sentUnansweredMax: 10 } })
  const raw = await connected(port, unit)
  raw.send(subscribePacket(['orders/#'], 1))
  await raw.packet(mqtt.suback)
  for (const payload of upTo(50)) say({ topic: 'orders/1', payload })
  await pause(50)
  expect(got(raw).length).toBe(10)
  for (let done = 0; done < 50; done++) {
    await until(() => got(raw).length > done, `number ${done}`)
    raw.send(ackPacket(mqtt.puback, got(raw)[done]!.id))
  }
  expect(payloads(raw)).toEqual(upTo(50))
  raw.close()
})

test('and comes back taking fewer at once is never sent more, in the same order', async () => {
  const { port, say } = await startBroker()
  const first = await connected(port, unit)
  first.send(subscribePacket(['orders/#'], 2))
  await first.packet(mqtt.suback)
  for (const [i, payload] of upTo(12).entries()) say({ topic: 'orders/1', payload, qos: i % 3 ? 1 : 2 })
  await until(() => got(first).length === 12, 'all on the way')
  first.close()
  const back = await openRaw(port)
  // MQTT 5: Session Expiry Interval 60 s, Receive Maximum 3.
  const properties = Buffer.of(0x11, 0, 0, 0, 60, 0x21, 0, 3)
  back.send(frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60, properties.length), properties, text('unit')))
  await back.packet(mqtt.connack)
  const seen: string[] = []
  for (let done = 0; done < 12; done++) {
    const arrived = () => back.packets.filter(({ type }) => type === mqtt.publish)
    await until(() => arrived().length > done, `number ${done}`)
    await pause(5)
    expect(arrived().length - done).toBeLessThanOrEqual(3)
    const { flags, body } = arrived()[done]!
    const after = 2 + body.readUInt16BE(0)
    seen.push(body.subarray(after + 3).toString())
    const id = body.readUInt16BE(after)
    if (((flags >> 1) & 3) === 1) back.send(ackPacket(mqtt.puback, id))
    else {
      back.send(ackPacket(mqtt.pubrec, id))
      await until(
        () => back.packets.some((each) => each.type === mqtt.pubrel && each.body.readUInt16BE(0) === id),
        'PUBREL',
      )
      back.send(ackPacket(mqtt.pubcomp, id))
    }
  }
  expect(seen).toEqual(upTo(12))
  back.close()
})

test('is given what is urgent first, and at once, however much telemetry it has not acknowledged', async () => {
  const urgent = createMemoryLog('urgent', true)
  const routine = createMemoryLog('routine')
  const { port, broker } = await startBroker({ sources: [urgent, routine] })
  const raw = await connected(port, unit)
  raw.send(subscribePacket(['#'], 1))
  await raw.packet(mqtt.suback)
  const message = { topic: 't', qos: 1, retain: false, clientId: 'x', properties: {} } as const
  const give = (log: typeof urgent, payload: string): void => {
    const rest = { dup: false, protocolVersion: 4, will: false, permitted: true } as const
    const stored = log.append({ ...message, ...rest, payload: Buffer.from(payload) }, log.urgent ? 'urgent' : 'other')
    broker.deliver(log, [stored], stored.number)
  }
  for (const payload of upTo(500)) give(routine, payload)
  await pause(20)
  give(urgent, 'fire')
  await until(() => payloads(raw).includes('fire'), 'the alert, without any acknowledgement', 500)
  raw.close()
})

test('gets of positions the latest, of other messages all, in order', async () => {
  const { port, say } = await startBroker()
  const raw = await connected(port, unit)
  raw.send(subscribePacket(['#'], 1))
  await raw.packet(mqtt.suback)
  for (const payload of upTo(300)) say({ topic: 'orders', payload })
  for (let i = 0; i < 1_000; i++) {
    say({ topic: `position/${i % 4}`, payload: `at ${i}`, kind: 'position' })
  }
  for (let done = 0; done < 304; done++) {
    await until(() => got(raw).length > done, `number ${done}`)
    raw.send(ackPacket(mqtt.puback, got(raw)[done]!.id))
  }
  await pause(20)
  expect(payloads(raw)).toEqual([...upTo(300), 'at 996', 'at 997', 'at 998', 'at 999'])
  raw.close()
})

test('and what the log has no more is counted, not waited for', async () => {
  const { port, say, log, broker } = await startBroker({ limits: { recentBytesMax: 0 } })
  await away({ port, broker } as TestBroker)
  for (const payload of upTo(5)) say({ topic: 'orders/1', payload })
  log.remove(2)
  const back = await connected(port, unit)
  await until(() => got(back).length === 4, 'the others')
  expect(payloads(back)).toEqual(['0', '2', '3', '4'])
  expect(broker.counts().dropped.gone).toBe(1)
  back.close()
})
