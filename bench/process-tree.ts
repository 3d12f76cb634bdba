// CPU time and memory of a process with all its threads and children, as the kernel accounts for them (proc(5)). CPU time says what a
// server costs even when other programs keep the machine busy.

import { readdirSync, readFileSync } from 'node:fs'

export interface TreeUsage {
  readonly cpuMicros: number
  readonly residentBytes: number
}

/** Of `/proc/<pid>/stat`; on every Linux that Node runs on a tick is a hundredth of a second. */
const ticksPerSecond = 100
const pageBytes = 4096

interface Stat {
  readonly parent: number
  readonly ticks: number
  readonly pages: number
}

/** Throws when the process is not there. */
export function treeUsage(pid: number): TreeUsage {
  const stats = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const each = Number(name)
    const stat = Number.isInteger(each) ? readStat(each) : undefined
    if (stat) stats.set(each, stat)
  }
  const root = stats.get(pid)
  if (!root) throw new Error(`there is no process ${pid}`)
  let { ticks, pages } = root
  const family = new Set([pid])
  // Children of children are found in the next round; the deepest tree here has three generations.
  for (let before = 0; before !== family.size;) {
    before = family.size
    for (const [each, stat] of stats) {
      if (family.has(each) || !family.has(stat.parent)) continue
      family.add(each)
      ticks += stat.ticks
      pages += stat.pages
    }
  }
  return { cpuMicros: (ticks / ticksPerSecond) * 1e6, residentBytes: pages * pageBytes }
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold blanks; fields are counted from behind it.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15)
    return { parent: fields[1] ?? 0, ticks: user + system + childrenUser + childrenSystem, pages: fields[21] ?? 0 }
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}
