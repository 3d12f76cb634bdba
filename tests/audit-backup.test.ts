// The audit in a backup: taken while it is written, restored whole, and going on with an entry that says so.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { findAnchors } from '../gateway/audit/find-anchors.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import { runWords } from '../gateway/cli/run-command.ts'
import type { AuditEntry } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { tempFolder } from './tools/temp-folder.ts'

function read(dataDir: string) {
  const anchors = findAnchors(dataDir)
  const list: AuditEntry[] = []
  const found = verifyAudit({ folder: join(dataDir, 'audit'), anchors, each: ({ entry }) => void list.push(entry) })
  return { ...found, list }
}

async function tocsin(...args: string[]): Promise<string> {
  let said = ''
  const say = (line: string): void => void (said += `${line}\n`)
  const terminal = { print: say, tell: say, paint: (_: unknown, text: string) => text, width: undefined, whenFull() {} }
  expect([args, await runWords(args, terminal), said]).toEqual([args, 0, expect.anything()])
  return said
}

test('a backup made while entries are written restores to a whole chain, which goes on behind an entry that says so', async () => {
  const gateway = await startGatewayProcess()
  let isOver = false
  const busy = (async () => {
    // Each under a path of its own kind, so that none is only counted.
    for (let time = 0; !isOver; time += 1) {
      await fetch(`${gateway.http}/v1/refusals/replay?dry_run=true`, { method: 'POST' })
    }
  })()
  const target = join(tempFolder('backup'), 'b')
  for (let time = 0; time < 3; time += 1) {
    await sleep(150)
    await tocsin('backup', target, '--data-dir', gateway.dataDir)
  }
  await sleep(100)
  isOver = true
  await busy
  await gateway.stop()
  const original = read(gateway.dataDir)
  expect(original.faults).toEqual([])

  const dataDir = join(tempFolder('restored'), 'data')
  await tocsin('restore', target, '--data-dir', dataDir)
  const copy = read(dataDir)
  expect(copy.faults).toEqual([])
  expect(copy.anchored.length).toBeGreaterThan(0)
  const last = copy.head.number
  expect(last).toBeGreaterThan(20)
  expect(last).toBeLessThan(original.head.number)
  expect(copy.list).toEqual(original.list.slice(0, last))

  await (await startGatewayProcess({ dataDir })).stop()
  const after = read(dataDir)
  expect(after.faults).toEqual([])
  const restored = after.list.slice(last)
  expect(restored.map(({ action }) => action)).toEqual(expect.arrayContaining(['restore', 'start', 'stop']))
  expect(after.restored).toHaveLength(1)
  expect(restored.find(({ action }) => action === 'restore')).toMatchObject({
    object: target,
    principal: expect.stringMatching(/^os:/),
  })
  // The backups are entries of the gateway that they were made of.
  expect(original.list.filter(({ action }) => action === 'backup')).toHaveLength(3)
  expect(toNumber(after.list.at(-1)?.number)).toBe(after.head.number)
}, 60_000)

test('holds are entries at the next start', async () => {
  const gateway = await startGatewayProcess()
  await gateway.stop()
  const { dataDir } = gateway
  const times = ['--from', '2026-11-20', '--to', '2026-11-23', '--reason', 'court order 4711']
  await tocsin('hold', 'add', 'case-4711', ...times, '--data-dir', dataDir)
  await tocsin('hold', 'release', 'case-4711', '--data-dir', dataDir)
  await (await startGatewayProcess({ dataDir })).stop()
  const { list } = read(dataDir)
  const holds = list.filter(({ action }) => action?.startsWith('hold_'))
  expect(holds).toMatchObject([
    {
      action: 'hold_add',
      object: 'case-4711',
      details: expect.arrayContaining([{ name: 'reason', value: 'court order 4711' }]),
    },
    { action: 'hold_release', object: 'case-4711' },
  ])
  expect(existsSync(join(dataDir, 'holds.json'))).toBe(true)
  expect(readFileSync(join(dataDir, 'holds.json'), 'utf8')).not.toContain('case-4711')
}, 60_000)
