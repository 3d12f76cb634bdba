// The short way to rows writes what the long way writes, to the byte, whatever comes; and where devices say the same with other
// numbers, it is the way that is taken.

import { randomFillSync } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createIds } from '../gateway/ids.ts'
import { createTagBudget, tagLimits, type TagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import { createLines } from '../gateway/outputs/influxdb/line-protocol.ts'
import { createRowTemplates } from '../gateway/outputs/influxdb/row-templates.ts'
import { deviceTagOf, newRowCounts, statusNames, targetOf, writeRows } from '../gateway/outputs/influxdb/rows.ts'
import { encodeEvent } from '../proto/generated/encode.ts'
import { Discipline, Label, MessageStatus, type Event, type Measurement } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'

const eventCodec = codec('tocsin.v1.Event')
const ids = createIds((bytes) => void randomFillSync(bytes))
const include = new Set<never>()
const readingMs = 1_790_000_000_000n

/** Both ways with what each of them remembers; `write` gives what the short one wrote, or the long one where there is none. */
function bothWays(limits: TagLimits = tagLimits) {
  const [short, long, scratch] = [createLines(), createLines(), createLines()]
  const [budget, longBudget] = [createTagBudget(limits, () => {}), createTagBudget(limits, () => {})]
  const templates = createRowTemplates()
  let sequence = 0
  let found = 0
  return {
    get found() {
      return found
    },
    write(encoded: Uint8Array): {
      short: string
      long: string
      touched: readonly unknown[]
      longTouched: readonly unknown[]
    } {
      sequence++
      const event = eventCodec.decode(encoded)
      long.clear()
      short.clear()
      const longTouched: unknown[] = []
      const touched: unknown[] = []
      const counts = newRowCounts()
      const target = targetOf(event, include, newRowCounts())
      const told = (list: unknown[]) => (measurement: string, atMs: number, device: string) =>
        void list.push([measurement, atMs, device])
      if (target) {
        const parts = { include, counts, sequence, budget: longBudget, touched: told(longTouched) }
        writeRows(event, { ...parts, lines: long })
      }
      const template = templates.find(encoded)
      if (template) {
        found++
        templates.write(template, short, sequence)
        for (const family of template.families) told(touched)(family, templates.atMs, template.device)
        expect(template.target).toBe(target)
      } else if (target) {
        const own = newRowCounts()
        const written = writeRows(event, {
          lines: short,
          include,
          counts: own,
          sequence,
          budget,
          touched: told(touched),
        })
        if (written > 0 && own.overBudget === 0) {
          templates.learn(encoded, event, {
            target,
            device: deviceTagOf(event, { budget }),
            lines: short,
            written,
            sequence,
          })
        }
      }
      scratch.clear()
      return { short: String(short.bytes()), long: String(long.bytes()), touched, longTouched }
    },
  }
}

const number = (quantity: string, value: number, rest: object = {}): Measurement => ({
  quantity,
  value: 'number',
  number: value,
  unit: 'm',
  ...rest,
})

function reading(measurements: readonly Measurement[], atNs: bigint, rest: Partial<Event> = {}): Event {
  return {
    id: ids.next(atNs),
    subject: 'device:local/gauge-7',
    messageStatus: MessageStatus.ACTUAL,
    origin: { jurisdiction: 'county-a.example', owner: 'water.county-a.example', device: 'gauge-7', adapter: 'senml' },
    provenance: [{ gateway: 'gw-1', receivedAt: timestamp(atNs + 5n) }],
    observedAt: timestamp(atNs),
    receivedAt: timestamp(atNs + 7_000_123n),
    handling: { labels: [Label.OPS] },
    ...rest,
    body: 'observation',
    observation: { measurements: [...measurements] },
  } as Event
}

/** What the log takes: it can be read, its status is one of ours, and it is of this age. */
function isEvent(bytes: Uint8Array): boolean {
  try {
    const { messageStatus, observedAt } = eventCodec.decode(bytes)
    return (messageStatus ?? -1) in statusNames && Math.abs(Number(observedAt?.seconds ?? 0)) < 1e11
  } catch {
    return false
  }
}

describe('the short way', () => {
  test('is taken from the second message of a device on, whatever its numbers and its millisecond', () => {
    const ways = bothWays()
    const numbers = [2, -0, 0, 1e21, 5e-324, -12.25, 0.1 + 0.2, 2 ** 53]
    for (const [index, value] of numbers.entries()) {
      const at = (readingMs + BigInt(index) * 250n) * 1_000_000n
      const { short, long, touched, longTouched } = ways.write(
        encodeEvent(reading([number('stage', value), number('flow', -value)], at)),
      )
      expect(short).toBe(long)
      expect(touched).toEqual(longTouched)
    }
    expect(ways.found).toBe(numbers.length - 1)
  })

  test('is not taken for a number that is none, a time finer than a millisecond, or anything else that is new', () => {
    const ways = bothWays()
    const at = readingMs * 1_000_000n
    ways.write(encodeEvent(reading([number('stage', 1)], at)))
    const others = [
      reading([number('stage', Number.NaN)], at),
      reading([number('stage', 1)], at + 1n),
      reading([number('stage', 1, { unit: 'cm' })], at),
      reading([number('stages', 1)], at),
      reading([number('stage', 1, { measuredAt: timestamp(at) })], at),
      reading([number('stage', 1), number('stage', 2)], at),
      reading([number('stage', 1)], at, { messageStatus: MessageStatus.EXERCISE }),
      reading([number('stage', 1)], at, { handling: { labels: [Label.PHI] } }),
      reading([number('stage', 1)], at, { location: { latitude: 1, longitude: 2 } }),
      reading([number('stage', 1)], at, { subject: 'device:local/gauge-8' }),
    ]
    for (const other of others) {
      const { short, long } = ways.write(encodeEvent(other))
      expect(short).toBe(long)
    }
    expect(ways.found).toBe(0)
  })

  test('is no trap for a device that says something else each time, and is taken again when it has come to rest', () => {
    const ways = bothWays()
    const at = readingMs * 1_000_000n
    for (let index = 0; index < 1_000; index++) {
      const { short, long } = ways.write(
        encodeEvent(reading([number('stage', 1)], at, { location: { latitude: index / 100, longitude: 7 } })),
      )
      expect(short).toBe(long)
    }
    expect(ways.found).toBe(0)
    for (let index = 0; index < 200; index++) ways.write(encodeEvent(reading([number('stage', index)], at)))
    // Of the 1,024th that fits nothing a new way is made.
    expect(ways.found).toBe(200 - 24)
  })

  const shape = fc.record({
    quantities: fc.array(fc.constantFrom('stage', 'flow', 'a b=c,d\\', 'text\nand "more"'), {
      minLength: 0,
      maxLength: 3,
    }),
    unit: fc.constantFrom('m', 'in "', ''),
    subject: fc.constantFrom('gauge-7', 'device:local/gauge-7', 'x value=1'),
    device: fc.constantFrom('gauge-7', 'gauge-8', 'a value=2,event_id="'),
    status: fc.constantFrom(MessageStatus.ACTUAL, MessageStatus.ACTUAL, MessageStatus.TEST, MessageStatus.DRAFT),
    discipline: fc.constantFrom(Discipline.UNSPECIFIED, Discipline.LAW_ENFORCEMENT),
    place: fc.option(fc.record({ latitude: fc.constantFrom(-30.5, 0), longitude: fc.constant(7) }), { nil: undefined }),
  })
  const message = fc.record({
    shape: fc.nat(2),
    value: fc.double(),
    atMs: fc.oneof(
      fc.integer({ min: -1_000, max: 4_000_000_000_000 }),
      fc.constantFrom(0, 1, 1_000, 1_790_000_000_000),
    ),
    fineNs: fc.constantFrom(0n, 0n, 0n, 17n),
    passed: fc.nat(2),
    flips: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 1 }),
  })
  const conversation = fc
    .tuple(fc.array(shape, { minLength: 1, maxLength: 3 }), fc.array(message, { minLength: 2, maxLength: 30 }))
    .map(([shapes, messages]) =>
      messages.map(({ shape: index, value, atMs, fineNs, passed, flips }) => {
        const { quantities, unit, subject, device, status, discipline, place } = shapes[index % shapes.length]!
        const atNs = BigInt(atMs) * 1_000_000n + fineNs
        const event = reading(
          quantities.map((quantity, at) => number(quantity, value + at, { unit })),
          atNs,
          {
            subject,
            messageStatus: status,
            origin: { device, owner: 'a', discipline },
            provenance: Array.from({ length: passed }, (_, hop) => ({
              gateway: `gw-${hop}`,
              receivedAt: timestamp(atNs),
            })),
            ...(place && { location: place }),
          },
        )
        const bytes = Uint8Array.from(encodeEvent(event))
        for (const [at, mask] of flips) if (at < bytes.length) bytes[at]! ^= mask
        return bytes
      }),
    )

  test('writes what the long way does, of any events in any order, broken ones too', () => {
    let found = 0
    fc.assert(
      fc.property(conversation, (events) => {
        const ways = bothWays({ ...tagLimits, device: 2, quantity: 3 })
        for (const bytes of events) {
          if (!isEvent(bytes)) continue
          const { short, long, touched, longTouched } = ways.write(bytes)
          expect(short).toBe(long)
          expect(touched).toEqual(longTouched)
        }
        found += ways.found
      }),
      { numRuns: 1_500 },
    )
    expect(found).toBeGreaterThan(100)
  })
})
