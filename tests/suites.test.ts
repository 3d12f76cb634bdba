// The tests of other MQTT projects, against a whole gateway. They are not part of this project: each suite runs where a setting names
// its folder; elsewhere it is skipped, and says so. That our runner tells a pass from a miss is shown on cases of our own.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { closeBrokers, startBroker } from './tools/broker.ts'
import { toolsPresent } from './tools/present.ts'
import { tempFolder } from './tools/temp-folder.ts'
import { explanations } from './suites/explained.ts'
import { absent, playSequences, suiteFolder } from './suites/main.ts'
import { runPaho } from './suites/paho.ts'
import { peers, type Peer } from './suites/peers.ts'
import { missesOf, openMissesOf, reportText } from './suites/report.ts'
import { packetBytes, readSequences } from './suites/sequences.ts'

const packets = suiteFolder('packets')
const paho = suiteFolder('paho')
const all = /(?:)/

describe('against a gateway', () => {
  let gateway: Peer
  beforeAll(async () => {
    if (packets !== undefined || paho !== undefined) gateway = await peers.tocsin()
  })
  afterAll(async () => gateway?.[Symbol.asyncDispose]())

  const packetsTitle = "mosquitto's packet cases of MQTT 3.1, 3.1.1 and 5 pass, but for those that are explained"
  test.skipIf(packets === undefined)(
    packets === undefined ? `${packetsTitle} (skipped: ${absent('packets')})` : packetsTitle,
    { timeout: 120_000 },
    async () => {
      const reports = await playSequences(packets!, gateway, { versions: [3, 4, 5], only: all })
      expect(reports.flatMap(({ outcomes }) => outcomes).length).toBeGreaterThan(1_800)
      expect(reports.flatMap(openMissesOf)).toEqual([])
      const misses = reports.flatMap(missesOf).map(({ name }) => name)
      // An explanation that explains nothing any more is taken out.
      const ofPackets = explanations.filter(({ suite }) => suite === 'packets')
      expect(ofPackets.filter(({ cases }) => !misses.some((name) => cases.test(name)))).toEqual([])
    },
  )

  const pahoTitle = "paho's interoperability tests of MQTT 3.1.1 all pass"
  const why = paho === undefined ? absent('paho') : "run 'npm run tools' first"
  const runs = paho !== undefined && toolsPresent
  test.skipIf(!runs)(runs ? pahoTitle : `${pahoTitle} (skipped: ${why})`, { timeout: 300_000 }, async () => {
    const { port, refusedFilter } = gateway
    const outcomes = await runPaho({ folder: paho!, port, refusedFilter })
    expect(outcomes).toHaveLength(11)
    expect(outcomes.filter(({ miss }) => miss !== undefined)).toEqual([])
  })
})

describe('the reader of packet sequences', () => {
  test.each([
    ["82 r6 m1234 s1 'p' 01", '820604d200017001'],
    ['C0 r0', 'c000'],
    ['10 v128 v268435455 v268435456', '108001ffffff7f8080808001'],
    ['i7 H258 k10 L16909060', '070102000a01020304'],
    ["30 'two words' FF00", '3074776f20776f726473ff00'],
    ['', ''],
  ])('makes bytes of %j', (words, hex) => expect(packetBytes(words, 'a case').toString('hex')).toBe(hex))

  test.each(['8', 'q1', "'open", 'i256', 'm65536', 'r', '30 xx'])(
    'names the case of %j, which is no packet',
    (words) => {
      expect(() => packetBytes(words, 'group and name')).toThrow(/group and name: .* is no part of a packet/)
    },
  )

  test('gives a case what its group says, unless it says otherwise itself', () => {
    const folder = written([
      { group: 'off', disable: true, tests: [{ name: 'never', msgs: [] }] },
      {
        group: 'g',
        ver: 5,
        connect: false,
        tests: [
          { name: 'a', msgs: [{ type: 'send', payload: 'C0 r0' }] },
          { name: 'b', ver: 3, connect: true, expect_disconnect: false, msgs: [] },
        ],
      },
      { group: 'h', tests: [{ name: 'c', msgs: [{ type: 'publish', topic: 't', qos: 1, payload: 'p' }] }] },
    ])
    expect(readSequences(folder)).toEqual([
      {
        name: 'g a',
        file: 'OURS.json',
        version: 5,
        connects: false,
        endsClosed: true,
        steps: [{ does: 'send', bytes: Buffer.of(0xc0, 0), about: '' }],
      },
      { name: 'g b', file: 'OURS.json', version: 3, connects: true, endsClosed: false, steps: [] },
      {
        name: 'h c',
        file: 'OURS.json',
        version: 4,
        connects: true,
        endsClosed: true,
        steps: [{ does: 'publish', topic: 't', qos: 1, retain: false, payload: 'p' }],
      },
    ])
  })

  test('says which file is of another form, and which folder has none', () => {
    expect(() => readSequences(written([{ group: 'g' }]))).toThrow(/OURS\.json is not of the form/)
    expect(() => readSequences(written([{ group: 'g', tests: [{ name: 'a', msgs: [{ type: 'dance' }] }] }]))).toThrow(
      /OURS\.json is not of the form/,
    )
    expect(() => readSequences(tempFolder('empty'))).toThrow(/no packet sequences in/)
  })
})

test('the runner passes what goes as the case says, and says of all else what came instead', async () => {
  const { port } = await startBroker()
  const subscribed = [
    { type: 'send', payload: "82 r6 m7 s1 'p' 00" },
    { type: 'recv', payload: '90 r3 m7 00', comment: 'SUBACK' },
  ]
  const folder = written([
    {
      group: 'ours',
      expect_disconnect: false,
      tests: [
        { name: 'answered', msgs: subscribed },
        { name: 'delivered', msgs: [...subscribed, ...[0, 1, 2].flatMap(delivery)] },
        { name: 'both ways', msgs: ['subscribe', 'unsubscribe'].map((type) => ({ type, topic: 'q', qos: 1 })) },
        { name: 'closed', expect_disconnect: true, msgs: [{ type: 'send', payload: 'C1 r0' }] },
        { name: 'older', ver: 3, msgs: subscribed },
        { name: 'newer', ver: 5, msgs: [{ type: 'subscribe', topic: 'q', qos: 1 }] },
        {
          name: 'other',
          msgs: [...subscribed.slice(0, 1), { type: 'recv', payload: '90 r3 m7 01', comment: 'SUBACK' }],
        },
        { name: 'silent', msgs: [{ type: 'recv', payload: '40 r2 m1' }] },
        { name: 'closing', msgs: [{ type: 'send', payload: 'C1 r0' }] },
        { name: 'open', expect_disconnect: true, msgs: [] },
        { name: 'talking', expect_disconnect: true, msgs: [{ type: 'send', payload: 'C0 r0' }] },
        {
          name: 'refused',
          connect: false,
          msgs: [
            { type: 'send', payload: "10 r6 s4 'MQTT'" },
            { type: 'recv', payload: '20 r2 00 00' },
          ],
        },
      ],
    },
  ])
  const reports = await playSequences(folder, { name: 'ours', port }, { versions: [3, 4, 5], only: all })
  await closeBrokers()
  expect(reports.map(({ outcomes }) => outcomes.length)).toEqual([1, 10, 1])
  expect(reports.flatMap(missesOf)).toEqual([
    { name: 'ours other', miss: 'SUBACK: expected 9003000701, got 9003000700' },
    { name: 'ours silent', miss: 'PUBACK, expected 40020001: no answer' },
    { name: 'ours closing', miss: 'answer to PINGREQ, expected d000: closed' },
    { name: 'ours open', miss: 'at the end: the connection is still open' },
    { name: 'ours talking', miss: 'at the end: expected a closed connection, got d000' },
    { name: 'ours refused', miss: 'CONNACK, expected 20020000: closed' },
  ])
  expect(reportText(reports[1]!)).toMatch(
    /^packet cases, MQTT 3\.1\.1 +ours +10 run, 4 passed\n {2}miss {2}ours other\n/,
  )
})

const delivery = (qos: number): unknown[] => [
  { type: 'external_publish', topic: 'p', qos, payload: 'm' },
  { type: 'recv', payload: "30 r4 s1 'p' 'm'" },
]

function written(groups: unknown): string {
  const folder = tempFolder('sequences')
  writeFileSync(join(folder, 'OURS.json'), JSON.stringify(groups))
  return folder
}
