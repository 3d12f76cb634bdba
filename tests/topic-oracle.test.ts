// The oracle that judges permissions says what the standard says, and can say "leak".

import { expect, test } from 'vitest'
import { filterCovers, topicMatches } from '../gateway/policy/topic-filters.ts'
import { seededRandom } from './faults/fault-disk.ts'
import { createTopicOracle } from './faults/topic-oracle.ts'

const oracle = createTopicOracle()

// MQTT 3.1.1 §4.7.1.2, §4.7.1.3 and §4.7.2, their own examples in other words.
test.each([
  ['a/#', 'a', true],
  ['a/#', 'a/b/other', true],
  ['#', 'a/b', true],
  ['+', 'a', true],
  ['+', '/a', false],
  ['/+', '/a', true],
  ['+/+', '/a', true],
  ['a/+', 'a/', true],
  ['a/+', 'a', false],
  ['#', '$SYS/a', false],
  ['+/a', '$SYS/a', false],
  ['$SYS/#', '$SYS/a/b', true],
  ['a.b', 'a/b', false],
])('%s matches %s: %s', (filter, topic, is) => expect(oracle.matches(filter, topic)).toBe(is))

test('says which topic a filter reaches beyond what is allowed', () => {
  expect(oracle.beyond('a/b', ['a/#'])).toBeUndefined()
  expect(oracle.beyond('a/#', ['a/+'])).toBe('a')
  expect(oracle.beyond('a/+', ['a/a', 'a/b', 'a/'])).toBe('a/other')
  expect(oracle.beyond('+/a', ['#'])).toBeUndefined()
  expect(oracle.beyond('$SYS/#', ['#'])).toBe('$SYS')
})

test('agrees with the gateway about 20,000 pairs of filters and what they match', () => {
  const random = seededRandom(Number(process.env['TOCSIN_SEED'] ?? 1))
  let covered = 0
  for (let i = 0; i < 20_000; i++) {
    const [outer, inner] = [oracle.drawFilter(random), oracle.drawFilter(random)]
    const topic = oracle.world[Math.floor(random() * oracle.world.length)]!
    expect(topicMatches(outer, topic), `${outer} ${topic}`).toBe(oracle.matches(outer, topic))
    // Containment may be told too narrowly, never too widely.
    if (!filterCovers(outer, inner)) continue
    covered += 1
    expect(oracle.beyond(inner, [outer]), `${outer} covers ${inner}`).toBeUndefined()
  }
  expect(covered).toBeGreaterThan(1_000)
})
