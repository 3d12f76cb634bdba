// What the log says of clients that are cut: enough to help each, and no flood.

import { expect, test } from 'vitest'

import { mqttEvents } from '../gateway/inputs/mqtt.ts'

function house() {
  const lines: { level: string; clientId: string }[] = []
  const say =
    (level: string) =>
    (fields: object): void =>
      void lines.push({ level, clientId: (fields as { clientId: string }).clientId })
  let now = 0n
  const told: string[] = []
  const alarms: string[] = []
  const events = mqttEvents(
    { settled: () => {}, cut: (clientId) => told.push(clientId) },
    { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    { now: () => now, monotonic: () => now },
    {
      raise: (code, about) => alarms.push(`${code} ${about}`),
      clear: (code, about) => alarms.push(`${code} ${about} is over`),
      list: () => [],
    },
  )
  return {
    told,
    alarms,
    events,
    warnings: () => lines.filter(({ level }) => level === 'warn').map(({ clientId }) => clientId),
    wait: (seconds: number) => (now += BigInt(seconds) * 1_000_000_000n),
    cut: (clientId: string) =>
      events({ kind: 'disconnected', clientId, principal: 'p', why: 'protocol', detail: 'DUP at QoS 0' }),
  }
}

test('a client that comes again and again with a broken packet is warned of once a minute, and told each time', () => {
  const { cut, warnings, told, wait } = house()
  for (let i = 0; i < 1_000; i++) cut('unit')
  expect(warnings()).toEqual(['unit'])
  expect(told).toHaveLength(1_000)
  wait(61)
  cut('unit')
  expect(warnings()).toEqual(['unit', 'unit'])
})

test('of a crowd of them a hundred are warned of in a minute', () => {
  const { cut, warnings } = house()
  for (let i = 0; i < 1_000; i++) cut(`unit ${i}`)
  expect(warnings()).toHaveLength(100)
})

test('a source that cannot be read is an alarm until it can', () => {
  const { events, alarms } = house()
  events({ kind: 'reading', source: 'urgent', failure: 'EIO: i/o error, read' })
  events({ kind: 'reading', source: 'urgent' })
  expect(alarms).toEqual(['output_stalled mqtt urgent', 'output_stalled mqtt urgent is over'])
})
