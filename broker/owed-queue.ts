// What one session is still to be sent of one source, in order, as numbers: sixteen bytes each, whatever the messages hold, and never
// more than twice as many as are owed.

/** Beside the QoS (0 to 2). `retainedBit`: the number is that of a retained message that waits for this session. */
export const retainedBit = 4
const goneBit = 8
export const qosBits = 3
const flagBits = 15
const flagsAll = 16

export interface OwedQueue {
  /** Numbers of messages grow; those of retained ones are of a kind of their own. */
  push(number: number, bits: number): void
  /** Before all others. */
  unshift(number: number, bits: number): void
  /** The next that is still owed. */
  peek(): { readonly number: number; readonly bits: number } | undefined
  shift(): void
  /** Takes a message out that need not be the next: a newer one has taken its place. Its bits; undefined: it is not there. */
  remove(number: number): number | undefined
  readonly size: number
}

/** So many that are not owed any more may lie here before the others move together. */
const slackMax = 1_024

export function createOwedQueue(): OwedQueue {
  // In ascending order, but for what was put back: of a message its number, of a retained one that of the message before it.
  let numbers: number[] = []
  // The flags, and of a retained one its number, sixteen times.
  let bits: number[] = []
  let first = 0
  let size = 0
  let gone = 0

  function skipGone(): void {
    while (first < numbers.length && bits[first]! & goneBit) {
      first++
      gone--
    }
    if (first === numbers.length) {
      numbers = []
      bits = []
      first = 0
    } else if (first > slackMax && first * 2 > numbers.length) {
      numbers = numbers.slice(first)
      bits = bits.slice(first)
      first = 0
    }
  }

  function moveTogether(): void {
    let to = 0
    for (let from = first; from < numbers.length; from++) {
      if (bits[from]! & goneBit) continue
      numbers[to] = numbers[from]!
      bits[to++] = bits[from]!
    }
    numbers.length = bits.length = to
    first = gone = 0
  }

  function find(number: number): number {
    let low = first
    let high = numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (numbers[middle]! < number) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get size() {
      return size
    },
    push(number, itsBits) {
      const isRetained = (itsBits & retainedBit) !== 0
      numbers.push(isRetained ? (numbers.at(-1) ?? 0) : number)
      bits.push(isRetained ? number * flagsAll + itsBits : itsBits)
      size++
    },
    unshift(number, itsBits) {
      if (first > 0) {
        numbers[--first] = number
        bits[first] = itsBits
      } else {
        numbers.unshift(number)
        bits.unshift(itsBits)
      }
      size++
    },
    peek() {
      if (size === 0) return undefined
      const its = bits[first]!
      const itsBits = its & flagBits
      return { number: itsBits & retainedBit ? Math.floor(its / flagsAll) : numbers[first]!, bits: itsBits }
    },
    shift() {
      if (size === 0) return
      first++
      size--
      skipGone()
    },
    remove(number) {
      const at = find(number)
      const its = bits[at]
      if (numbers[at] !== number || its === undefined || its & (retainedBit | goneBit)) return undefined
      bits[at] = its | goneBit
      size--
      gone++
      skipGone()
      if (gone > slackMax && gone > size) moveTogether()
      return its
    },
  }
}
