// A disk in memory that behaves as badly as real ones may: at a loss of power it keeps of what was not synced some sectors and
// not others, forgets new names, fails calls, writes less than it was asked to, fills up, and flips bits. Everything comes from
// one seed.

import { dirname } from 'node:path'
import type { Disk, DiskFile, OpenMode } from '../../gateway/log/disk.ts'

export interface FaultDisk extends Disk {
  /** Calls so far. */
  readonly calls: number
  /** From this call on the power is gone: every call fails until `restart`. */
  losePowerAt: number
  /** Reading goes on without power: for who ends with it, but not in the middle of a call. */
  readsWithoutPower: boolean
  /** Called before each call that changes something: what it returns is thrown. */
  fault: ((call: Call, path: string) => Error | undefined) | undefined
  /** Share of writes that write only a part. */
  shortWrites: number
  capacityBytes: number
  /** What is on the medium after a loss of power becomes what is seen. */
  restart(): void
  files(): readonly string[]
  bytesOf(path: string): Buffer
  flipBit(path: string, bit: number): void
}

export type Call = 'create' | 'write' | 'sync' | 'syncFolder' | 'rename' | 'unlink' | 'truncate'

export type Random = () => number

/** mulberry32: 32 bits of state, plenty for choosing faults. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export const diskError = (code: string): Error => Object.assign(new Error(`${code} by the fault disk`), { code })

interface Inode {
  /** As programs see it. */
  seen: Buffer
  /** As the medium has it. */
  kept: Buffer
  /** Sectors that were written since the last sync. */
  dirty: Set<number>
}

interface NameChange {
  readonly folder: string
  apply(names: Map<string, Inode>): void
}

const sectorBytes = 512

export function createFaultDisk(random: Random): FaultDisk {
  let seen = new Map<string, Inode>()
  let kept = new Map<string, Inode>()
  // In the order of a journal: what is kept of them at a loss of power is a beginning.
  let changes: NameChange[] = []
  let life = 0
  let calls = 0

  function enter(call: Call | undefined, path: string): void {
    calls += 1
    if (calls >= disk.losePowerAt && (call || !disk.readsWithoutPower)) throw diskError('EIO')
    const error = call && disk.fault?.(call, path)
    if (error) throw error
  }

  function change(folder: string, apply: NameChange['apply']): void {
    apply(seen)
    changes.push({ folder, apply })
  }

  const usedBytes = (): number => [...seen.values()].reduce((sum, inode) => sum + inode.seen.length, 0)

  function inodeOf(path: string): Inode {
    const inode = seen.get(path)
    if (!inode) throw diskError('ENOENT')
    return inode
  }

  function openInode(path: string, mode: OpenMode): Inode {
    if (mode !== 'create') return inodeOf(path)
    if (seen.has(path)) throw diskError('EEXIST')
    const inode: Inode = { seen: Buffer.alloc(0), kept: Buffer.alloc(0), dirty: new Set() }
    change(dirname(path), (names) => void names.set(path, inode))
    return inode
  }

  function fileOf(inode: Inode, path: string): DiskFile {
    const born = life
    const alive = (call?: Call): void => {
      if (born !== life) throw diskError('EIO')
      enter(call, path)
    }
    function syncNow(): void {
      try {
        alive('sync')
      } catch (error) {
        // As Linux does: what could not be written is dropped, and the next sync says that all is well.
        if (calls < disk.losePowerAt) inode.dirty.clear()
        throw error
      }
      keep(inode, () => true)
    }
    return {
      size: () => inode.seen.length,
      read(target, position) {
        alive()
        return inode.seen.copy(target, 0, position, position + target.length)
      },
      write(source, position) {
        alive('write')
        let count = source.length
        if (random() < disk.shortWrites && count > 1) count = 1 + Math.floor(random() * (count - 1))
        const more = position + count - inode.seen.length
        const free = disk.capacityBytes - usedBytes()
        if (more > free) count = Math.min(count, Math.max(0, inode.seen.length + free - position))
        if (count <= 0) throw diskError('ENOSPC')
        write(inode, source.subarray(0, count), position)
        return count
      },
      async sync() {
        await new Promise((resolve) => setImmediate(resolve))
        syncNow()
      },
      syncNow,
      truncate(length) {
        alive('truncate')
        const larger = Buffer.alloc(length)
        inode.seen.copy(larger, 0, 0, length)
        inode.seen = larger
      },
      close() {},
    }
  }

  const disk: FaultDisk = {
    get calls() {
      return calls
    },
    losePowerAt: Infinity,
    readsWithoutPower: false,
    fault: undefined,
    shortWrites: 0,
    capacityBytes: Infinity,
    makeFolder: () => enter(undefined, ''),
    list(path) {
      enter(undefined, path)
      const inside = [...seen.keys()].filter((name) => name.startsWith(`${path}/`))
      return [...new Set(inside.map((name) => name.slice(path.length + 1).split('/')[0]!))]
    },
    open(path, mode) {
      enter(mode === 'create' ? 'create' : undefined, path)
      return fileOf(openInode(path, mode), path)
    },
    rename(from, to) {
      enter('rename', from)
      const inode = inodeOf(from)
      change(dirname(to), (names) => {
        names.delete(from)
        names.set(to, inode)
      })
    },
    unlink(path) {
      enter('unlink', path)
      inodeOf(path)
      change(dirname(path), (names) => void names.delete(path))
    },
    syncFolder(path) {
      enter('syncFolder', path)
      // A journal writes what came before as well.
      const last = changes.findLastIndex(({ folder }) => folder === path)
      for (const one of changes.splice(0, last + 1)) one.apply(kept)
    },
    freeBytes: () => Math.max(0, disk.capacityBytes - usedBytes()),
    restart() {
      life += 1
      disk.losePowerAt = Infinity
      const count = Math.floor(random() * (changes.length + 1))
      for (const one of changes.slice(0, count)) one.apply(kept)
      changes = []
      for (const inode of new Set(kept.values())) {
        const share = random() < 0.3 ? 0 : random()
        keep(inode, () => random() < share)
        inode.seen = Buffer.from(inode.kept)
      }
      seen = new Map(kept)
    },
    files: () => [...seen.keys()].toSorted(),
    bytesOf: (path) => inodeOf(path).seen,
    flipBit(path, bit) {
      const inode = inodeOf(path)
      for (const bytes of new Set([inode.seen, inode.kept])) {
        if (bit >> 3 < bytes.length) bytes[bit >> 3]! ^= 1 << (bit & 7)
      }
    },
  }

  /** Puts those of the unsynced sectors on the medium, and perhaps the new size. */
  function keep(inode: Inode, isKept: () => boolean): void {
    const size = isKept() ? inode.seen.length : Math.min(inode.kept.length, inode.seen.length)
    const next = Buffer.alloc(size)
    inode.kept.copy(next)
    for (const sector of inode.dirty) {
      if (!isKept()) continue
      const start = sector * sectorBytes
      if (start < size) inode.seen.copy(next, start, start, Math.min(start + sectorBytes, size))
    }
    inode.kept = next
    inode.dirty.clear()
  }
  return disk
}

function write(inode: Inode, source: Uint8Array, position: number): void {
  const end = position + source.length
  if (end > inode.seen.length) inode.seen = Buffer.concat([inode.seen, Buffer.alloc(end - inode.seen.length)])
  inode.seen.set(source, position)
  for (let sector = Math.floor(position / sectorBytes); sector * sectorBytes < end; sector++) inode.dirty.add(sector)
}
