// CAP both ways: whatever alert can be said is read back as it was, and what must not be lost keeps an alert from being written at all.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feetText, kilometresText } from '../adapters/cap/lengths.ts'
import { cap } from '../adapters/cap/codec.ts'
import { namesText, parseNames, parseTriple, vtecLines } from '../adapters/cap/lists.ts'
import { readAlert } from '../adapters/cap/alert.ts'
import { readXml } from '../adapters/xml.ts'
import type { Encoded } from '../adapters/adapter.ts'
import { createIds } from '../gateway/ids.ts'
import { normalise } from '../gateway/normalise.ts'
import { Action, Label, MessageStatus, Relation, RetentionClass } from '../proto/generated/types.ts'
import type { Alert, AlertInfo, Event } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { readableEvent } from './adapters/readable.ts'

const receivedAt = 1_795_348_800_000_000_000n
const decoder = cap.decoder!(undefined)
const decode = (bytes: Uint8Array) => decoder.decode({ bytes, receivedAt, channel: 'tocsin/in/cap/test' })
const encode = (...list: Event[]): Encoded => cap.encode!(list, undefined)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const head =
  '<identifier>warn-2</identifier><sender>alerts@county-a.example</sender><sent>2026-11-22T11:00:00-00:00</sent>'
const alertText = (rest: string): string => `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">${head}${rest}</alert>`
const plain = '<status>Actual</status><msgType>Alert</msgType><scope>Public</scope>'

function eventOf(rest: string): Event {
  const decoded = decode(bytesOf(alertText(rest)))
  if (decoded.outcome !== 'events') throw new Error(decoded.why)
  return decoded.events[0]!
}

function textOf(encoded: Encoded): string {
  if (encoded.outcome !== 'bytes') throw new Error(encoded.why)
  return new TextDecoder().decode(encoded.bytes)
}

describe('the envelope', () => {
  test.each([
    ['Alert', Action.REPORT, Relation.CORRELATES],
    ['Update', Action.UPDATE, Relation.SUPERSEDES],
    ['Cancel', Action.CANCEL, Relation.CANCELS],
    ['Ack', Action.ACK, Relation.CORRELATES],
    ['Error', Action.ERROR, Relation.CORRELATES],
  ])('msgType %s is action %i, and what it names has relation %i', (msgType, action, relation) => {
    const event = eventOf(
      `<status>Actual</status><msgType>${msgType}</msgType><scope>Public</scope>` +
        '<references>a@b.example,x-1,2026-11-22T10:00:00-00:00</references>',
    )
    expect(event.action).toBe(action)
    expect(event.references).toEqual([{ subject: 'cap:a@b.example,x-1,2026-11-22T10:00:00-00:00', relation }])
  })

  test('an update names the alert by the subject that the alert itself has', () => {
    const first = eventOf(plain)
    const update = eventOf(
      '<status>Actual</status><msgType>Update</msgType><scope>Public</scope>' +
        '<references>alerts@county-a.example,warn-2,2026-11-22T11:00:00-00:00</references>',
    )
    expect(update.references?.[0]?.subject).toBe(first.subject)
  })

  test('sender, identifier and sent make the identity, and none of them alone', () => {
    const key = (text: string): string => {
      const decoded = decode(bytesOf(text))
      return decoded.outcome === 'events' ? Buffer.from(decoded.events[0]!.dedupKey!).toString('hex') : ''
    }
    const text = alertText(plain)
    const others = [
      text,
      text.replace('warn-2', 'warn-3'),
      text.replace('county-a', 'county-b'),
      text.replace('11:00:00', '11:00:01'),
    ]
    expect(new Set(others.map(key)).size).toBe(4)
    expect(key(text.replace('Public', 'Private'))).toBe(key(text))
    expect(Buffer.from(key(text), 'hex')).toHaveLength(32)
  })

  test('a subject too long for the log is hashed, and so is a reference to it', () => {
    const long = 'i'.repeat(300)
    const root = readXml(bytesOf(alertText(plain).replace('warn-2', long)))
    const read = 'root' in root ? readAlert(root.root) : undefined
    const subject = read && 'event' in read ? read.event.subject : ''
    expect(subject).toMatch(/^cap:sha256:[0-9a-f]{64}$/)
    const update = eventOf(
      `<status>Actual</status><msgType>Update</msgType><scope>Public</scope><references>alerts@county-a.example,${long},2026-11-22T11:00:00-00:00</references>`,
    )
    expect(update.references?.[0]?.subject).toBe(subject)
  })

  test.each(['RWT', 'RMT', 'NPT', 'DMO'])(
    'EAS code %s makes it a test on the way in, whatever the status says',
    (code) => {
      const event = eventOf(
        `${plain}<info><eventCode><valueName>SAME</valueName><value>${code}</value></eventCode></info>`,
      )
      const site = {
        gateway: 'g',
        jurisdiction: 'j',
        owner: 'o',
        messageStatus: MessageStatus.ACTUAL,
        labels: [Label.OPS],
      }
      const sender = { name: 's', authenticity: 'unverified', link: 'mqtt' } as const
      const reading = {
        receivedAt,
        sender,
        adapter: { name: 'cap', version: '1' },
        device: 'test',
        site,
        replayed: false,
      }
      const whole = normalise(
        event,
        reading,
        createIds((bytes) => bytes.fill(1)),
      )
      expect(whole.messageStatus).toBe(MessageStatus.TEST)
      expect(whole.handling?.labels).toEqual([Label.PUBLIC])
      expect(textOf(encode(whole))).toContain('<status>Test</status>')
    },
  )

  test('an alert without a scope is private, and is not passed on', () => {
    const event = eventOf('<status>Actual</status><msgType>Alert</msgType>')
    expect(event.handling).toEqual({ labels: [Label.OPS] })
    expect(encode(event)).toMatchObject({ outcome: 'unsupported' })
  })
})

describe('what must not be lost is not written', () => {
  const event = eventOf(plain)
  test.each<[string, Partial<Event>]>([
    ['no status', { messageStatus: MessageStatus.UNSPECIFIED }],
    ['a request', { action: Action.REQUEST }],
    ['handling stricter than the scope', { handling: { labels: [Label.OPS] } }],
    ['no handling, which means OPS', { handling: {} }],
    ['handling with criminal justice', { handling: { labels: [Label.PUBLIC, Label.CJI] } }],
    ['a release to one agency', { handling: { labels: [Label.PUBLIC], releasableTo: ['fire.county-b.example'] } }],
    ['a caveat', { handling: { labels: [Label.PUBLIC], caveat: 'UNVERIFIED' } }],
    ['a place with an accuracy', { location: { latitude: 1, longitude: 1, horizontalAccuracyM: 50 } }],
    ['a blurred place', { location: { latitude: 1, longitude: 1, precisionBits: 12 } }],
    [
      'a cancel of what has no CAP reference',
      { action: Action.CANCEL, references: [{ subject: 'device:x', relation: Relation.CANCELS }] },
    ],
  ])('%s', (_, change) => {
    expect(encode(Object.assign({}, event, change) as Event)).toMatchObject({ outcome: 'unsupported' })
  })

  test('events that are no alert, and several at once', () => {
    expect(encode({ body: 'message', message: {} } as Event)).toMatchObject({ outcome: 'unsupported' })
    expect(encode(event, event)).toMatchObject({ outcome: 'unsupported' })
    expect(encode()).toMatchObject({ outcome: 'unsupported' })
  })

  test('an exercise leaves as an exercise', () => {
    const exercise = Object.assign({}, event, { messageStatus: MessageStatus.EXERCISE }) as Event
    expect(textOf(encode(exercise))).toContain('<status>Exercise</status>')
  })

  test('what CAP has no words for is named', () => {
    const handling = { labels: [Label.PUBLIC], retentionClass: RetentionClass.RECORD }
    const richer = Object.assign({}, event, {
      priority: 9,
      handling,
      alert: { ...(event.body === 'alert' && event.alert), signedBy: 'CN=x' },
    })
    expect(encode(richer as Event)).toMatchObject({ lost: ['alert.signedBy', 'handling.retentionClass', 'priority'] })
  })
})

describe('what is written', () => {
  test('is CAP 1.2 with times in UTC as CAP writes them, and text that cannot become markup', () => {
    const event = eventOf(
      `${plain}<info><event>a &lt;b&gt; &amp; c</event><expires>2026-11-22T18:00:00+01:00</expires></info>`,
    )
    const text = textOf(encode(event))
    expect(text).toContain('<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">')
    expect(text).toContain('<event>a &lt;b&gt; &amp; c</event>')
    expect(text).toContain('<expires>2026-11-22T17:00:00-00:00</expires>')
    expect(text).toContain('<sent>2026-11-22T11:00:00-00:00</sent>')
  })

  test('says the end of a hazard by a parameter where the source had none', () => {
    const event = eventOf(`${plain}<info><event>e</event></info>`)
    if (event.body !== 'alert') throw new Error('no alert')
    event.alert.infos![0]!.endsAt = timestamp(receivedAt)
    expect(textOf(encode(event))).toContain(
      '<valueName>eventEndingTime</valueName><value>2026-11-22T12:00:00-00:00</value>',
    )
  })
})

describe('lists and lengths', () => {
  const token = fc.string({ unit: fc.constantFrom('a', 'Z', '7', ',', ':', 'é'), minLength: 1, maxLength: 6 })
  const name = fc.array(token, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))

  test('names with and without blanks are read as they were written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), (names) => {
        expect(parseNames(namesText(names))).toEqual(names)
      }),
    )
  })

  test('a reference is split at its first and last comma', () => {
    expect(parseTriple('a@b,id,with,commas,2026')).toEqual({
      sender: 'a@b',
      identifier: 'id,with,commas',
      sent: '2026',
    })
    expect(parseTriple('only-an-identifier')).toBeUndefined()
  })

  test('VTEC lines are found within a parameter', () => {
    const lines = [
      '/O.CON.KXXX.FL.W.0001.000000T0000Z-260504T0930Z/',
      '/00000.0.SM.000000T0000Z.000000T0000Z.000000T0000Z.OO/',
    ]
    expect(vtecLines(`${lines.join('\n')} and /no/vtec/`)).toEqual(lines)
  })

  test.each([
    [304.8, '1000'],
    [0, '0'],
    [609.7524, '2000.5'],
    [-30.48, '-100'],
  ])('%f m are %s ft', (metres, feet) => expect(feetText(metres)).toBe(feet))

  test.each([
    [2500, '2.5'],
    [0, '0'],
    [1, '0.001'],
  ])('%f m are %s km', (metres, kilometres) => expect(kilometresText(metres)).toBe(kilometres))
})

// Alerts as our decoder makes them: trimmed texts, known words, closed rings.
const words = fc
  .string({
    unit: fc.constantFrom('a', 'B', 'é', '水', '🚒', '&', '<', '>', '"', "'", ' ', '\n', '\t', '\r', ']]>', '1'),
    minLength: 1,
    maxLength: 30,
  })
  .map((text) => text.trim())
  .filter((text) => text !== '')
const blankless = fc.string({
  unit: fc.constantFrom('a', 'B', '7', '-', '.', '@', '&', '<'),
  minLength: 1,
  maxLength: 12,
})
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const instant = fc.bigInt(946_684_800n, 4_102_444_800n).map((seconds) => timestamp(seconds * 1_000_000_000n))
/** Numbers of seven decimals, which is a centimetre. */
const decimals = (min: number, max: number) =>
  fc.integer({ min: min * 1e7, max: max * 1e7 }).map((value) => value / 1e7 + 0)
const degrees = (max: number) => decimals(-max, max)
const point = fc.record({ latitude: degrees(90), longitude: degrees(180) })
const polygon = fc.array(point, { minLength: 3, maxLength: 8 }).map((points) => ({ points: [...points, points[0]!] }))
const circle = fc.record({ center: point, radiusM: decimals(0, 2e7) })
const named = fc.record({ name: words, value: fc.oneof(words, fc.constant('')) })
const geocode = named.map(({ name, value }) => ({ scheme: name, code: value }))
const some = <T>(arbitrary: fc.Arbitrary<T>) => maybe(fc.array(arbitrary, { minLength: 1, maxLength: 3 }))
const metres = decimals(-1000, 30_000)

/** Leaves out what is undefined, as the decoder does. */
const present = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

const area = fc
  .record({
    description: maybe(words),
    location: maybe(
      fc.record({ polygons: some(polygon), circles: some(circle), geocodes: some(geocode) }).map(present),
    ),
    altitudeM: maybe(metres),
    ceilingM: maybe(metres),
  })
  .map((fields) =>
    present({ ...fields, location: Object.keys(fields.location ?? {}).length > 0 ? fields.location : undefined }),
  )
const resource = fc
  .record({
    description: maybe(words),
    contentType: maybe(words),
    sizeBytes: maybe(fc.nat()),
    uri: maybe(words),
    content: maybe(fc.uint8Array({ minLength: 1, maxLength: 40 })),
    digest: maybe(words),
  })
  .map(present)
const info = fc
  .record({
    language: maybe(blankless),
    categories: some(fc.integer({ min: 1, max: 12 })),
    event: maybe(words),
    responseTypes: some(fc.integer({ min: 1, max: 9 })),
    urgency: maybe(fc.integer({ min: 1, max: 5 })),
    severity: maybe(fc.integer({ min: 1, max: 5 })),
    certainty: maybe(fc.integer({ min: 1, max: 5 })),
    audience: maybe(words),
    eventCodes: some(named),
    effectiveAt: maybe(instant),
    onsetAt: maybe(instant),
    expiresAt: maybe(instant),
    senderName: maybe(words),
    headline: maybe(words),
    description: maybe(words),
    instruction: maybe(words),
    web: maybe(words),
    contact: maybe(words),
    parameters: some(named),
    resources: some(resource),
    areas: some(area),
  })
  .map((fields) => present(fields) as AlertInfo)
const alert = fc
  .record({
    identifier: blankless,
    sender: blankless,
    sentText: instant.map(({ seconds }) => new Date(Number(seconds) * 1000).toISOString().replace('.000Z', '-00:00')),
    scope: fc.integer({ min: 1, max: 3 }),
    restriction: maybe(words),
    codes: some(words),
    note: maybe(words),
    references: some(fc.tuple(blankless, blankless, blankless).map((parts) => parts.join(','))),
    source: maybe(words),
    infos: some(info),
  })
  .map((fields) => present(fields) as Alert)

test('whatever alert can be said is read back as it was', () => {
  fc.assert(
    fc.property(
      alert,
      fc.constantFrom(...Object.values(MessageStatus).slice(1)),
      fc.integer({ min: 1, max: 3 }),
      (said, status, action) => {
        // The first writing makes the envelope; from then on both must stay as they are.
        const labels = said.scope === 1 ? [Label.PUBLIC] : [Label.OPS]
        const contact = said.scope !== 1 && said.infos?.some((each) => each.contact) ? [Label.PII] : []
        const caveat = said.scope === 2 && said.restriction ? { caveat: said.restriction } : {}
        const handling = { labels: [...labels, ...contact], ...caveat }
        const event = { body: 'alert', alert: said, messageStatus: status, action: action as Action, handling } as Event
        const first = encode(event)
        expect(first).toMatchObject({ outcome: 'bytes', lost: [] })
        const again = decode(first.outcome === 'bytes' ? first.bytes : new Uint8Array())
        if (again.outcome !== 'events') throw new Error(again.why)
        const second = encode(again.events[0]!)
        const third = decode(second.outcome === 'bytes' ? second.bytes : new Uint8Array())
        expect(third.outcome === 'events' && third.events.map(readableEvent)).toEqual(again.events.map(readableEvent))
      },
    ),
    { numRuns: 300 },
  )
})
