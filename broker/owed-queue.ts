// What one session is still to be sent of one source, in order, as numbers: nine bytes each, whatever the messages hold.

/** Beside the QoS (0 to 2). `retainedBit`: the number is that of a retained message that waits for this session. */
export const retainedBit = 4
const goneBit = 8
export const qosBits = 3

export interface OwedQueue {
  push(number: number, bits: number): void
  /** Before all others. */
  unshift(number: number, bits: number): void
  /** The next that is still owed. */
  peek(): { readonly number: number; readonly bits: number } | undefined
  shift(): void
  /** Takes one out that is not the next: a newer one has taken its place. Its bits; undefined: it is not there. */
  remove(number: number): number | undefined
  readonly size: number
}

/** How many that were taken stay in front before the rest moves up. */
const slackMax = 1_024

export function createOwedQueue(): OwedQueue {
  let numbers: number[] = []
  let bits: number[] = []
  let first = 0
  let size = 0

  function skipGone(): void {
    while (first < numbers.length && bits[first]! & goneBit) first++
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

  return {
    get size() {
      return size
    },
    push(number, itsBits) {
      numbers.push(number)
      bits.push(itsBits)
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
    peek: () => (size === 0 ? undefined : { number: numbers[first]!, bits: bits[first]! }),
    shift() {
      if (size === 0) return
      first++
      size--
      skipGone()
    },
    remove(number) {
      // Numbers of messages grow; retained ones among them are few and have numbers of their own.
      for (let at = numbers.length - 1; at >= first; at--) {
        if (numbers[at] !== number || bits[at]! & (retainedBit | goneBit)) continue
        const found = bits[at]!
        bits[at] = found | goneBit
        size--
        skipGone()
        return found
      }
      return undefined
    },
  }
}
