// What was here before, by the identity that its source gave it (an event's dedup_key). A key is known for at least `windowNs`
// after it was added and forgotten by whole sets, so that memory is bounded; a message without identity is never a duplicate
// here: a panic button pressed twice is two presses.

export interface Duplicates {
  /** Was this key added within the window before `at` (or a little longer)? */
  known(key: string, at: bigint): boolean
  add(key: string, at: bigint): void
  /** Takes back what was added for a frame that the disk then refused: its sender will send it again, and must not be told "duplicate". */
  remove(key: string): void
  readonly size: number
}

export interface DuplicatesOptions {
  readonly windowNs: bigint
  /** How many sets are kept: one that is filled, and the ones before it. */
  readonly rotations: number
  readonly keysPerSetMax?: number
  /** The newest set filled before its time: keys are known for only `keptNs` at present. */
  readonly overfull?: (keptNs: bigint) => void
}

/** schema.md "dedup_key". */
export const dedupWindowNs = 24n * 3600n * 1_000_000_000n

/** About 100 bytes each in a set of strings: two sets stay below 100 MB. Repeats of a source come within minutes. */
const keysPerSetMaxDefault = 500_000

export function createDuplicates(options: DuplicatesOptions): Duplicates {
  const { windowNs, rotations, keysPerSetMax = keysPerSetMaxDefault, overfull } = options
  // The newest first. Each is filled for windowNs / (rotations - 1), so that the older ones together span the window.
  const spanNs = windowNs / BigInt(Math.max(1, rotations - 1))
  let sets: { keys: Set<string>; since: bigint }[] = []

  function rotate(at: bigint): void {
    sets = [{ keys: new Set<string>(), since: at }, ...sets].slice(0, rotations)
  }

  function current(at: bigint): Set<string> {
    const newest = sets[0]
    if (!newest || at - newest.since >= spanNs) {
      // After a long silence the older sets are out of the window as well.
      if (newest && at - newest.since >= spanNs + windowNs) sets = []
      rotate(at)
    } else if (newest.keys.size >= keysPerSetMax) {
      rotate(at)
      overfull?.(at - (sets.at(-1)?.since ?? at))
    }
    return sets[0]!.keys
  }

  return {
    known(key, at) {
      current(at)
      return sets.some(({ keys }) => keys.has(key))
    },
    add(key, at) {
      current(at).add(key)
    },
    remove(key) {
      for (const { keys } of sets) keys.delete(key)
    },
    get size() {
      return sets.reduce((sum, { keys }) => sum + keys.size, 0)
    },
  }
}
