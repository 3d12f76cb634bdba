// A log that cannot be read for a while (EIO) costs its readers time and nothing else: what they are owed comes when it can be read, in
// order and once, other sources go on meanwhile, and the house is told once.

import { afterEach, expect, test } from 'vitest'

import type { MemoryLog } from './tools/memory-log.ts'
import { closeBrokers, startBroker, until } from './tools/broker.ts'
import { createMemoryLog } from './tools/memory-log.ts'
import { ackPacket, connected, mqtt, subscribePacket, type RawMqtt } from './tools/raw-mqtt.ts'
import { away, got, payloads, unit, upTo } from './tools/raw-session.ts'

afterEach(closeBrokers)

interface FailingLog {
  readonly log: MemoryLog
  fails: boolean
  asked: number
}

function failingLog(name?: string, urgent?: boolean): FailingLog {
  const log = createMemoryLog(name, urgent)
  const { fetch } = log
  const failing = {
    log: Object.assign(Object.create(log) as MemoryLog, {
      fetch(number: number) {
        if (failing.fails) failing.asked += 1
        if (failing.fails) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
        return fetch(number)
      },
    }),
    fails: true,
    asked: 0,
  }
  return failing
}

/** Nothing is remembered beside the log, so that all is read for. */
const limits = { recentBytesMax: 0 }

function acknowledge(client: RawMqtt): void {
  let seen = 0
  const timer = setInterval(() => {
    for (const { id, qos } of got(client).slice(seen)) {
      seen += 1
      if (qos === 1) client.send(ackPacket(mqtt.puback, id))
      else if (qos === 2) client.send(Buffer.of(0x50, 2, id >> 8, id & 0xff))
    }
  }, 5)
  void client.closed.finally(() => clearInterval(timer))
}

test.each([1, 2] as const)('at QoS %d what waits is read for again, and comes in order and once', async (qos) => {
  const failing = failingLog()
  const broker = await startBroker({ memory: failing.log, limits })
  await away(broker, qos)
  for (const payload of upTo(20)) broker.say({ topic: 'orders/b', payload, qos })
  const client = await connected(broker.port, unit)
  acknowledge(client)
  await until(() => failing.asked >= 2, 'it is asked again', 4_000)
  expect(payloads(client)).toEqual([])
  expect(failing.asked).toBeLessThan(5)
  expect(broker.events.filter(({ kind }) => kind === 'reading')).toEqual([
    { kind: 'reading', source: 'frames', failure: 'EIO: i/o error, read' },
  ])
  failing.fails = false
  await until(() => payloads(client).length >= 20, 'all come', 4_000)
  expect(payloads(client)).toEqual(upTo(20))
  expect(broker.events.at(-1)).toEqual({ kind: 'reading', source: 'frames' })
  expect(broker.broker.counts().dropped).toEqual({})
})

test('an urgent source goes on while another cannot be read', async () => {
  const failing = failingLog()
  const urgent = createMemoryLog('urgent', true)
  const broker = await startBroker({ memory: failing.log, sources: [urgent, failing.log], limits })
  await away(broker)
  for (const payload of upTo(5)) broker.say({ topic: 'orders/b', payload })
  const client = await connected(broker.port, unit)
  await until(() => failing.asked > 0, 'the log is asked')
  const alert = urgent.append(
    {
      topic: 'orders/alert',
      payload: Buffer.from('alert'),
      qos: 1,
      retain: false,
      dup: false,
      clientId: 'elsewhere',
      protocolVersion: 4,
      will: false,
      permitted: true,
      properties: {},
    },
    'urgent',
  )
  broker.broker.deliver(urgent, [alert], alert.number)
  await until(() => payloads(client).length > 0, 'the alert comes', 900)
  expect(payloads(client)).toEqual(['alert'])
})

test('a group waits for what cannot be read, and a member is given it then', async () => {
  const failing = failingLog()
  const broker = await startBroker({ memory: failing.log, limits })
  const member = await connected(broker.port, unit)
  member.send(subscribePacket(['$share/g/orders/#']))
  await member.packet(mqtt.suback)
  member.socket.destroy()
  await until(() => broker.events.some(({ kind }) => kind === 'disconnected'), 'it is gone')
  for (const payload of upTo(3)) broker.say({ topic: 'orders/b', payload })
  const back = await connected(broker.port, unit)
  await until(() => failing.asked > 0, 'it is asked')
  failing.fails = false
  await until(() => payloads(back).length >= 3, 'all come', 4_000)
  expect(payloads(back).toSorted()).toEqual(upTo(3))
})
