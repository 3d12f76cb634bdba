// A small part of `npm run attacks` for every day: the attacks that are over in seconds, dispatch at work beside each.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attacks } from './attacks/attacks.ts'
import { survive } from './attacks/run.ts'

const everyDay = new Set(['rapid-reset', 'continuation', 'oversize', 'bypass', 'takeover'])

test.each(attacks.filter(({ name }) => everyDay.has(name)))('$name: $about', { timeout: 120_000 }, async (attack) => {
  const { faults, text, during } = await survive(attack, 'test')
  process.stdout.write(`${attack.name}: ${text}; dispatch at most ${during.maxMs.toFixed(0)} ms\n`)
  // How late a small machine is under everything else that runs says nothing of the gateway.
  expect(faults.filter((fault) => !fault.startsWith('an alert took'))).toEqual([])
})

test('every attack that is written is on the list', () => {
  const folder = join(import.meta.dirname, 'attacks')
  const written = readdirSync(folder).flatMap((file) =>
    [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/^export const \w+: Attack = \{\n {2}name: '([\w-]+)'/gm),
    ].map(([, name]) => name),
  )
  expect(written.toSorted()).toEqual(attacks.map(({ name }) => name).toSorted())
})
