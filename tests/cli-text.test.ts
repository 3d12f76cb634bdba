// What the command line writes for people: safe texts, times, and a line for each kind of event.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventLines, eventJson } from '../gateway/cli/event-line.ts'
import { payloadText } from '../gateway/cli/payload-text.ts'
import { bytesText } from '../gateway/cli/progress.ts'
import { pad, safe, safeJson } from '../gateway/cli/terminal.ts'
import { clockText, parseTime, spanText, stampText } from '../gateway/cli/time.ts'
import { Lane } from '../proto/generated/types.ts'
import type { Event, Record as StoredRecord } from '../proto/generated/types.ts'
import { int64, uint64 } from '../proto/int64.ts'
import { codec } from '../proto/wire.ts'

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const acts = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

describe('text of devices', () => {
  test('never holds a character that a terminal acts on', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => !acts.test(safe(text))))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !acts.test(payloadText(bytes).replaceAll('\n', ''))),
    )
  })

  test('shows what was there', () => {
    expect(safe('\u001b[2J\u0007 ok \u009b1m \u202eabc')).toBe('␛[2J␇ ok <U+009B>1m <U+202E>abc')
    expect(safe('Zürich, 東京, 🚒')).toBe('Zürich, 東京, 🚒')
    expect(safe('x'.repeat(3_000))).toHaveLength(2_001)
  })

  test('comes back from JSON as it was, and is as safe in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = safeJson({ text })
        return !acts.test(json) && (JSON.parse(json) as { text: string }).text === text
      }),
    )
  })

  test('is padded by the columns it takes', () => {
    expect(pad('東京', 6)).toBe('東京  ')
    expect(pad('e\u0301', 3)).toBe('e\u0301  ')
  })

  test('that is no text is dumped', () => {
    expect(payloadText(Buffer.from([0, 1, 0x41, 0xff]))).toMatch(/^00000000 {2}00 01 41 ff +\|\.\.A\.\|$/)
    expect(payloadText(Buffer.from('{"a":1}\nb'))).toBe('{"a":1}\nb')
  })
})

describe('times', () => {
  test('are read in many forms', () => {
    expect(parseTime('2026-11-22T12:00:00.5Z', 'from')).toBe(1_795_348_800_500_000_000n)
    expect(clockText(parseTime('2026-11-22 12:34', 'from'))).toBe('12:34:00.000')
    expect(stampText(parseTime('2026-11-22', 'from'))).toBe('2026-11-22 00:00:00.000')
    const ago = Number(BigInt(Date.now()) * 1_000_000n - parseTime('15m', 'from')) / 1e9
    expect(Math.abs(ago - 900)).toBeLessThan(5)
  })

  test.each(['', 'noon', '25:00', '2026-02-30', '2026-11-22T', '12:60'])('%j is none', (text) => {
    expect(() => parseTime(text, 'from')).toThrow(/--from must be a time/)
  })

  test('and amounts are written short', () => {
    expect([850, 12_400, 185_000, 7_800_000, 300_000_000].map(spanText)).toEqual([
      '850 ms',
      '12 s',
      '3 min 5 s',
      '2 h 10 min',
      '3 d 11 h',
    ])
    expect([12, 999, 1_500, 999_600, 2.5e9].map(bytesText)).toEqual(['12 B', '999 B', '1.50 kB', '1.00 MB', '2.50 GB'])
  })
})

describe('an event', () => {
  const lines = createEventLines({ paint: (_style, text) => text })
  const line = (event: object, lane: Lane = Lane.ROUTINE): string => lines.line(recordOf(event, lane)).slice(14)

  const examples: [what: string, event: object, shown: string][] = [
    [
      'with measurements',
      {
        observation: {
          measurements: [
            { quantity: 'water_level', number: 2.3100000001, unit: 'm' },
            { quantity: 'air_temperature', number: -4.5, unit: 'Cel', quality: 'QUALITY_SUSPECT' },
          ],
        },
      },
      'water level 2.31 m · air temperature -4.5 °C suspect',
    ],
    [
      'of an exercise is shouted',
      { messageStatus: 'MESSAGE_STATUS_EXERCISE', alert: { infos: [{ event: 'Flood Warning', headline: 'Move up' }] } },
      ' EXERCISE   Flood Warning · Move up',
    ],
    [
      'of a cancel is shouted, since it has the words of what it ends',
      { action: 'ACTION_CANCEL', alert: { infos: [{ event: 'Flood Warning' }] } },
      'CANCEL · Flood Warning',
    ],
    [
      'of a cancel without words says what it ends',
      { action: 'ACTION_CANCEL', alert: { references: ['a@b.example,warn-1,2026-11-22T11:00:00-00:00'] } },
      'CANCEL · a@b.example,warn-1,2026-11-22T11:00:00-00:00',
    ],
    [
      'of a test is shouted',
      { messageStatus: 'MESSAGE_STATUS_TEST', message: { text: 'radio check', sender: { name: 'EOC' } } },
      ' TEST   EOC · “radio check”',
    ],
    [
      'with a place',
      {
        observation: { measurements: [{ quantity: 'smoke', flag: true }] },
        location: { latitude: 0, longitude: -97.1234567 },
      },
      'smoke yes  @ 0,-97.12346',
    ],
    [
      'of a unit',
      { unitStatus: { unitId: 'E7', secondary: ['SECONDARY_UNIT_STATUS_EN_ROUTE'], incident: 'F26-1' } },
      'E7 · en route · incident F26-1',
    ],
    [
      'of a radio',
      { radioCall: { emergency: true, system: 'county', talkgroup: 4711, radioId: '7001', duration: '4.2s' } },
      'EMERGENCY · county · talkgroup 4711 · radio 7001 · 4 s',
    ],
    [
      'of a device',
      { deviceStatus: { online: 'ONLINE_ONLINE', batteryFraction: 0, rssiDbm: -97.5 } },
      'online · battery 0 % · -97.5 dBm',
    ],
    [
      'of a sensor’s judgement',
      { detection: { agent: 'smoke', measured: 4, limit: 2, unit: '%' } },
      'smoke DETECTED · 4 % · limit 2 %',
    ],
    [
      'of an incident',
      {
        incident: {
          numbers: [{ number: '26-0815' }],
          localTypeText: 'Structure fire',
          statuses: ['INCIDENT_STATUS_ACTIVE'],
        },
      },
      '26-0815 · Structure fire · active',
    ],
    [
      'observed long ago',
      { observedAt: '2020-01-01T00:00:00Z', observation: { measurements: [{ quantity: 'rain', integer: '3' }] } },
      `rain 3  (observed ${stampText(1_577_836_800_000_000_000n)})`,
    ],
    [
      'too small in SI for people: as its source wrote it',
      {
        observation: {
          measurements: [
            { quantity: 'rain_rate', number: 0.0000095, unit: 'm/s', sourceValue: '34.2', sourceUnit: 'mm/h' },
            { quantity: 'snow_depth', number: 0, unit: 'm', sourceValue: '0', sourceUnit: 'in' },
            { quantity: 'water_level', number: 0.87, unit: 'm', sourceValue: '87', sourceUnit: 'cm' },
          ],
        },
      },
      'rain rate 34.2 mm/h · snow depth 0 m · water level 0.87 m',
    ],
    ['with a text that would forge a line', { message: { text: 'a\r\n12:00:00  EXTREME' } }, '“a␍␊12:00:00  EXTREME”'],
  ]
  test.each(examples)('%s', (_what, event, shown) => {
    expect(line(event)).toMatch(/^routine {3}/)
    expect(line(event).endsWith(`gauge-7       ${shown}`), line(event)).toBe(true)
  })

  test('says how bad it is by the source’s own word', () => {
    const alert = { alert: {} }
    expect(line({ ...alert, severity: 'SEVERITY_EXTREME' }, Lane.URGENT)).toMatch(/^EXTREME {3}/)
    expect(line({ ...alert, severity: 'SEVERITY_UNKNOWN' }, Lane.URGENT)).toMatch(/^urgent {4}/)
  })

  test('that was removed from the log says so', () => {
    const record = { ...recordOf({ message: { text: 'x' } }, Lane.URGENT), flags: 1, event: new Uint8Array(20) }
    expect(lines.line(record)).toContain('(removed from the log)')
    expect(JSON.parse(eventJson(record))).toEqual({
      lane: 'urgent',
      sequence: 7,
      loggedAt: '2026-11-22T12:00:00Z',
      topic: 't',
    })
  })

  test('without any field set has a line, whatever its kind', () => {
    const kinds =
      'observation detection deviceStatus position unitStatus incident call alarm radioCall alert resourceRequest resourceResponse facilityStatus message command receipt systemEvent'
    for (const kind of kinds.split(' ')) expect(line({ [kind]: {} })).not.toMatch(/undefined|null|NaN/)
  })
})

const eventCodec = codec('tocsin.v1.Event')
const recordCodec = codec('tocsin.v1.Record')

function recordOf(json: object, lane: Lane): StoredRecord {
  const event: Event = eventCodec.fromJson({ messageStatus: 'MESSAGE_STATUS_ACTUAL', ...json })
  const header = { device: 'gauge-7', topic: 't', messageStatus: event.messageStatus!, severity: event.severity ?? 0 }
  const loggedAtNs = int64(1_795_348_800_000_000_000n)
  const record = { sequence: uint64(7n), loggedAtNs, lane, header, event: eventCodec.encode(event) } as StoredRecord
  return recordCodec.decode(recordCodec.encode(record))
}
