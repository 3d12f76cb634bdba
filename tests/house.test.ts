// Small parts of the gateway: ids, settings, permissions, doors, lanes, times.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAccounting } from '../gateway/accounting.ts'
import { parseAddress } from '../gateway/addresses.ts'
import { withFormats } from '../gateway/formats-table.ts'
import { counterOf, createIds, idText, idTimeMs, parseId } from '../gateway/ids.ts'
import { hashSecret, secretMatches } from '../gateway/policy/secrets.ts'
import { filterCovers, topicMatches } from '../gateway/policy/topic-filters.ts'
import { refuseUnsafe } from '../gateway/policy/unsafe/unsafe-checks.ts'
import { referencePage } from '../gateway/settings-pages.ts'
import { readSettings } from '../gateway/settings.ts'
import { parseRfc3339, rfc3339, timestamp, timestampNs } from '../proto/time.ts'

describe('ids', () => {
  const ids = createIds((bytes) => bytes.fill(0xab))

  test('are UUIDv7 with the time in front and a running counter', () => {
    const at = 1_790_000_000_123n * 1_000_000n
    const [first, second] = [ids.next(at), ids.next(at)]
    expect(idText(first)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(idTimeMs(first)).toBe(1_790_000_000_123)
    expect(counterOf(second)).toBe((counterOf(first) + 1) & 0x7ffff)
    expect(parseId(idText(first))).toEqual(first)
    expect(parseId('no id')).toBeUndefined()
  })

  test('half a million of one millisecond all have another counter', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 2 ** 19; i++) seen.add(counterOf(ids.next(5_000_000n)))
    expect(seen.size).toBe(2 ** 19)
  })
})

describe('times', () => {
  test('nanoseconds survive the wire form and the text form', () => {
    fc.assert(
      fc.property(fc.bigInt(-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n), (ns) => {
        expect(timestampNs(timestamp(ns))).toBe(ns)
        if (ns > 0n) expect(parseRfc3339(rfc3339(ns))).toBe(ns)
      }),
    )
  })

  test('a time without a zone is none unless the caller says which', () => {
    expect(parseRfc3339('2026-11-22T12:00:00')).toBeUndefined()
    expect(parseRfc3339('2026-11-22T12:00:00', 'Z')).toBe(1_795_348_800_000_000_000n)
    expect(parseRfc3339('2026-11-22T13:00:00.5+01:00')).toBe(1_795_348_800_500_000_000n)
    expect(parseRfc3339('2026-13-45T00:00:00Z')).toBeUndefined()
  })
})

describe('topic filters', () => {
  test.each([
    ['a/+/c', 'a/b/c', true],
    ['a/#', 'a', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['a/+', 'a/b/c', false],
    ['a/b', 'a', false],
  ])('%s matches %s: %s', (filter, topic, matches) => expect(topicMatches(filter, topic)).toBe(matches))

  const level = fc.constantFrom('a', 'b', '', '+')
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  const topic = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 5 })
    .map((levels) => levels.join('/'))

  test('a filter that covers another matches every topic the other matches', () => {
    fc.assert(
      fc.property(filter, filter, topic, (outer, inner, name) => {
        if (filterCovers(outer, inner) && topicMatches(inner, name)) expect(topicMatches(outer, name)).toBe(true)
      }),
      { numRuns: 20_000 },
    )
  })

  test('what is not covered is really wider', () => {
    expect(filterCovers('a/+', 'a/#')).toBe(false)
    expect(filterCovers('a/#', 'a/+/c')).toBe(true)
    expect(filterCovers('#', '$SYS/#')).toBe(false)
    expect(filterCovers('sensors/+', 'sensors/#')).toBe(false)
  })
})

describe('settings', () => {
  const read = (environment: Record<string, string>) => readSettings({ environment })

  test('every setting has a sentence and a default that its own kind accepts', () => {
    expect(read({})['mqtt.listen']).toEqual(['mqtt://127.0.0.1:1883', 'ws://127.0.0.1:9001'])
  })

  test('docs/settings.md is what the table generates', () => {
    expect(readFileSync('docs/settings.md', 'utf8'), 'run npm run generate').toBe(referencePage())
  })

  test('the table of formats in README.md is what the adapters say', () => {
    const readme = readFileSync('README.md', 'utf8')
    expect(withFormats(readme), 'run npm run generate').toBe(readme)
  })

  test('the environment overrides, with units', () => {
    const settings = read({ TOCSIN_DATA_DIR: '/srv/t', TOCSIN_LOG_HOLD: '3d', TOCSIN_LOG_SEGMENT_BYTES: '16MiB' })
    expect(settings).toMatchObject({ data_dir: '/srv/t', 'log.hold': 259_200_000, 'log.segment_bytes': 16_777_216 })
  })

  test('every fault is said at once, with the nearest known key', () => {
    const wrong = { TOCSIN_DATA_DRI: 'x', TOCSIN_LOG_HOLD: '3', TOCSIN_INFLUX_VERSION: 'v9' }
    expect(() => read(wrong)).toThrow(/TOCSIN_DATA_DRI.*did you mean TOCSIN_DATA_DIR/)
    expect(() => read(wrong)).toThrow(/TOCSIN_LOG_HOLD: must be a time with its unit/)
    expect(() => read(wrong)).toThrow(/TOCSIN_INFLUX_VERSION: must be one of auto, v1, v2, v3/)
  })
})

describe('doors', () => {
  const faults = (environment: Record<string, string>): string => {
    try {
      refuseUnsafe({ settings: readSettings({ environment }), environment, now: 1_795_000_000_000_000_000n })
      return ''
    } catch (error) {
      return String(error)
    }
  }

  test('the defaults open none', () => expect(faults({})).toBe(''))

  test.each([
    [{ TOCSIN_MQTT_LISTEN: 'mqtt://0.0.0.0:1883' }, 'plain text'],
    [{ TOCSIN_MQTT_LISTEN: 'mqtts://[::]:8883' }, 'tls.certificate'],
    [{ TOCSIN_GRPC_LISTEN: '0.0.0.0:50051' }, 'tls.client_ca'],
    [{ TOCSIN_HTTP_LISTEN: '192.0.2.1:8080' }, 'http.listen'],
    [{ TOCSIN_MQTT_LISTEN: 'mqtts://127.0.0.1:8883' }, 'tls.certificate'],
  ])('%j is refused with the line to change', (environment, words) => expect(faults(environment)).toContain(words))

  test('an address that is none is named with its setting', () => {
    expect(() => parseAddress('localhost', 'grpc.listen')).toThrow(/grpc\.listen: "localhost"/)
    expect(parseAddress('[::1]:5', 'x')).toEqual({ scheme: '', address: '::1', port: 5 })
  })
})

test('only the right secret matches its hash, and an unknown name never does', async () => {
  const secret = Buffer.from('correct horse')
  const kept = await hashSecret(secret)
  expect(kept).not.toContain('correct')
  expect(await secretMatches(secret, kept)).toBe(true)
  expect(await secretMatches(Buffer.from('wrong'), kept)).toBe(false)
  expect(await secretMatches(secret, undefined)).toBe(false)
})

test('frames received are always as many as their fates', () => {
  const accounting = createAccounting()
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('stored', 'refused', 'ignored', 'not_taken', 'pending'), { maxLength: 50 }),
      (list) => {
        for (const fate of list) {
          accounting.receive('x')
          if (fate !== 'pending') accounting.settle('x', fate as 'stored')
        }
        const { received, pending, stored, duplicate, ignored, carried, refused, not_taken } = accounting.totals
        expect(stored + duplicate + ignored + carried + refused + not_taken + pending).toBe(received)
      },
    ),
  )
})
