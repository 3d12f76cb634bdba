// The verdicts of the proof can be "no": each planted fault is found, counted as what it is, and what the standard allows is not.

import { describe, expect, test } from 'vitest'
import { createLedger, type Ledger, type ReaderBook } from './faults/ledger.ts'
import type { QoS } from './faults/mqtt-client.ts'

const clean = {
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

interface Run {
  readonly ledger: Ledger
  readonly book: ReaderBook
}

/** So many messages of one stream, each acknowledged; what the reader is given is the test's business. */
function published(count: number, qos: QoS, readerQos: QoS = 2): Run {
  const ledger = createLedger()
  const book = ledger.reader('session', { qos: readerQos, owedAll: true })
  book.subscribed()
  for (let n = 0; n < count; n++) {
    ledger.publish(0, qos)
    if (qos > 0) ledger.acknowledge(0, n)
  }
  return { ledger, book }
}

function verdictOf({ ledger, book }: Run, given: readonly number[]) {
  for (const n of given) book.arrive(0, n)
  const { examples, ...counts } = ledger.verdict()
  return { counts, examples }
}

describe('the ledger', () => {
  test('finds nothing where everything came once and in order', () => {
    expect(verdictOf(published(5, 2), [0, 1, 2, 3, 4])).toEqual({ counts: clean, examples: [] })
  })

  test('finds a planted loss, and says which', () => {
    const { counts, examples } = verdictOf(published(5, 1), [0, 1, 3, 4])
    expect(counts).toEqual({ ...clean, lost: 1 })
    expect(examples).toEqual(['session, stream 0: 2 was acknowledged and never came'])
  })

  test('finds a loss at the end, and a stream of which nothing came', () => {
    const run = published(3, 1)
    run.ledger.publish(7, 1)
    run.ledger.acknowledge(7, 0)
    expect(verdictOf(run, [0, 1]).counts).toEqual({ ...clean, lost: 2 })
  })

  test('finds a planted doubling of QoS 2 and of QoS 0', () => {
    expect(verdictOf(published(3, 2), [0, 1, 1, 2]).counts).toEqual({ ...clean, doubled: 1 })
    expect(verdictOf(published(3, 0), [0, 1, 2, 2]).counts).toEqual({ ...clean, doubled: 1 })
  })

  test('finds a planted inversion', () => {
    const { counts, examples } = verdictOf(published(4, 1), [0, 2, 1, 3])
    expect(counts).toEqual({ ...clean, inverted: 1, invertedWithinQos: 1 })
    expect(examples).toEqual(['session, stream 0: 1 of QoS 1 came after 2'])
  })

  test('tells an inversion between two QoS from one within a QoS', () => {
    const run = published(2, 1)
    run.ledger.publish(0, 2)
    run.ledger.acknowledge(0, 2)
    expect(verdictOf(run, [0, 2, 1]).counts).toEqual({ ...clean, inverted: 1 })
  })

  test('finds a message that nobody published', () => {
    expect(verdictOf(published(2, 1), [0, 1, 9]).counts).toEqual({ ...clean, invented: 1 })
  })

  test('finds a retained message that was older than one acknowledged before the subscription', () => {
    const run = published(9, 1)
    run.book.arriveRetained(0, 5, 8)
    run.book.arriveRetained(0, 8, 8)
    expect(verdictOf(run, [0, 1, 2, 3, 4, 5, 6, 7, 8]).counts).toEqual({ ...clean, stale: 1 })
  })

  test('allows what the standard allows: QoS 1 again after a cut, QoS 2 again towards a subscription of QoS 1', () => {
    expect(verdictOf(published(4, 1), [0, 1, 2, 1, 2, 3]).counts).toEqual({ ...clean, repeats: 2 })
    expect(verdictOf(published(2, 2, 1), [0, 0, 1]).counts).toEqual({ ...clean, repeats: 1 })
  })

  test('owes nothing that was not acknowledged, was of QoS 0, or came before the subscription', () => {
    const ledger = createLedger()
    ledger.publish(0, 1)
    ledger.acknowledge(0, 0)
    const book = ledger.reader('late', { qos: 2, owedAll: true })
    book.subscribed()
    ledger.publish(0, 1)
    ledger.publish(0, 0)
    expect(verdictOf({ ledger, book }, []).counts).toEqual(clean)
    expect(ledger.owed(book)).toBe(0)
  })

  test('owes a reader without a session nothing, and does not blame it for what it missed between connections', () => {
    const ledger = createLedger()
    const book = ledger.reader('passing', { qos: 1, owedAll: false })
    for (let n = 0; n < 6; n++) ledger.acknowledge(0, ledger.publish(0, 1))
    for (const n of [0, 1]) book.arrive(0, n)
    book.anew()
    // 3 was given to those who were here, and is sent again by its publisher.
    const { counts } = verdictOf({ ledger, book }, [4, 3, 4, 5])
    expect(counts).toEqual({ ...clean, repeats: 2 })
  })

  test('tells what need not come from what is lost, and blames nobody when it comes', () => {
    const ledger = createLedger()
    const excuse = (_stream: number, n: number) => (n === 1 ? 'expired' : n === 2 ? 'tooLarge' : undefined)
    const book = ledger.reader('session', { qos: 1, owedAll: true, excuse })
    book.subscribed()
    for (let n = 0; n < 4; n++) ledger.acknowledge(0, ledger.publish(0, 1))
    expect(ledger.lag(book)).toBe(2)
    expect(verdictOf({ ledger, book }, [0]).counts).toEqual({ ...clean, lost: 1, expired: 1, tooLarge: 1 })
    expect(ledger.owed(book)).toBe(1)
    expect(verdictOf({ ledger, book }, [1, 3]).counts).toEqual({ ...clean, tooLarge: 1 })
    expect(ledger.lag(book)).toBe(0)
  })

  test('of several that share it wants each message once, in whatever order', () => {
    const ledger = createLedger()
    const book = ledger.reader('group', { qos: 2, owedAll: true, isOrdered: false })
    book.subscribed()
    for (let n = 0; n < 4; n++) ledger.acknowledge(0, ledger.publish(0, 2))
    expect(verdictOf({ ledger, book }, [2, 0, 1, 2]).counts).toEqual({ ...clean, lost: 1, doubled: 1 })
  })
})
