// What of an event becomes a row of InfluxDB, where it is written, and what is kept out.

import { describe, expect, test } from 'vitest'
import type { Event, Measurement } from '../proto/generated/types.ts'
import { Discipline, Label, MessageStatus, Online, Quality } from '../proto/generated/types.ts'
import { int64 } from '../proto/int64.ts'
import { timestamp } from '../proto/time.ts'
import { counterOf, idText } from '../gateway/ids.ts'
import { createTagBudget, tagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import type { TagBudget } from '../gateway/outputs/influxdb/cardinality.ts'
import { familyOf, measurementNames } from '../gateway/outputs/influxdb/families.ts'
import { createLines } from '../gateway/outputs/influxdb/line-protocol.ts'
import { newRowCounts, rowsMostOf, targetOf, writeRows } from '../gateway/outputs/influxdb/rows.ts'
import type { Included } from '../gateway/policy/configured-view.ts'
import { eventCodec, observation, readingMs, temperature } from './peers/influxdb-readings.ts'

const unlimited = () => createTagBudget(tagLimits, () => undefined)

function rowsOf(event: Event, budget: TagBudget = unlimited(), include: ReadonlySet<Included> = new Set()) {
  const lines = createLines()
  const counts = newRowCounts()
  // As from the log: what is absent is null or its default there, not undefined.
  const read = eventCodec.decode(eventCodec.encode(event))
  const count = writeRows(read, { lines, budget, include, counts, sequence: 42 })
  expect(count).toBeLessThanOrEqual(rowsMostOf(read))
  return { lines: lines.bytes().toString().split('\n').slice(0, -1), counts }
}

const target = (event: Event, include: readonly Included[] = []) => {
  const counts = newRowCounts()
  return { target: targetOf(event, new Set(include), counts), counts }
}

const timeOf = (line: string | undefined) => BigInt(line?.slice(line.lastIndexOf(' ') + 1) ?? 0)
const tagsOf = (line: string | undefined) => /^.*?[^\\](?= )/.exec(line ?? '')?.[0]

const number = (quantity: string, value: number, more: Partial<Measurement> = {}) =>
  ({ quantity, value: 'number', number: value, ...more }) as Measurement

describe('a row', () => {
  test('has its identity in measurement, tags and time, and the rest in fields', () => {
    const measurement: Measurement = {
      ...temperature(21.5),
      quality: Quality.GOOD,
      sourceValue: '70.7',
      sourceUnit: 'degF',
    }
    const event: Event = {
      ...observation({ measurements: [measurement] }),
      location: { latitude: 0, longitude: -97.5 },
    }
    const { lines } = rowsOf(event)
    const time = BigInt(readingMs) * 1_000_000n + BigInt(counterOf(event.id!))
    expect(lines).toEqual([
      'temperature,quantity=air_temperature,device=gauge-7,agency=water.county-a.example,jurisdiction=county-a.example,' +
        'device_class=senml,status=actual value=21.5,unit="Cel",quality="good",source_value="70.7",source_unit="degF",' +
        `latitude=0,longitude=-97.5,subject="urn:dev:ow:gauge-7",event_id="${idText(event.id!)}",sequence=42i ${time}`,
    ])
  })

  test('is the same however often it is made, and another for each event of a millisecond', () => {
    const event = observation()
    expect(rowsOf(event).lines).toEqual(rowsOf(event).lines)
    const times = Array.from({ length: 1_000 }, () => timeOf(rowsOf(observation()).lines[0]))
    expect(new Set(times).size).toBe(1_000)
    expect(new Set(times.map((time) => time / 1_000_000n))).toEqual(new Set([BigInt(readingMs)]))
  })

  test('keeps each kind of value under the name of its type', () => {
    const { lines, counts } = rowsOf(
      observation({
        measurements: [
          { quantity: 'lightning_count', value: 'integer', integer: int64(9_007_199_254_740_993n) },
          { quantity: 'door', value: 'flag', flag: false },
          { quantity: 'weather', value: 'text', text: 'rain "heavy"\nnow' },
          { quantity: 'maker_block', value: 'blob', blob: new Uint8Array(7) },
          { quantity: 'wind_speed', quality: Quality.MISSING },
          number('noise', Number.NaN),
        ],
      }),
    )
    const fields = lines.map((line) => line.slice(tagsOf(line)!.length + 1).split(',')[0])
    expect(fields.slice(0, 5)).toEqual([
      'integer=9007199254740993i',
      'flag=false',
      String.raw`text="rain \"heavy\"%0Anow"`,
      'blob_bytes=7i',
      'quality="missing"',
    ])
    expect(lines[5]).not.toContain('value=')
    expect(counts.notFinite).toBe(1)
  })

  test('takes the time of the value, then of the event, then of its arrival; what is finer than a millisecond is a field', () => {
    const at = BigInt(readingMs) * 1_000_000n + 456_789n
    const measuredAt = timestamp(at - 5_000_000_000n)
    const event = {
      ...observation({ measurements: [number('a', 1, { measuredAt }), number('b', 2)] }),
      observedAt: timestamp(at),
    }
    const { lines } = rowsOf(event)
    expect(lines.map((line) => timeOf(line) / 1_000_000n)).toEqual([BigInt(readingMs) - 5_000n, BigInt(readingMs)])
    expect(lines[1]).toContain(`observed_ns=${at}i`)
    const { observedAt: _, ...unstamped } = observation()
    expect(timeOf(rowsOf(unstamped).lines[0]) / 1_000_000n).toBe(BigInt(readingMs) + 40n)
  })

  test('of a quantity that a message repeats has an index of its own, the source’s where it states one', () => {
    const { lines } = rowsOf(
      observation({
        measurements: [
          number('soil_moisture', 1),
          number('soil_moisture', 2),
          number('soil_moisture', 3, { index: 1 }),
          number('soil_moisture', 4, { index: 9 }),
          number('soil_moisture', 5, { index: 9 }),
          number('soil_moisture', 6, { index: 4_000_000_000 }),
          number('soil_moisture', 7, { measuredAt: timestamp(BigInt(readingMs - 1) * 1_000_000n) }),
        ],
      }),
    )
    const points = lines.map((line) => `${tagsOf(line)} ${timeOf(line)}`)
    expect(new Set(points).size).toBe(7)
    expect(points.map((point) => /,index=(\d+)/.exec(point)?.[1])).toEqual([
      undefined,
      '1',
      '2',
      '9',
      '3',
      '4',
      undefined,
    ])
    expect(lines[2]).toContain('stated_index=1i')
    expect(lines[5]).toContain('stated_index=4000000000i')
  })

  test('is made of a device’s status, a position and a detection too', () => {
    const { body: _, observation: __, ...envelope } = observation() as Extract<Event, { body: 'observation' }>
    const status = rowsOf({
      ...envelope,
      body: 'deviceStatus',
      deviceStatus: { online: Online.ONLINE, batteryFraction: 0, charging: false },
    })
    expect(status.lines[0]).toMatch(
      /^device_status,device=gauge-7,.* online="online",battery_fraction=0,charging=false,/,
    )
    const position = rowsOf({
      ...envelope,
      location: { latitude: 1, longitude: 2, speedMps: 3 },
      body: 'position',
      position: { callsign: 'E12' },
    })
    expect(position.lines[0]).toMatch(/^position,.* callsign="E12",latitude=1,longitude=2,speed_mps=3,/)
    const detection = rowsOf({
      ...envelope,
      body: 'detection',
      detection: { agent: 'smoke', alarm: true, measurements: [temperature(90)] },
    })
    expect(detection.lines.map((line) => line.split(',device')[0])).toEqual([
      'detection,quantity=smoke',
      'temperature,quantity=air_temperature',
    ])
  })
})

describe('what is kept out', () => {
  const { body: _, observation: __, ...envelope } = observation() as Extract<Event, { body: 'observation' }>

  test('is every kind that is no telemetry', () => {
    expect(target({ ...envelope, body: 'incident', incident: {} })).toMatchObject({
      target: undefined,
      counts: { notTelemetry: 1 },
    })
    expect(target({ ...envelope, body: 'alert', alert: {} }).target).toBeUndefined()
  })

  test.each(['PII', 'PHI', 'CJI'] as const)('is what is labelled %s, unless it is named', (label) => {
    const event = observation({ labels: [Label.OPS, Label[label]] })
    expect(target(event)).toMatchObject({ target: undefined, counts: { withheld: { [label]: 1 } } })
    expect(target(event, [label]).target).toBe('main')
  })

  test('is where law enforcement is, unless it is named', () => {
    const origin = { ...envelope.origin, discipline: Discipline.LAW_ENFORCEMENT }
    const place = { latitude: 30.1, longitude: -97.7 }
    const position: Event = { ...envelope, origin, location: place, body: 'position', position: {} }
    expect(target(position)).toMatchObject({ target: undefined, counts: { withheld: { law_enforcement_position: 1 } } })
    expect(target(position, ['law_enforcement_position']).target).toBe('main')
    const reading: Event = { ...observation(), origin, location: place }
    expect(target(reading).target).toBe('main')
    expect(rowsOf(reading).lines[0]).not.toContain('latitude')
    expect(rowsOf(reading, unlimited(), new Set(['law_enforcement_position'])).lines[0]).toContain('latitude=30.1')
  })

  test('of the main database is all that is not actual; drafts are written nowhere', () => {
    const status = (messageStatus: MessageStatus) => target(observation({ messageStatus })).target
    expect(status(MessageStatus.ACTUAL)).toBe('main')
    expect([MessageStatus.EXERCISE, MessageStatus.TEST, MessageStatus.SYSTEM].map(status)).toEqual(
      Array(3).fill('exercise'),
    )
    expect([MessageStatus.DRAFT, MessageStatus.UNSPECIFIED].map(status)).toEqual([undefined, undefined])
  })
})

describe('the budget of tag values', () => {
  test('loses nothing: what is over it is tagged so, keeps its name in a field and its own point', () => {
    const exceeded: string[] = []
    const budget = createTagBudget({ ...tagLimits, device: 2, quantity: 1 }, (tag, limit) =>
      exceeded.push(`${tag} ${limit}`),
    )
    const events = ['a', 'b', 'c', 'd', 'a'].map((device) =>
      observation({
        device,
        measurements: [number('air_temperature', 1), number('x1', 2), number('x2', 3), number('x2', 4)],
      }),
    )
    const lines = events.flatMap((event) => rowsOf(event, budget).lines)
    expect(new Set(lines.map((line) => `${tagsOf(line)} ${timeOf(line)}`)).size).toBe(20)
    const over = lines.filter((line) => line.includes(String.raw`device=(over\ budget)`))
    expect(over.map((line) => /device_name="(.)"/.exec(line)?.[1])).toEqual([...'cccc', ...'dddd'])
    expect(lines.filter((line) => line.includes('quantity_name="x2"')).length).toBe(10)
    expect(exceeded.toSorted()).toEqual(['device 2', 'quantity 1'])
  })

  test('a device that is called like the mark itself keeps its name in the field', () => {
    const [line = ''] = rowsOf(
      observation({ device: '(over budget)', measurements: [number('x', 1)] }),
      unlimited(),
    ).lines
    expect(tagsOf(line)).toContain(String.raw`device=(over\ budget)`)
    expect(line).toContain('device_name="(over budget)"')
  })

  test('counts what the database has already', () => {
    const budget = createTagBudget({ ...tagLimits, device: 2 }, () => undefined)
    budget.seed('device', ['a', 'b', 'c'])
    expect(['a', 'c', 'd'].map((device) => budget.admit('device', device))).toEqual([true, true, false])
  })
})

describe('measurements', () => {
  test('are families of quantities, from a closed list', () => {
    expect(familyOf('air_temperature')).toBe('temperature')
    expect(familyOf('water_level')).toBe('water_level')
    expect(familyOf('battery_voltage')).toBe('battery')
    expect(familyOf('pm2_5')).toBe('air_quality')
    expect(familyOf('Wind Speed')).toBe('wind')
    expect(familyOf('x,y=1\n')).toBe('other')
    for (let index = 0; index < 10_000; index++) expect(measurementNames).toContain(familyOf(`made up ${index}`))
  })
})
