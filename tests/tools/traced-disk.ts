// The files of a process as the medium has them, out of what strace saw of it: a write is certain to be there only after a sync of its
// file that began after it has ended. Of the other writes a loss of power keeps some sectors and not others.

const sectorBytes = 512

/** Options for strace; its output is to be given to `replay`. */
export const tracedCalls = [
  '-f',
  '-s',
  '70000',
  '-xx',
  '-e',
  'trace=openat,close,pwrite64,write,ftruncate,fsync,fdatasync',
]

export interface TracedFile {
  /** As programs see it. */
  seen: Buffer
  /** As the medium has it when nothing is kept of what was not synced. */
  kept: Buffer
}

/** Calls `said` with each line that the process wrote to its standard output, as of that moment. */
export function replay(trace: string, said: (line: string, files: ReadonlyMap<string, TracedFile>) => void): void {
  const files = new Map<string, TracedFile>()
  const paths = new Map<number, string>()
  const begun = new Map<string, { call: string; at: Buffer | undefined }>()
  const fileOf = (fd: number): TracedFile | undefined => files.get(paths.get(fd) ?? '')
  const isSync = (call: string): boolean => /^f(data)?sync\(/.test(call)

  function end(call: string, result: number, synced: Buffer | undefined): void {
    if (result < 0) return
    const fd = Number(/^\w+\((\d+)/.exec(call)?.[1] ?? Number.NaN)
    const file = fileOf(fd)
    if (call.startsWith('openat(')) {
      const path = bytesIn(call).toString()
      paths.set(result, path)
      if (!files.has(path)) files.set(path, { seen: Buffer.alloc(0), kept: Buffer.alloc(0) })
    } else if (call.startsWith('close(')) paths.delete(fd)
    else if (call.startsWith('write(') && fd === 1) said(bytesIn(call).toString().trim(), files)
    else if (!file) return
    else if (call.startsWith('pwrite64(')) write(file, bytesIn(call).subarray(0, result), lastNumber(call))
    else if (call.startsWith('ftruncate(')) file.seen = resized(file.seen, lastNumber(call))
    else if (isSync(call) && synced) file.kept = synced
  }

  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)
    const before = begun.get(pid)
    const call = resumed ? (before?.call ?? '') + resumed[1] : (unfinished?.[1] ?? rest)
    // What is written while a sync is on its way need not be covered by it.
    const synced =
      isSync(call) && !resumed ? fileOf(Number(/\d+/.exec(call.slice(call.indexOf('(')))?.[0]))?.seen : undefined
    if (unfinished) begun.set(pid, { call, at: synced && Buffer.from(synced) })
    else end(call, Number(/ = (-?\d+)/.exec(call)?.[1] ?? -1), resumed ? before?.at : synced && Buffer.from(synced))
  }
}

/** What a start after a loss of power may find. */
export function afterPowerLoss({ seen, kept }: TracedFile, keeps: () => boolean): Buffer {
  const length = keeps() ? seen.length : kept.length
  const found = resized(kept, length)
  for (let at = 0; at < Math.min(length, seen.length); at += sectorBytes) {
    if (keeps()) seen.copy(found, at, at, Math.min(at + sectorBytes, length))
  }
  return found
}

/** The first string of a call. */
const bytesIn = (call: string): Buffer =>
  Buffer.from((/"((?:\\x..)*)"/.exec(call)?.[1] ?? '').replaceAll('\\x', ''), 'hex')

/** The last argument. */
const lastNumber = (call: string): number => Number(/(\d+)\)\s+= /.exec(call)?.[1])

function write(file: TracedFile, bytes: Buffer, at: number): void {
  if (file.seen.length < at + bytes.length) file.seen = resized(file.seen, at + bytes.length)
  file.seen.set(bytes, at)
}

function resized(bytes: Buffer, length: number): Buffer {
  const other = Buffer.alloc(length)
  bytes.copy(other, 0, 0, length)
  return other
}
