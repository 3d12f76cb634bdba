// The books of a run: what each stream (a publisher's messages on one topic, numbered from 0) said and was told, and what each
// reader got. The verdict compares the two; it knows nothing of brokers and nothing of how the messages travelled.

import type { QoS } from './mqtt-client.ts'

export interface Ledger {
  /** Books a message that is about to leave; returns its number within the stream. */
  publish(stream: number, qos: QoS): number
  /** The number that `publish` will give next. */
  next(stream: number): number
  /** The broker has taken responsibility for it. */
  acknowledge(stream: number, n: number): void
  reader(name: string, options: ReaderTerms): ReaderBook
  /** Acknowledged messages that a reader with `owedAll` is still owed. */
  owed(book: ReaderBook): number
  /** The same, counted as it goes: of a reader that subscribed anew it knows too many. */
  lag(book: ReaderBook): number
  /** Of one reader, or of all. */
  verdict(book?: ReaderBook): Verdict
  readonly published: number
  readonly acknowledged: number
}

export interface ReaderTerms {
  readonly qos: QoS
  /** What was acknowledged to its publisher after `subscribed` must reach it, whatever happens in between. */
  readonly owedAll: boolean
  /** False for several that share: what one leaves behind comes to another after newer ones. */
  readonly isOrdered?: boolean
  /** Why a message need not come; it may. */
  excuse?(stream: number, n: number): Excuse | undefined
}

/** Its time was over; it is larger than the reader takes. */
export type Excuse = 'expired' | 'tooLarge'

export interface ReaderBook {
  readonly name: string
  readonly arrivals: number
  /** Different messages of QoS 1 and 2 among them, without an excuse. */
  readonly given: number
  /** What is published from now on is meant for it; call it when SUBACK has come. Called again: for subscriptions made anew. */
  subscribed(): void
  /** A live message. */
  arrive(stream: number, n: number): void
  /** One with the retain flag, after a subscription that was made when `newest` was the last retained one that was acknowledged. */
  arriveRetained(stream: number, n: number, newest: number): void
  /** The next connection of a reader without a session: earlier numbers may come no more, and gaps are its own. */
  anew(): void
}

export interface Verdict {
  /** Acknowledged, owed and never given. */
  readonly lost: number
  /** Acknowledged and never given, with an excuse. */
  readonly expired: number
  readonly tooLarge: number
  /** QoS 0 or 2 given twice. */
  readonly doubled: number
  /** QoS 1 given twice, as the standard allows. */
  readonly repeats: number
  /** Given for the first time after a later one of its stream. */
  readonly inverted: number
  /** Of these, after a later one of the same QoS: MQTT 3.1.1 §4.6 in its narrowest reading. */
  readonly invertedWithinQos: number
  /** Retained messages that were older than one acknowledged before the subscription. */
  readonly stale: number
  /** Numbers that nobody published. */
  readonly invented: number
  /** The first few of each, in words. */
  readonly examples: readonly string[]
}

interface Stream {
  readonly qos: Bytes
  readonly acknowledged: Bytes
}

type Faults = Omit<Verdict, 'lost' | Excuse | 'examples'>

interface Book extends ReaderBook {
  readonly options: ReaderTerms
  /** Of what was acknowledged so far. */
  owes: number
  readonly got: ReadonlyMap<number, Got>
  readonly faults: Faults
  readonly examples: readonly string[]
}

interface Got {
  readonly counts: Bytes
  /** First number that the reader is owed. */
  from: number
  /** The first number that came: who has no session does not know what was before. */
  joinedAt: number | undefined
  /** Of each QoS, the last number that came. */
  readonly highest: [number, number, number]
}

const examplesMax = 20

export function createLedger(): Ledger {
  const streams: Stream[] = []
  const books: Book[] = []
  let published = 0
  let acknowledged = 0

  const streamOf = (stream: number): Stream => (streams[stream] ??= { qos: createBytes(), acknowledged: createBytes() })

  function createReader(name: string, options: ReaderTerms): ReaderBook {
    const got = new Map<number, Got>()
    let arrivals = 0
    let given = 0
    let isPassing = false
    const faults = { doubled: 0, repeats: 0, inverted: 0, invertedWithinQos: 0, stale: 0, invented: 0 }
    const examples: string[] = []
    const blame = (kind: keyof typeof faults, stream: number, n: number, what: string): void => {
      if (faults[kind]++ < examplesMax && kind !== 'repeats' && what !== '')
        examples.push(`${name}, stream ${stream}: ${n} ${what}`)
    }
    const gotOf = (stream: number): Got => {
      let found = got.get(stream)
      if (!found)
        got.set(stream, (found = { counts: createBytes(), from: 0, joinedAt: undefined, highest: [-1, -1, -1] }))
      return found
    }
    const book: Book = {
      name,
      options,
      owes: 0,
      got,
      faults,
      examples,
      get arrivals() {
        return arrivals
      },
      get given() {
        return given
      },
      subscribed() {
        // Streams that begin later are owed from their first message.
        streams.forEach((stream, index) => (gotOf(index).from = stream.qos.length))
      },
      arrive(stream: number, n: number) {
        arrivals += 1
        const of = streamOf(stream)
        const mine = gotOf(stream)
        if (n >= of.qos.length) return blame('invented', stream, n, 'was never published')
        const before = mine.counts.at(n)
        mine.counts.set(n, before + 1)
        const sentQos = of.qos.at(n) as QoS
        // A publisher sends QoS 1 again after a cut, and a broker does so towards a subscription of QoS 1; of the others there is one.
        const mayRepeat = sentQos === 1 || (sentQos === 2 && options.qos === 1)
        if (before > 0) {
          return blame(mayRepeat ? 'repeats' : 'doubled', stream, n, `of QoS ${sentQos} came ${before + 1} times`)
        }
        // Sent again by its publisher, and given before to those who were here then.
        if (mine.joinedAt === undefined) mine.joinedAt = isPassing ? n : 0
        if (n < mine.joinedAt && mayRepeat) return blame('repeats', stream, n, '')
        if (sentQos > 0 && options.excuse?.(stream, n) === undefined) given += 1
        if (options.isOrdered === false) return
        const { highest } = mine
        const latest = Math.max(...highest)
        if (n < latest) blame('inverted', stream, n, `of QoS ${sentQos} came after ${latest}`)
        if (n < highest[sentQos]) blame('invertedWithinQos', stream, n, '')
        highest[sentQos] = Math.max(highest[sentQos], n)
      },
      arriveRetained(stream: number, n: number, newest: number) {
        arrivals += 1
        if (n >= streamOf(stream).qos.length) return blame('invented', stream, n, 'was never published')
        if (n < newest) blame('stale', stream, n, `is retained although ${newest} was acknowledged`)
      },
      anew() {
        isPassing = true
        got.clear()
      },
    }
    books.push(book)
    return book
  }

  const bookOf = (book: ReaderBook): Book => books.find((one) => one === book)!

  /** Calls back for each message that was acknowledged, is meant for the book's reader, and has not come. */
  function eachMissing(book: ReaderBook, onMissing: (stream: number, n: number, excuse?: Excuse) => void): void {
    const { got, options } = bookOf(book)
    if (!options.owedAll || options.qos === 0) return
    streams.forEach((stream, index) => {
      const mine = got.get(index)
      for (let n = mine?.from ?? 0; n < stream.acknowledged.length; n++) {
        if (stream.acknowledged.at(n) > 0 && !mine?.counts.at(n)) onMissing(index, n, options.excuse?.(index, n))
      }
    })
  }

  return {
    get published() {
      return published
    },
    get acknowledged() {
      return acknowledged
    },
    publish(stream, qos) {
      published += 1
      const { qos: numbers } = streamOf(stream)
      numbers.set(numbers.length, qos)
      return numbers.length - 1
    },
    next: (stream) => streamOf(stream).qos.length,
    acknowledge(stream, n) {
      acknowledged += 1
      streamOf(stream).acknowledged.set(n, 1)
      for (const book of books) if (book.options.excuse?.(stream, n) === undefined) book.owes += 1
    },
    reader: createReader,
    owed(book) {
      let count = 0
      eachMissing(book, (_stream, _n, excuse) => {
        if (!excuse) count++
      })
      return count
    },
    lag: (book) => bookOf(book).owes - book.given,
    verdict(only) {
      const sum = {
        lost: 0,
        expired: 0,
        tooLarge: 0,
        doubled: 0,
        repeats: 0,
        inverted: 0,
        invertedWithinQos: 0,
        stale: 0,
        invented: 0,
      }
      const lost: string[] = []
      const others: string[] = []
      for (const book of books) {
        if (only !== undefined && book !== only) continue
        eachMissing(book, (stream, n, excuse) => {
          if (excuse) sum[excuse]++
          else if (sum.lost++ < examplesMax)
            lost.push(`${book.name}, stream ${stream}: ${n} was acknowledged and never came`)
        })
        for (const kind of Object.keys(book.faults) as (keyof Faults)[]) sum[kind] += book.faults[kind]
        others.push(...book.examples)
      }
      return { ...sum, examples: [...lost, ...others] }
    },
  }
}

interface Bytes {
  readonly length: number
  /** 0 beyond the end. */
  at(index: number): number
  set(index: number, value: number): void
}

/** A list of small numbers that grows: a byte for each of millions of messages. */
function createBytes(): Bytes {
  let bytes = new Uint8Array(1_024)
  let length = 0
  return {
    get length() {
      return length
    },
    at: (index) => (index < length ? bytes[index]! : 0),
    set(index, value) {
      if (index >= bytes.length) {
        const larger = new Uint8Array(Math.max(index + 1, bytes.length * 2))
        larger.set(bytes)
        bytes = larger
      }
      bytes[index] = Math.min(value, 255)
      length = Math.max(length, index + 1)
    },
  }
}
