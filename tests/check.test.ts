// `tocsin check`: what a mapping makes of a sample, readable, with the paths that it leaves out and an exit code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { check } from '../gateway/cli/check.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

const tank = `
mappings:
  - name: tank
    topics: [plant/+/state]
    device: =$topic[1]
    time: { path: ts, format: unix_s }
    measurements:
      - { quantity: water_level, value: level.cm, unit: cm, required: true }
    device_status: { battery_fraction: bat / 100 }
`

function run(mapping: string, sample: string, topic?: string): { code: number; out: string; err: string } {
  const [mappingFile, sampleFile] = [join(folder, 'mapping.yaml'), join(folder, 'sample.json')]
  writeFileSync(mappingFile, mapping)
  writeFileSync(sampleFile, sample)
  const [out, err]: [string[], string[]] = [[], []]
  const options = { mapping: mappingFile, sample: sampleFile, topic }
  const code = check(
    options,
    { write: (text) => out.push(text) },
    { write: (text) => err.push(text) },
    1_795_348_800_000_000_000n,
  )
  const clean = (texts: string[]): string => texts.join('').replaceAll(`${folder}/`, '')
  return { code, out: clean(out), err: clean(err) }
}

test('shows each event, and what was not mapped', () => {
  const { code, out } = run(
    tank,
    '{"ts":1795348740,"level":{"cm":142.50,"raw":17},"bat":87,"meta":{"a-b":1}}',
    'plant/tank-7/state',
  )
  expect(out).toBe(
    [
      'tank-7  OBSERVATION  2026-11-22T11:59:00Z',
      '  water_level  1.425 m  source 142.50 cm',
      'tank-7  DEVICE_STATUS  2026-11-22T11:59:00Z',
      '  battery_fraction  0.87',
      'not mapped: level.raw, meta.`a-b`',
      '2 events',
      '',
    ].join('\n'),
  )
  expect(code).toBe(0)
})

test('a sample that is refused says where, and what a gateway would do', () => {
  const { code, err } = run(tank, '{"ts":1795348740}', 'plant/tank-7/state')
  expect(err).toContain('sample.json: refused: tank.measurements[0].value: is required and absent\n')
  expect(err).toContain('quarantine')
  expect(code).toBe(1)
})

test('a topic that no mapping covers is named with what to do', () => {
  const { code, err } = run(tank, '{"level":{"cm":1}}')
  expect(err).toContain('no mapping for this topic\nThe topic was taken to be tocsin/in/json/sample; say --topic')
  expect(code).toBe(1)
})

test('a mapping may stand alone in its file', () => {
  const { code, out } = run('name: a\nmeasurements: [{ quantity: level, value: v }]', '{"v": 2}')
  expect(out).toBe('device of the topic  OBSERVATION  at its reception\n  level  2\n1 event\n')
  expect(code).toBe(0)
})

test.each([
  [
    'a misspelt key',
    'name: a\nmeasurments: []',
    'mapping.yaml: mappings[0]: unknown key "measurments"; did you mean "measurements"?',
  ],
  ['broken YAML', 'name: [a\nb', 'mapping.yaml: Flow sequence in block collection'],
])('%s ends with code 2', (_, mapping, said) => {
  const { code, err } = run(mapping, '{}')
  expect(err).toContain(said)
  expect(code).toBe(2)
})

test('a file that is not there ends with code 2', () => {
  const err: string[] = []
  const code = check(
    { mapping: join(folder, 'none.yaml'), sample: 'x' },
    { write: () => 0 },
    { write: (text) => err.push(text) },
    0n,
  )
  expect(err.join('')).toContain('there is no such file')
  expect(code).toBe(2)
})
