// How long the audit takes to write and to verify, and whether whatever is done to it is found: 100,000 entries, then samples of them
// changed in one byte, taken out, and the end cut off there. `node bench/audit.ts [entries] [samples]`

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAlarms } from '../gateway/alarms.ts'
import type { Anchor, StateAnchor } from '../gateway/audit/anchors.ts'
import type { AuditNote } from '../gateway/audit/audit.ts'
import { entryAt, type Head } from '../gateway/audit/chain.ts'
import { createAudit } from '../gateway/audit/create-audit.ts'
import { auditFiles } from '../gateway/audit/files.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import { systemClock } from '../gateway/clock.ts'
import { type Disk, type DiskFile, nodeDisk } from '../gateway/log/disk.ts'
import { readWhole } from '../gateway/log/segment-file.ts'
import { SystemEventType } from '../proto/generated/types.ts'

const entries = Number(process.argv[2] ?? 100_000)
const samples = Number(process.argv[3] ?? 100)
const waves = 50

const dataDir = mkdtempSync(join(tmpdir(), 'tocsin-bench-audit-'))
try {
  const anchor = await write()
  const folder = join(dataDir, 'audit')
  const verified = Array.from({ length: 5 }, () => timed(() => verifyAudit({ folder, anchors: [anchor] })))
  const { bytes, faults, head } = verified[0]!.value
  if (faults.length > 0 || head.number !== entries) throw new Error(`not whole: ${faults[0]?.what}`)
  const ms = verified.map(({ cpuMs }) => cpuMs).toSorted((a, b) => a - b)
  print(
    `verify ${entries} entries, ${(bytes / 2 ** 20).toFixed(1)} MiB: ${ms[2]!.toFixed(0)} ms of CPU, ${ms[0]!.toFixed(0)} to ${ms[4]!.toFixed(0)}, n=5`,
  )
  sample(folder, anchor)
} finally {
  rmSync(dataDir, { recursive: true })
}

async function write(): Promise<Anchor> {
  let kept: Head = { number: 0, sha256: new Uint8Array() }
  const inMemory: StateAnchor = {
    get: () => undefined,
    set(head) {
      kept = head
      return Promise.resolve()
    },
  }
  const audit = createAudit({
    dataDir,
    clock: systemClock,
    alarms: createAlarms(systemClock, () => {}),
    site: { gateway: 'gateway.county-a.example', owner: 'em.county-a.example' },
    settings: { whenItFails: 'alarm', keepMs: Number.MAX_SAFE_INTEGER },
    anchor: inMemory,
  })
  const from = process.cpuUsage()
  for (let wave = 0; wave < waves; wave += 1) {
    const count = entries / waves
    await Promise.all(Array.from({ length: count }, (_, at) => audit.write(noteOf(wave * count + at))))
  }
  const { user, system } = process.cpuUsage(from)
  await audit.close()
  print(`write ${entries} entries: ${((user + system) / entries).toFixed(1)} µs of CPU each`)
  return { ...kept, from: 'the anchor' }
}

function noteOf(number: number): AuditNote {
  return {
    action: 'sign_in',
    type: SystemEventType.SIGNED_IN,
    outcome: 'done',
    principal: `mqtt:gauge-${number}`,
    address: `192.0.2.${number % 256}:${40_000 + (number % 20_000)}`,
    object: 'mqtts://192.0.2.1:8883',
    details: { client_id: `gauge-${number}`, protocol: 'MQTT 5.0' },
  }
}

/** Where something is done to an entry, and which of its bytes is changed, are chosen by the golden ratio: spread over all of it. */
function sample(folder: string, anchor: Anchor): void {
  const files = auditFiles(nodeDisk, folder)
  const contents = new Map(files.map(({ path }) => [path, readWhole(nodeDisk, path) ?? Buffer.alloc(0)]))
  const places = files.flatMap(({ path }) => {
    const bytes = contents.get(path)!
    const found: { path: string; from: number; to: number; number: number }[] = []
    for (let at = 0; ;) {
      const placed = entryAt(bytes, at)
      if (!placed) return found
      found.push({ path, from: at, to: placed.end, number: placed.number })
      at = placed.end
    }
  })
  const chosen = Array.from({ length: samples }, (_, at) => {
    const share = (at * 0.618_033_988_75) % 1
    return { place: places[Math.floor(share * places.length)]!, share: (share * 997) % 1 }
  })
  const without = (bytes: Buffer, from: number, to: number): Buffer =>
    Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  type Change = (bytes: Buffer, from: number, to: number, share: number) => Buffer
  const changes: Record<string, Change> = {
    'one byte changed': (bytes, from, to, share) => {
      const copy = Buffer.from(bytes)
      copy[from + Math.floor(share * (to - from))]! ^= 1 << Math.floor(share * 8)
      return copy
    },
    'one entry taken out': without,
    'the end cut off': (bytes, from, to, share) => bytes.subarray(0, from + Math.floor(share * (to - from))),
  }
  for (const [name, change] of Object.entries(changes)) {
    let found = 0
    let named = 0
    for (const { place, share } of chosen) {
      const { path, from, to, number } = place
      const cut = name === 'the end cut off'
      const kept = cut ? files.filter((file) => file.path <= path) : files
      const changed = change(contents.get(path)!, from, to, share)
      const disk = diskOf(
        new Map(kept.map((file) => [file.path, file.path === path ? changed : contents.get(file.path)!])),
      )
      const { faults } = verifyAudit({ folder, anchors: [anchor], disk })
      if (faults.length > 0) found += 1
      // A digest names two entries: the one that has it and the one that says it.
      if (faults[0] && Math.abs(faults[0].number - number) <= 1) named += 1
    }
    print(`${name}: ${found} of ${samples} found, ${named} at that entry`)
  }
}

/** Reading is all that verifying does. */
function diskOf(files: ReadonlyMap<string, Buffer>): Disk {
  return {
    ...nodeDisk,
    list: () => [...files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1)),
    open: (path) => {
      const bytes = files.get(path) ?? Buffer.alloc(0)
      return {
        size: () => bytes.length,
        read: (target: Uint8Array, position: number) => bytes.copy(target, 0, position, position + target.length),
        close() {},
      } as unknown as DiskFile
    },
  }
}

function timed<Value>(work: () => Value): { value: Value; cpuMs: number } {
  const from = process.cpuUsage()
  const value = work()
  const { user, system } = process.cpuUsage(from)
  return { value, cpuMs: (user + system) / 1_000 }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
