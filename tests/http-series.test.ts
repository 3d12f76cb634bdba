// Series of values over HTTP, from the store of a real gateway.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'

/** The begin of a window of five minutes, an hour or two ago. */
const windowS = Math.floor(Date.now() / 1_000 / 3_600) * 3_600 - 3_600
const at = (seconds: number): string => new Date((windowS + seconds) * 1_000).toISOString().replace('.000Z', 'Z')
const range = `from=${at(0)}&to=${at(3_600)}`

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'sqlite' } })
  const readings = [
    ['gauge-1', 0, 2],
    ['gauge-1', 60, 4],
    ['gauge-1', 300, 7.5],
    ['gauge-2', 0, -1.25],
  ] as const
  for (const [device, seconds, v] of readings) {
    const body = JSON.stringify([{ n: 'water-level', u: 'm', v, t: windowS + seconds }])
    const headers = { 'content-type': 'application/senml+json' }
    // oxlint-disable-next-line no-await-in-loop -- in their order
    const { status } = await fetch(`${gateway.http}/v1/ingest/senml/${device}`, { method: 'POST', body, headers })
    expect(status).toBe(201)
  }
  // The store follows the log.
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    // oxlint-disable-next-line no-await-in-loop -- one question at a time
    if (JSON.stringify(await json('/v1/series')).includes('gauge-2')) break
    await sleep(50)
  }
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

const get = (path: string, accept = 'application/json') => fetch(gateway.http + path, { headers: { accept } })
const json = async (path: string): Promise<unknown> => (await get(path)).json()

test('the list says which series there are, by pages', async () => {
  const series = (device: string, lastAt: number) => ({
    quantity: 'water_level',
    device,
    unit: 'm',
    subject: `device:local/${device}`,
    jurisdiction: 'local',
    deviceClass: expect.any(String),
    status: 'actual',
    firstAt: at(0),
    lastAt: at(lastAt),
  })
  const first = (await json('/v1/series?quantity=water_level&limit=1')) as { series: unknown; nextPage: string }
  expect(first.series).toEqual([series('gauge-1', 300)])
  expect(await json(`/v1/series?quantity=water_level&limit=1&page=${first.nextPage}`)).toEqual({
    series: [series('gauge-2', 0)],
  })
})

test('values come as they were measured, or one for each window', async () => {
  expect(await json(`/v1/series/water_level?device=gauge-1&${range}`)).toMatchObject({
    series: [
      {
        device: 'gauge-1',
        points: [
          { at: at(0), value: 2 },
          { at: at(60), value: 4 },
          { at: at(300), value: 7.5 },
        ],
      },
    ],
  })
  const windows = await json(`/v1/series/water_level?device=gauge-1&${range}&window=5m&aggregate=mean`)
  expect(windows).toMatchObject({
    series: [
      {
        points: [
          { at: at(0), value: 3, count: 2 },
          { at: at(300), value: 7.5, count: 1 },
        ],
      },
    ],
  })
})

test('values come as a table too, and a cut one says so', async () => {
  const answer = await get(`/v1/series/water_level?${range}&points=2`, 'text/csv')
  expect([answer.headers.get('content-type'), answer.headers.get('x-truncated')]).toEqual([
    'text/csv; charset=utf-8; header=present',
    'true',
  ])
  const rows = (await answer.text()).split('\r\n').map((row) => row.split(',').slice(0, 7))
  expect(rows).toEqual([
    ['at', 'device', 'index', 'quantity', 'unit', 'status', 'value'],
    [at(0), 'gauge-1', '', 'water_level', 'm', 'actual', '2'],
    [at(60), 'gauge-1', '', 'water_level', 'm', 'actual', '4'],
    [at(0), 'gauge-2', '', 'water_level', 'm', 'actual', '-1.25'],
    [''],
  ])
})

test.each([
  ['window=0s', 'at least 1 s'],
  ['aggregate=mean', 'aggregate needs window'],
  ['window=5', 'window must be a time span such as'],
  ['from=1h&to=2h', 'to lies before from'],
])('%s is refused with what is wrong', async (query, words) => {
  const answer = await get(`/v1/series/water_level?${query}`)
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { error: 'invalid_argument', message: expect.stringContaining(words) },
  ])
})

test('without a store the answer says which setting is missing', async () => {
  const without = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'off' } })
  try {
    const answer = await fetch(`${without.http}/v1/series`)
    expect([answer.status, await answer.json()]).toEqual([
      501,
      { error: 'not_set_up', message: expect.stringContaining('telemetry.store') },
    ])
  } finally {
    await without.stop()
  }
}, 30_000)
