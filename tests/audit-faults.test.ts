// The audit when things go wrong: power lost, disks that are full or fail, damage found at a start, entries that are old, floods.

import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createRepeats } from '../gateway/audit/repeats.ts'
import type { AuditNote } from '../gateway/audit/audit.ts'
import { entryAt } from '../gateway/audit/chain.ts'
import type { Clock } from '../gateway/clock.ts'
import { readSettings } from '../gateway/settings.ts'
import { GatewayError } from '../proto/errors.ts'
import { timestampNs } from '../proto/time.ts'
import { createFaultDisk, diskError, seededRandom } from './faults/fault-disk.ts'
import { filesOf, memoryAnchor, noteOf, numbersIn, openAudit, placesOf, verifyFolder } from './tools/audit-house.ts'
import { tempFolder } from './tools/temp-folder.ts'

const settings = { whenItFails: 'alarm', keepMs: 1e12, fileBytes: 4_000 } as const
const entriesOf = (dataDir: string) =>
  filesOf(dataDir).flatMap((path) => {
    const bytes = readFileSync(path)
    return placesOf(bytes).map(({ from }) => entryAt(bytes, from)!.entry)
  })

describe('a loss of power at any call', () => {
  test('takes nothing that was told to be written, and the chain goes on whole', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seededRandom(seed)
      const disk = createFaultDisk(random)
      const anchor = memoryAnchor()
      let told = 0
      for (let life = 0; life < 4; life += 1) {
        const house = openAudit('/d', { disk, anchor, settings })
        disk.shortWrites = 0.2
        disk.losePowerAt = disk.calls + 2 + Math.floor(random() * 40)
        for (let number = 0; number < 30; number += 1) {
          const written = house.audit.write(noteOf(number)).then(
            () => (told = Math.max(told, house.audit.head.number)),
            () => {},
          )
          if (random() < 0.5) await written
        }
        await house.audit.close().catch(() => {})
        disk.restart()
        disk.shortWrites = 0
      }
      const last = openAudit('/d', { disk, anchor, settings })
      await last.audit.write(noteOf(0))
      await last.audit.close()
      const found = verifyFolder('/d', anchor.head, disk)
      expect([seed, found.faults]).toEqual([seed, []])
      expect(found.head.number).toBeGreaterThan(told)
      expect(last.alarms.list()).toEqual([])
    }
  })
})

describe('while the disk refuses', () => {
  test.each([
    ['full', 'ENOSPC', 'the disk is full'],
    ['failing', 'EIO', 'EIO by the fault disk'],
  ])('%s: an alarm is on, entries wait, and all of them are written when it takes them again', async (_, code, why) => {
    const disk = createFaultDisk(seededRandom(1))
    const { audit, alarms, verify } = openAudit('/d', { disk, settings })
    await audit.write(noteOf(1))
    disk.fault = (call) => (call === 'write' ? diskError(code) : undefined)
    await expect(audit.write(noteOf(2))).rejects.toThrow(/cannot be written to the audit now/)
    audit.note(noteOf(3))
    expect(alarms.list()).toMatchObject([{ code: 'audit_failed', text: expect.stringContaining(why) }])
    expect(() => audit.refuseUnwritten()).not.toThrow()
    expect(audit.head.number).toBe(1)
    disk.fault = undefined
    await sleep(1_200)
    expect(alarms.list()).toEqual([])
    await audit.close()
    const found = verify()
    // Three that were noted, and one that says that writing was interrupted.
    expect(found).toMatchObject({ entries: 4, faults: [] })
    expect(audit.counts()).toMatchObject({ entries: 4, lost: 0 })
  })

  test('a sync that fails is not believed: the commit is written again', async () => {
    const disk = createFaultDisk(seededRandom(2))
    const { audit, verify, anchor } = openAudit('/d', { disk, settings })
    let failures = 1
    disk.fault = (call) => (call === 'sync' && failures-- > 0 ? diskError('EIO') : undefined)
    await expect(audit.write(noteOf(1))).rejects.toThrow(GatewayError)
    await sleep(1_200)
    await audit.close()
    disk.restart()
    expect(verify()).toMatchObject({ entries: 2, faults: [] })
    expect(anchor.head?.number).toBe(2)
  })

  test('an anchor that cannot be told holds back the answer, and nothing is written twice', async () => {
    const dataDir = tempFolder('audit')
    const anchor = memoryAnchor()
    const { set } = anchor
    anchor.set = () => Promise.reject(new Error('state.sqlite is read-only'))
    const { audit, verify } = openAudit(dataDir, { anchor, settings })
    await expect(audit.write(noteOf(1))).rejects.toThrow(GatewayError)
    anchor.set = set
    await sleep(1_200)
    await audit.close()
    expect(verify()).toMatchObject({ entries: 2, faults: [] })
  })

  test('close_doors: what needs the audit is refused with what to do, until it can be written', async () => {
    const disk = createFaultDisk(seededRandom(3))
    const { audit } = openAudit('/d', { disk, settings: { ...settings, whenItFails: 'close_doors' } })
    audit.refuseUnwritten()
    disk.fault = (call) => (call === 'create' ? diskError('ENOSPC') : undefined)
    await audit.write(noteOf(1)).catch(() => {})
    expect(() => audit.refuseUnwritten()).toThrow(/audit\.when_it_fails/)
    disk.fault = undefined
    await sleep(1_200)
    audit.refuseUnwritten()
    await audit.close()
  })

  test('that it fails is an entry as well, noted in the middle of failing, and nothing is written twice for it', async () => {
    for (const call of ['write', 'sync', 'create'] as const) {
      const disk = createFaultDisk(seededRandom(5))
      const { audit, verify, alarms } = openAudit('/d', { disk, settings, notesAlarms: true })
      disk.fault = (each) => (each === call ? diskError('EIO') : undefined)
      await audit.write(noteOf(1)).catch(() => {})
      await sleep(1_100)
      disk.fault = undefined
      await sleep(2_200)
      expect(alarms.list()).toEqual([])
      await audit.close()
      // The note, that the alarm was raised and cleared, and that writing was interrupted.
      expect([call, verify()]).toMatchObject([call, { entries: 4, faults: [] }])
    }
  }, 30_000)

  test('what finds no room in memory is counted, and an entry says how many were lost', async () => {
    const disk = createFaultDisk(seededRandom(4))
    const { audit, verify } = openAudit('/d', { disk, settings: { ...settings, fileBytes: 1 << 24 } })
    disk.fault = (call) => (call === 'write' ? diskError('EIO') : undefined)
    await audit.write(noteOf(0)).catch(() => {})
    for (let number = 1; number <= 10_500; number += 1) audit.note(noteOf(number))
    expect(audit.counts().lost).toBe(500)
    disk.fault = undefined
    await sleep(1_500)
    await audit.close()
    let resumed = ''
    const found = verify()
    expect(found.faults).toEqual([])
    expect(found.entries).toBe(1 + 10_000 + 1)
    const bytes = disk.bytesOf(disk.files().find((path) => path.endsWith('.audit'))!)
    for (const { from } of placesOf(bytes)) {
      const { action, text } = entryAt(bytes, from)!.entry
      if (action === 'audit_resumed') resumed = text ?? ''
    }
    expect(resumed).toContain('500 entries')
  }, 30_000)
})

describe('at a start', () => {
  async function written(count: number) {
    const dataDir = tempFolder('audit')
    const house = openAudit(dataDir, { settings })
    for (let number = 1; number <= count; number += 1) await house.audit.write(noteOf(number))
    await house.audit.close()
    return { dataDir, anchor: house.anchor }
  }

  test('a torn end is cut off, kept beside the file, and is an entry itself', async () => {
    const { dataDir, anchor } = await written(20)
    const last = filesOf(dataDir).at(-1)!
    writeFileSync(last, readFileSync(last).subarray(0, 100), { flag: 'a' })
    expect(verifyFolder(dataDir, anchor.head)).toMatchObject({ faults: [], unfinishedBytes: 100 })
    const { audit, alarms } = openAudit(dataDir, { anchor, settings })
    await audit.close()
    expect(alarms.list()).toEqual([])
    expect(entriesOf(dataDir).at(-1)).toMatchObject({ action: 'audit_repaired' })
    expect(readFileSync(`${last}.torn-1`)).toHaveLength(100)
    expect(verifyFolder(dataDir, anchor.head)).toMatchObject({ entries: 21, faults: [] })
  })

  test('an end that somebody cut off is an alarm and an entry, and is found for ever', async () => {
    const { dataDir, anchor } = await written(40)
    const last = filesOf(dataDir).at(-1)!
    const { from, number } = placesOf(readFileSync(last))[0]!
    truncateSync(last, from)
    const { audit, alarms } = openAudit(dataDir, { anchor, settings })
    expect(alarms.list()).toMatchObject([{ code: 'audit_damaged', text: expect.stringContaining('40') }])
    await audit.write(noteOf(1))
    await audit.close()
    const { faults, head } = verifyFolder(dataDir, anchor.head)
    expect(faults[0]?.number).toBe(number)
    expect(faults.some(({ what }) => what.includes('a start of the gateway found'))).toBe(true)
    expect(head.number).toBe(42)
  })

  test('a byte changed in the file that is written on is never cut away as if it were torn', async () => {
    const { dataDir, anchor } = await written(40)
    const last = filesOf(dataDir).at(-1)!
    const bytes = readFileSync(last)
    const { from, to } = placesOf(bytes)[0]!
    bytes[(from + to) >> 1]! ^= 1
    writeFileSync(last, bytes)
    const { audit, alarms } = openAudit(dataDir, { anchor, settings })
    await audit.close()
    expect(alarms.list()).toMatchObject([{ code: 'audit_damaged' }])
    expect(readFileSync(last)).toEqual(bytes)
    expect(verifyFolder(dataDir, anchor.head).faults.length).toBeGreaterThan(0)
  })

  test('with nothing outside that says where the end was, an entry says so', async () => {
    const { dataDir } = await written(10)
    const { audit } = openAudit(dataDir, { settings })
    await audit.close()
    expect(entriesOf(dataDir).at(-1)).toMatchObject({ action: 'audit_unanchored' })
  })

  test('with all files gone it goes on after the last number that was anchored', async () => {
    const { dataDir, anchor } = await written(10)
    for (const path of filesOf(dataDir)) rmSync(path)
    const { audit } = openAudit(dataDir, { anchor, settings })
    await audit.close()
    expect(numbersIn(dataDir)).toEqual([11])
    expect(verifyFolder(dataDir, anchor.head).faults[0]).toMatchObject({ number: 1 })
  })
})

describe('retention', () => {
  test('below a year is refused with what may stand there', () => {
    const read = (keep: string) => readSettings({ environment: { TOCSIN_AUDIT_KEEP: keep } })
    expect(read('366d')['audit.keep']).toBe(366 * 86_400_000)
    expect(() => read('365d')).toThrow(/TOCSIN_AUDIT_KEEP: must be at least 366d/)
  })

  test('of three years keeps every entry of them, removes older files, and what went is no fault', async () => {
    const dataDir = tempFolder('audit')
    const dayNs = 86_400_000_000_000n
    let now = 1_700_000_000_000_000_000n
    const clock: Clock = { now: () => now, monotonic: () => now }
    const keepMs = 3 * 365 * 86_400_000
    const house = openAudit(dataDir, { clock, settings: { ...settings, keepMs } })
    for (let day = 0; day < 4 * 365; day += 1) {
      now += dayNs
      await house.audit.write(noteOf(day))
      await house.audit.retain()
    }
    await house.audit.close()
    const kept = entriesOf(dataDir)
    const ages = kept.map(({ at }) => (now - timestampNs(at)!) / dayNs)
    expect(kept.filter(({ action }) => action === 'sign_in').length).toBeGreaterThanOrEqual(3 * 365)
    // A file of 4,000 bytes holds about three weeks of this.
    expect(Number(ages[0])).toBeLessThan(3 * 365 + 30)
    expect(kept.some(({ action }) => action === 'audit_removed')).toBe(true)
    const found = house.verify()
    expect(found.faults).toEqual([])
    expect(found.first).toBeGreaterThan(300)
    // What somebody takes away at the front is not explained by it.
    rmSync(filesOf(dataDir)[0]!)
    expect(house.verify().faults[0]).toMatchObject({ number: 1, what: expect.stringContaining('no entry says') })
  }, 60_000)
})

test('entries of many at once are written once each, in one unbroken chain', async () => {
  const dataDir = tempFolder('audit')
  const { audit, verify } = openAudit(dataDir, { settings: { ...settings, fileBytes: 100_000 } })
  await Promise.all(
    Array.from({ length: 50 }, async (_, who) => {
      for (let one = 0; one < 40; one += 1) await audit.write({ ...noteOf(who), object: `${who}/${one}` })
    }),
  )
  await audit.close()
  expect(verify()).toMatchObject({ entries: 2_000, faults: [] })
  expect(new Set(entriesOf(dataDir).map(({ object }) => object)).size).toBe(2_000)
  expect(existsSync(filesOf(dataDir)[0]!)).toBe(true)
}, 30_000)

test('a flood of the same is the first of it and one entry with a count, and names nobody invents make it more', () => {
  const notes: AuditNote[] = []
  let now = 0n
  const repeats = createRepeats({
    clock: { now: () => now, monotonic: () => now },
    write: (note) => void notes.push(note),
  })
  for (let time = 0; time < 5_000; time += 1) {
    now = BigInt(time) * 1_000_000n
    repeats.note('refused 192.0.2.7', { ...noteOf(7), outcome: 'denied' })
  }
  expect(notes).toHaveLength(1)
  repeats.flush()
  expect(notes[1]).toMatchObject({ count: 4_999, since: 1_000_000n, outcome: 'denied' })
  for (let name = 0; name < 50_000; name += 1) repeats.note(`refused ${name}`, { ...noteOf(7), outcome: 'denied' })
  repeats.close()
  expect(notes).toHaveLength(2 + 20_000 + 1)
  expect(notes.at(-1)).toMatchObject({ count: 30_000, text: expect.stringContaining('others') })
  expect(notes.at(-1)).not.toHaveProperty('principal')
})
