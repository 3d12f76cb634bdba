// Normalised events by MQTT: topics that no name can break out of, what the view holds and no more, and a real gateway with
// mosquitto's own client listening.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeliverableMessage } from '../broker/stored.ts'
import type { StoredRecord } from '../gateway/log/log.ts'
import { createMqttOutput } from '../gateway/outputs/mqtt/mqtt.ts'
import { eventTopic, levelCharsMax, levelOf, refusedTopic } from '../gateway/outputs/mqtt/topic.ts'
import type { Included } from '../gateway/policy/configured-view.ts'
import { topicMatches } from '../gateway/policy/topic-filters.ts'
import { recordHeader } from '../gateway/record-header.ts'
import { Discipline, EventKind, Label, MessageStatus } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { mosquittoPub, mosquittoSub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { type Outcome, run } from './tools/run.ts'

const eventCodec = codec('tocsin.v1.Event')

describe('topics', () => {
  test('say jurisdiction, status, lane, kind and subject', () => {
    const header = {
      jurisdiction: 'county-a.example',
      messageStatus: MessageStatus.EXERCISE,
      kind: EventKind.DEVICE_STATUS,
      subject: 'device:county-a.example/gauge 7',
    }
    expect(eventTopic(header, 'routine')).toBe(
      'tocsin/v1/county-a.example/exercise/routine/device_status/device%3Acounty-a.example%2Fgauge%207',
    )
  })

  test('have a level for what is not said, so that none is empty', () => {
    expect(eventTopic({ messageStatus: MessageStatus.ACTUAL, kind: EventKind.ALERT }, 'urgent')).toBe(
      'tocsin/v1/-/actual/urgent/alert/-',
    )
  })

  test('are seven levels of unreserved characters and percent signs, whatever the subject is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ maxLength: 80 }),
        (subject, jurisdiction) => {
          const topic = eventTopic({ jurisdiction, subject, messageStatus: 1, kind: EventKind.POSITION }, 'routine')
          expect(topic).toMatch(/^tocsin\/v1\/[\w.~%-]+\/actual\/routine\/position\/[\w.~%-]+$/)
          expect(topicMatches('tocsin/v1/+/+/+/+/+', topic)).toBe(true)
          expect(topic.split('/')[6]!.length).toBeLessThanOrEqual(levelCharsMax)
        },
      ),
    )
  })

  test('give a subject back by any decoder of percent signs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (subject) => {
        expect(decodeURIComponent(levelOf(subject))).toBe(subject)
      }),
    )
    expect(refusedTopic("a/+#$'(*)!\u0000")).toBe('tocsin/refused/a%2F%2B%23%24%27%28%2A%29%21%00')
  })

  test('of two long subjects that begin alike are told apart', () => {
    const [one, other] = [levelOf(`${'é'.repeat(300)}1`), levelOf(`${'é'.repeat(300)}2`)]
    expect(one).not.toBe(other)
    expect(one.length).toBeLessThanOrEqual(levelCharsMax)
    expect(one).toMatch(/%A9~[0-9a-f]{16}$|%C3~[0-9a-f]{16}$/)
  })
})

const noBookmarks = { get: () => undefined, set() {}, remove() {}, list: () => [] }

describe('what is published', () => {
  const base = {
    id: new Uint8Array(16).fill(7),
    subject: 'device:a/b',
    messageStatus: MessageStatus.ACTUAL,
    receivedAt: timestamp(1_790_000_000_000_000_000n),
    origin: { jurisdiction: 'a', device: 'b' },
    handling: { labels: [Label.OPS] },
  }
  const observation: Event = {
    ...base,
    body: 'observation',
    observation: { measurements: [{ quantity: 'water_level', value: 'number', number: 1.5, unit: 'm' }] },
  }
  const withLabel = (label: Label): Event => ({ ...observation, handling: { labels: [Label.OPS, label] } }) as Event
  const police = { ...base.origin, discipline: Discipline.LAW_ENFORCEMENT }
  const place = { latitude: 38.5, longitude: -121.5 }

  async function published(events: readonly Event[], options: { include?: Included[]; wanted?: RegExp } = {}) {
    const messages: DeliverableMessage[] = []
    const output = createMqttOutput({
      broker: {
        deliver: (_source, some) => void messages.push(...some),
        isWantedBelow: () => true,
        isWanted: (topic) => (options.wanted ?? /./).test(topic),
      },
      log: { read: () => undefined, head: { urgent: 0, routine: 0 }, bookmarks: noBookmarks },
      logger: { debug() {}, info() {}, warn() {}, error() {} } as never,
      include: options.include ?? [],
    })
    await output.deliver(events.map(recordOf), new AbortController().signal)
    return { messages, metrics: output.metrics() }
  }

  test('is the event as the log has it, byte for byte, and the same as ProtoJSON on the topic below', async () => {
    const { messages } = await published([observation])
    expect(messages.map(({ topic, qos, retain, properties }) => [topic, qos, retain, properties?.contentType])).toEqual(
      [
        ['tocsin/v1/a/actual/routine/observation/device%3Aa%2Fb', 2, false, 'application/vnd.tocsin.event+protobuf'],
        ['tocsin/v1/a/actual/routine/observation/device%3Aa%2Fb/json', 2, false, 'application/json'],
      ],
    )
    expect(Buffer.from(messages[0]!.payload)).toEqual(Buffer.from(eventCodec.encode(observation)))
    expect(JSON.parse(Buffer.from(messages[1]!.payload).toString())).toMatchObject({
      subject: 'device:a/b',
      messageStatus: 'MESSAGE_STATUS_ACTUAL',
      receivedAt: '2026-09-21T14:13:20Z',
      observation: { measurements: [{ quantity: 'water_level', number: 1.5, unit: 'm' }] },
    })
  })

  test('says what it is, as an MQTT 5 reader is told, and never that it expires, however old the alert', async () => {
    const over = timestamp(1_790_000_000_000_000_000n)
    const { messages } = await published([observation, { ...observation, expiresAt: over }])
    const protobuf = { contentType: 'application/vnd.tocsin.event+protobuf' }
    const json = { contentType: 'application/json', payloadFormatIndicator: 1 }
    expect(messages.map(({ properties }) => properties)).toEqual([protobuf, json, protobuf, json])
  })

  test('is only the form that somebody asks for, and nothing where nobody does', async () => {
    const json = await published([observation], { wanted: /\/json$/ })
    expect(json.messages.map(({ topic }) => topic.endsWith('/json'))).toEqual([true])
    const none = await published([observation], { wanted: /^nothing$/ })
    expect([none.messages.length, none.metrics.unasked]).toEqual([0, 1])
  })

  test.each(['PII', 'PHI', 'CJI'] as const)('is no event labelled %s unless the settings name it', async (label) => {
    const { messages, metrics } = await published([withLabel(Label[label])])
    expect([messages.length, metrics.withheld[label]]).toEqual([0, 1])
    expect((await published([withLabel(Label[label])], { include: [label] })).messages.length).toBe(2)
  })

  test('is no position of law enforcement, and no place of its other events', async () => {
    const position = { ...base, origin: police, location: place, body: 'position', position: {} } as Event
    const status = { ...base, origin: police, location: place, body: 'unitStatus', unitStatus: { unit: 'P7' } } as Event
    const { messages, metrics } = await published([position, status], { wanted: /[^n]$/ })
    expect(metrics.withheld.law_enforcement_position).toBe(1)
    const seen = messages.map(({ payload }) => eventCodec.decode(payload as Uint8Array))
    expect(seen.map(({ body, location }) => [body, location])).toEqual([['unitStatus', undefined]])
    const named = await published([position, status], { include: ['law_enforcement_position'], wanted: /unit_status/ })
    expect(eventCodec.decode(named.messages[0]!.payload).location).toMatchObject(place)
  })

  test('is without the fields that the schema labels, and without those that this version does not know', async () => {
    const alert = {
      ...base,
      origin: { ...base.origin, agent: 'Jane Doe' },
      body: 'alert',
      alert: { sender: 'w@example', infos: [{ event: 'Flood', contact: 'Jane Doe, 555-0100' }] },
    } as Event
    // Field 5000 of the alert, length-delimited: what a later version of the schema might write.
    const unknown = Buffer.from([0xc2, 0xb8, 0x02, 0x08, ...Buffer.from('Jane Doe')])
    const newer = eventCodec.decode(Buffer.concat([eventCodec.encode(alert), unknown]))
    const { messages, metrics } = await published([newer])
    expect(metrics.redacted).toBe(1)
    for (const { payload } of messages) expect(Buffer.from(payload).toString('latin1')).not.toContain('Jane')
    const seen = eventCodec.decode(messages[0]!.payload)
    expect(seen.body === 'alert' && seen.alert.infos?.[0]?.event).toBe('Flood')
  })

  test('is no draft and no command, and nothing that was removed', async () => {
    const draft = { ...observation, messageStatus: MessageStatus.DRAFT } as Event
    const command = { ...base, body: 'command', command: {} } as Event
    const { messages, metrics } = await published([draft, command])
    expect([messages.length, metrics.leftOut]).toEqual([0, { draft: 1, command: 1, removed: 0, unreadable: 0 }])
  })

  function recordOf(event: Event): StoredRecord {
    const frame = { bytes: new Uint8Array(), receivedAt: 0n, channel: 'x' }
    const header = recordHeader(event, { name: 's', authenticity: 'unverified', link: 'mqtt' }, frame, undefined)
    const bytes = eventCodec.encode(event)
    const frameId = new Uint8Array(16)
    return { lane: 'routine', sequence: 1, loggedAt: 0n, removed: false, bytes, header, event: bytes, frameId }
  }
})

/** Of an event, decoded or as ProtoJSON. */
function numberOf(event: unknown): unknown {
  const { observation } = event as { observation: { measurements: { number: number }[] } }
  return observation.measurements[0]?.number
}

describeWithTools('a gateway with mqtt.out', () => {
  let gateway: GatewayProcess

  const at = (...args: string[]): string[] => ['-p', String(gateway.mqttPort), ...args]
  const publish = async (topic: string, message: string): Promise<void> => {
    expect(await mosquittoPub(at('-q', '1', '-t', topic, '-m', message))).toMatchObject({ code: 0, stderr: '' })
  }
  const tocsin = (...args: string[]): Promise<Outcome> =>
    run(nodePath, ['bin/tocsin', ...args, '--server', gateway.grpc], { cwd: projectHome, timeoutMs: 30_000 })

  beforeAll(async () => {
    const settings = { MQTT_OUT: 'true', GATEWAY_JURISDICTION: 'county-a.example', GATEWAY_MESSAGE_STATUS: 'EXERCISE' }
    gateway = await startGatewayProcess({ settings })
  }, 60_000)
  afterAll(async () => {
    await gateway?.stop()
  })

  test.each(['0', '1', '2'])('gives a subscriber of QoS %s each reading once, in order, in both forms', async (qos) => {
    const device = `gauge-${qos}`
    const topic = `tocsin/v1/county-a.example/exercise/routine/observation/device%3Acounty-a.example%2F${device}`
    const filters = ['-t', topic, '-t', 'tocsin/v1/+/+/+/+/+/json']
    const subscriber = mosquittoSub(at('-q', qos, ...filters, '-F', '%t %q %x', '-d'))
    await subscriber.waitFor('Subscribed (mid', 5_000)
    const values = [1.25, 2.5, 3.75]
    for (const value of values) await publish(`tocsin/in/senml/${device}`, `[{"n":"water-level","u":"m","v":${value}}]`)
    await subscriber.waitFor(new RegExp(`(${topic}/json .*\\n[\\s\\S]*){3}`), 5_000)
    await subscriber.stop()
    const lines = subscriber.stdout.split('\n').filter((line) => line.startsWith('tocsin/'))
    expect(lines.map((line) => line.split(' ')[1])).toEqual(Array.from({ length: 6 }, () => qos))
    const payloads = lines.map((line) => Buffer.from(line.split(' ')[2] ?? '', 'hex'))
    const readings = payloads.map((payload, i) =>
      numberOf(lines[i]!.includes('/json ') ? JSON.parse(String(payload)) : eventCodec.decode(payload)),
    )
    expect(readings).toEqual(values.flatMap((value) => [value, value]))
  })

  test('lets nobody else publish there, not even as a will, and takes nothing of it in', async () => {
    const own = 'tocsin/v1/county-a.example/actual/urgent/alert/x'
    const subscriber = mosquittoSub(at('-t', 'tocsin/v1/+/actual/#', '-v', '-d'))
    await subscriber.waitFor('Subscribed (mid', 5_000)
    await publish(own, 'forged')
    const five = await mosquittoPub(at('-V', '5', '-q', '1', '-t', own, '-m', 'forged', '-d'))
    expect(five.stdout + five.stderr).toMatch(/Not authorized|RC:135/)
    const will = await mosquittoPub(at('-t', 'a', '-m', 'b', '--will-topic', own, '--will-payload', 'forged'))
    expect(will.code).not.toBe(0)
    const fate = await tocsin('fate', '--topic', own)
    expect(fate.stdout).toMatch(/REFUSED[\s\S]*forbidden: only the gateway itself publishes below tocsin\/v1\//)
    await publish('tocsin/in/senml/last', '[{"n":"water-level","u":"m","v":1}]')
    expect(subscriber.stdout).not.toContain('forged')
    await subscriber.stop()
  })

  test('goes on from its bookmark, and says in metrics what it did', async () => {
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
    const value = (line: string): number =>
      Number(
        metrics
          .split('\n')
          .find((each) => each.startsWith(line))
          ?.split(' ')
          .at(-1),
      )
    expect(value('tocsin_mqtt_out_messages_total{form="json"}')).toBe(9)
    expect(value('tocsin_mqtt_out_messages_total{form="protobuf"}')).toBe(9)
    expect(value('tocsin_output_lag_records{output="mqtt",lane="routine"}')).toBe(0)
    expect(value('tocsin_mqtt_out_unasked_records_total')).toBeGreaterThan(0)
  })
})
