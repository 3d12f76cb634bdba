// Who was given what is labelled: an entry for each call, one a minute for each stream and one when it ends, with counts by label and the
// range of sequences; and nothing of that for what is not labelled.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import mqtt from 'mqtt'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Audit, AuditNote } from '../gateway/audit/audit.ts'
import { createBrokerReads } from '../gateway/audit/broker-reads.ts'
import { createCallNotes } from '../gateway/audit/calls.ts'
import { findAnchors } from '../gateway/audit/find-anchors.ts'
import { countBatch, newReading, readingDetails, watchedView } from '../gateway/audit/reads.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import type { View } from '../gateway/grpc/access.ts'
import { encodeHeader } from '../gateway/log/record-header.ts'
import { labelsAt, recordFixedBytes } from '../gateway/log/record.ts'
import type { StoredRecord } from '../gateway/log/log.ts'
import type { MqttPrincipal, Permissions } from '../gateway/policy/principals.ts'
import { GatewayError } from '../proto/errors.ts'
import { Label } from '../proto/generated/types.ts'
import type { AuditEntry, ListEventsResponse, RecordHeader } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'
import { seesAll, testClient } from './grpc-house.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { tempFolder } from './tools/temp-folder.ts'

const pii = 1 << Label.PII
const ops = 1 << Label.OPS

const detailsIn = ({ details = [] }: AuditEntry): Record<string, string> =>
  Object.fromEntries(details.map(({ name = '', value = '' }) => [name, value]))

describe('in a gateway', () => {
  let gateway: GatewayProcess
  let entries: AuditEntry[]
  beforeAll(async () => {
    const file = join(tempFolder('settings'), 'tocsin.yaml')
    writeFileSync(
      file,
      'inputs: [{name: people, adapter: senml, topics: [people/#], labels: [PII, PHI], approved_by: {officer: Dr Osei, date: 2026-11-01}}]\n',
    )
    gateway = await startGatewayProcess({ file })
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`)
    const reading = (value: number): string => `[{"n":"pulse","u":"beat/min","v":${value}}]`
    for (let value = 60; value < 65; value += 1) await client.publishAsync('people/ring-7', reading(value), { qos: 1 })
    await client.publishAsync('tocsin/in/senml/gauge-1', '[{"n":"water-level","u":"m","v":2.3}]', { qos: 1 })
    await client.endAsync()

    const events = testClient(gateway.grpc, 'tocsin.v1.EventService')
    const labelled = await events.unary<ListEventsResponse>('ListEvents', {
      filter: { topics: ['people/#'] },
      pageSize: 3,
    })
    await events.unary('ListEvents', { filter: { topics: ['tocsin/#'] } })
    const id = codec('tocsin.v1.Event').decode(labelled.records![0]!.event!).id!
    await events.unary('GetEvent', { id, includeRaw: true })
    await events.unary('GetFate', { of: 'id', id })
    const reader = events.subscribe({ start: 'earliest', earliest: {} })
    await reader.until(({ records }) => records.length >= 7)
    reader.cancel()
    events.close()
    const page = (await (await fetch(`${gateway.http}/v1/events?topic=people/%23&limit=2`)).json()) as {
      events: object[]
    }
    expect(page.events).toHaveLength(2)
    const over = new AbortController()
    const stream = await fetch(`${gateway.http}/v1/stream?start=earliest`, { signal: over.signal })
    const text = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let said = ''; !said.includes('caught_up');) said += (await text.read()).value ?? ''
    over.abort()
    await new Promise((resolve) => setTimeout(resolve, 200))
    await gateway.stop()
    entries = []
    const found = verifyAudit({
      folder: join(gateway.dataDir, 'audit'),
      anchors: findAnchors(gateway.dataDir),
      each: ({ entry }) => void entries.push(entry),
    })
    expect(found.faults).toEqual([])
  }, 60_000)
  afterAll(async () => {
    await gateway?.stop()
  })

  const of = (action: string, principal: string) =>
    entries.filter((entry) => entry.action === action && entry.principal?.startsWith(principal))

  test('a page says how many of each label it had, and which sequences; one without labels says nothing', () => {
    const [first, second] = of('list_events', 'grpc:')
    expect(detailsIn(first!)).toEqual({
      PII: '3',
      PHI: '3',
      records: '3',
      routine: expect.stringMatching(/^\d+ to \d+$/),
    })
    expect(detailsIn(second!)).toEqual({})
    expect(detailsIn(of('list_events', 'http:')[0]!)).toMatchObject({ PII: '2', records: '2' })
  })

  test('one event is named, and that its frame was given is said', () => {
    const [entry] = of('get_event', 'grpc:')
    expect(entry?.object).toMatch(/^[0-9a-f-]{36}$/)
    expect(detailsIn(entry!)).toMatchObject({ records: '1', frames: '1', PII: '2', PHI: '2' })
  })

  test('the fate of a message says nothing of what stood in it', () => {
    expect(of('get_fate', 'grpc:').map(detailsIn)).toEqual([{}])
  })

  test('a stream says at its end what it gave', () => {
    expect(of('subscribe', 'grpc:')).toHaveLength(1)
    expect(detailsIn(of('subscribe_end', 'grpc:')[0]!)).toMatchObject({ PII: '5', PHI: '5', records: '5' })
    expect(detailsIn(of('stream_events_end', 'http:')[0]!)).toMatchObject({ PII: '5', records: '5' })
  })
})

test('a stream that goes on has an entry a minute, with what it gave since the last', () => {
  vi.useFakeTimers()
  const notes: AuditNote[] = []
  const audit = {
    note: (note) => void notes.push(note),
    repeated: (_, note) => void notes.push(note),
  } as Partial<Audit>
  const calls = createCallNotes(audit as Audit)
  const stream = calls.stream({ name: 'Subscribe', face: 'grpc', address: '192.0.2.7:5', principal: 'grpc:fire-2' })
  const give = (count: number): void =>
    stream.given({ records: count, frames: 0, labels: [count, 0, 0], ranges: { urgent: { from: 7, to: 7 + count } } })
  give(3)
  give(4)
  vi.advanceTimersByTime(60_000)
  vi.advanceTimersByTime(60_000)
  give(2)
  stream.end()
  stream.end()
  calls.close()
  vi.useRealTimers()
  expect(notes.map(({ action, details }) => [action, details])).toEqual([
    ['subscribe', undefined],
    ['subscribe', { PII: '7', records: '7', urgent: '7 to 11' }],
    ['subscribe_end', { PII: '2', records: '2', urgent: '7 to 9' }],
  ])
})

test('labelled data is refused while it cannot be written that it was given, and only that', async () => {
  const audit = {
    note() {},
    repeated() {},
    refuseUnwritten() {
      throw new GatewayError('audit_failed', 'closed')
    },
  } as Partial<Audit>
  expect(() => createCallNotes(audit as Audit).refuseUnwritten()).toThrow(/closed/)
})

describe('labels are read from a record as it lies on disk', () => {
  const text = fc.string({ maxLength: 60 })
  const header: fc.Arbitrary<RecordHeader> = fc.record(
    {
      kind: fc.nat({ max: 17 }) as fc.Arbitrary<NonNullable<RecordHeader['kind']>>,
      subject: text,
      jurisdiction: text,
      owner: text,
      severity: fc.nat({ max: 5 }) as fc.Arbitrary<NonNullable<RecordHeader['severity']>>,
      labels: fc.nat({ max: 63 }),
      sender: text,
      topic: text,
      device: text,
      fieldLabels: fc.nat({ max: 63 }),
    },
    { requiredKeys: [] },
  )

  test('as decoding its header would', () => {
    fc.assert(
      fc.property(header, (one) => {
        const encoded = encodeHeader(one)
        const record = Buffer.alloc(recordFixedBytes + encoded.length)
        record[62] = (encoded.length & 0x7f) | 0x80
        record[63] = ((encoded.length >>> 7) & 0x7f) | 0x80
        record[64] = encoded.length >>> 14
        record.set(encoded, recordFixedBytes)
        expect(labelsAt(record, 0)).toBe(codec('tocsin.v1.RecordHeader').decode(encoded).labels ?? 0)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a batch that is cut or is none counts nothing', () => {
    const reading = newReading()
    countBatch(reading, randomBytes(100).fill(0xff, 0, 1))
    countBatch(reading, Buffer.alloc(0))
    expect(readingDetails(reading)).toBeUndefined()
  })
})

test('a view that is watched shows the same, and counts only what it gave', () => {
  const record = (sequence: number, labels: number) =>
    ({ lane: 'routine', sequence, header: { labels }, bytes: new Uint8Array() }) as unknown as StoredRecord
  const onlyOdd: View = { ...seesAll, everything: false, shown: (one) => (one.sequence % 2 === 1 ? one : undefined) }
  const { view, reading } = watchedView(onlyOdd)
  const shown = [record(1, pii), record(2, pii), record(3, ops), record(5, pii | ops)].map(
    (one) => view.shown(one)?.sequence,
  )
  expect(shown).toEqual([1, undefined, 3, 5])
  expect(readingDetails(reading)).toEqual({ PII: '2', records: '2', routine: '1 to 5' })
})

test('a subscriber over MQTT to topics with labels has an entry a minute; to others none', () => {
  vi.useFakeTimers()
  const notes: AuditNote[] = []
  const audit = { note: (note) => void notes.push(note) } as Partial<Audit>
  const reads = createBrokerReads(audit as Audit, (topic) => (topic.startsWith('people/') ? pii : ops))
  const asked: Partial<Permissions> = {
    mayReceive: (_, topic) => reads.labelsOf(topic) >= 0 && !topic.endsWith('/secret'),
  }
  const permissions = reads.watch(asked as Permissions)
  const anna = { name: 'mqtt:anna' } as MqttPrincipal
  for (const topic of ['people/7', 'people/8', 'people/secret', 'gauges/1']) permissions.mayReceive(anna, topic)
  permissions.mayReceive({ name: 'mqtt:wall' } as MqttPrincipal, 'gauges/1')
  vi.advanceTimersByTime(120_000)
  reads.close()
  vi.useRealTimers()
  expect(notes).toMatchObject([{ action: 'receive', principal: 'mqtt:anna', details: { PII: '2', frames: '2' } }])
})
