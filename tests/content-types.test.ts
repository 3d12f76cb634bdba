// A content type that names a format chooses its adapter where no input names the topic, for who may publish where that format is read.
// What a message says of itself beside its payload stands with its frame and its events.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { adapters } from '../adapters/index.ts'
import { createRoutes, type Input } from '../gateway/routes.ts'
import type { Lane, Log, StoredRecord } from '../gateway/log/log.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { siteOf } from '../gateway/configured-inputs.ts'
import { readSettings } from '../gateway/settings.ts'
import { Fate } from '../proto/generated/types.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { openTestLog } from './grpc-log.ts'
import { frame, mqtt, openRaw, text, withoutReason, type RawMqtt } from './tools/raw-mqtt.ts'
import { tempFolder } from './tools/temp-folder.ts'

const site = siteOf(readSettings({ environment: {} }))
const input = (name: string, adapter: string, ...topics: string[]): Input => ({
  name,
  adapter: adapters.get(adapter)!,
  topics,
  options: adapter === 'json' ? { mappings: [] } : undefined,
  site,
})

test.each([
  ['application/cap+xml', 'any/topic', 'cap'],
  ['Application/CAP+XML; charset=utf-8', 'any/topic', 'cap'],
  ['  application/senml+json ;profile="a;b"', 'any/topic', 'senml'],
  ['application/senml+cbor', 'plant/senml/x', 'plants'],
  // Between inputs of one topic it chooses.
  ['application/cap+xml', 'both/x', 'both-cap'],
  ['application/senml+json', 'both/x', 'both-senml'],
  ['text/plain', 'both/x', 'both-senml'],
  // The topic's own input is what the site says; the sender says nothing against it.
  ['application/cap+xml', 'plant/senml/x', 'plants'],
  // These say in what a message is written, not what it is.
  ['application/json', 'any/topic', undefined],
  ['application/xml', 'any/topic', undefined],
  ['text/xml', 'any/topic', undefined],
  ['application/vnd.unknown+json', 'any/topic', undefined],
  ['', 'any/topic', undefined],
  [`application/cap+xml;${'x'.repeat(60_000)}`, 'any/topic', undefined],
])('of content type %s on %s: %s', (contentType, topic, expected) => {
  const routes = createRoutes([
    input('plants', 'senml', 'plant/senml/#'),
    input('both-senml', 'senml', 'both/#'),
    input('both-cap', 'cap', 'both/#'),
    input('json', 'json', 'plant/json'),
    input('cap', 'cap', 'tocsin/in/cap/#'),
    input('senml', 'senml', 'tocsin/in/senml/#'),
  ])
  const route = routes.find(topic, contentType)
  expect(route?.input.name).toBe(expected)
  expect(routes.find(topic, contentType)).toBe(route)
})

const alert = readFileSync(new URL('../adapters/cap/fixtures/flash-flood.xml', import.meta.url))
const pack = Buffer.from('[{"bn":"urn:dev:x:unit-7","n":":level","u":"m","v":1}]')

async function as(port: number, user: string): Promise<RawMqtt> {
  const raw = await openRaw(port)
  raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 0xc2, 0, 60, 0), text(user), text(user), text('secret')))
  await raw.packet(mqtt.connack)
  return raw
}

/** The reason of its PUBACK. */
async function publish(raw: RawMqtt, topic: string, payload: Buffer, contentType: string): Promise<number> {
  const [from, type] = [raw.packets.length, Buffer.concat([Buffer.of(3), text(contentType)])]
  const more = Buffer.concat([Buffer.of(0x26), text('via'), text('b'), Buffer.of(0x26), text('via'), text('a')])
  const properties = Buffer.concat([type, more, Buffer.of(9), text(Buffer.of(0, 7))])
  raw.send(frame(0x32, text(topic), Buffer.of(0, 9), Buffer.of(properties.length), properties, payload))
  return withoutReason(await raw.packet(mqtt.puback, from)).body[2] ?? 0
}

test(
  'a gateway reads it so from who may publish in that format, and keeps all it says of itself',
  { timeout: 40_000 },
  async () => {
    const dataDir = tempFolder('content-types')
    const file = join(tempFolder('settings'), 'tocsin.yaml')
    const hash = await hashSecret(Buffer.from('secret'))
    writeFileSync(
      file,
      `gateway: {jurisdiction: county-a.example, owner: em.county-a.example}
mqtt:
  users:
    - {name: office, secret_hash: "${hash}", publish: [city/#, tocsin/in/cap/office, 'tocsin/in/senml/+']}
    - {name: tank, secret_hash: "${hash}", publish: [city/#]}
`,
    )
    const gateway = await startGatewayProcess({ dataDir, file })
    const [office, tank] = [await as(gateway.mqttPort, 'office'), await as(gateway.mqttPort, 'tank')]
    const unread = 0x10
    expect(await publish(office, 'city/warnings', alert, 'application/cap+xml; charset=utf-8')).toBe(0)
    expect(await publish(office, 'city/levels', pack, 'application/senml+json')).toBe(0)
    expect(await publish(office, 'city/notes', Buffer.from('x'), 'text/plain')).toBe(unread)
    // Its topics are for its own data: an alarm in another's format is not made of them.
    expect(await publish(tank, 'city/tank', alert, 'application/cap+xml')).toBe(unread)
    for (const raw of [office, tank]) raw.close()
    await gateway.stop()

    const log = await openTestLog(dataDir)
    const { frames } = log.readFrames(0, { frames: 100, bytes: 1e6 })!
    const city = frames.map(({ frame: kept }) => kept).filter(({ channel }) => channel?.startsWith('city/'))
    expect(
      city.map(({ channel, adapter, fate, contentType }) => [channel, adapter || undefined, fate, contentType]),
    ).toEqual([
      ['city/warnings', 'cap', Fate.STORED, 'application/cap+xml; charset=utf-8'],
      ['city/levels', 'senml', Fate.STORED, 'application/senml+json'],
      ['city/notes', undefined, Fate.CARRIED, 'text/plain'],
      ['city/tank', undefined, Fate.CARRIED, 'application/cap+xml'],
    ])
    const pairs = [
      { name: 'via', value: 'b' },
      { name: 'via', value: 'a' },
    ]
    for (const kept of city)
      expect(kept).toMatchObject({ properties: pairs, mqtt: { correlationData: Buffer.of(0, 7) } })
    const records = (['urgent', 'routine'] as const).flatMap((lane) => recordsOf(log, lane))
    const ofCity = records.filter(({ header }) => header.topic?.startsWith('city/'))
    expect(ofCity.map(({ header: { topic, properties } }) => [topic, properties])).toEqual([
      ['city/warnings', pairs],
      ['city/levels', pairs],
    ])
    await log.close()
  },
)

function recordsOf(log: Pick<Log, 'read'>, lane: Lane): StoredRecord[] {
  const records: StoredRecord[] = []
  for (let after = 0, slice; (slice = log.read(lane, after, { records: 100, bytes: 1e6 })); after = slice.through) {
    records.push(...slice.records)
  }
  return records
}
