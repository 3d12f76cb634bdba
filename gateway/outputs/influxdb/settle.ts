// Brings lines into InfluxDB until each is stored or refused by itself. Its promise: exactly the lines that InfluxDB will not take
// are given back, with the reason, and no other; a line that is sent again on the way is written over itself.

import type { Answer, LinesRefused } from './answers.ts'
import { WriteFailure } from './answers.ts'
import type { Lines } from './line-protocol.ts'

export interface RefusedLine {
  readonly index: number
  readonly why: string
}

export type Send = (lines: Buffer) => Promise<Answer>

/** How often an answer of unknown meaning is looked into before anything was taken: enough to find one line among 5,000. */
const unknownAnswersMax = 16

/**
 * Throws what `send` throws. Also throws, refusing nothing, when every answer is a 400 of unknown meaning: then a setting is wrong,
 * not the lines.
 */
export async function settle(lines: Lines, send: Send): Promise<RefusedLine[]> {
  const refused: RefusedLine[] = []
  let accepted = 0
  let unknownAnswers = 0

  async function bring(indexes: readonly number[], answer: Answer): Promise<void> {
    if (answer.outcome === 'stored') {
      accepted += indexes.length
      return
    }
    if (answer.outcome === 'too_large') return bringParts(indexes, 'larger than InfluxDB takes')
    if (answer.lines) return bringRest(indexes, answer.lines)
    if (!answer.known && accepted === 0 && ++unknownAnswers > unknownAnswersMax) throw unknownRefusal()
    // All of them: no need to ask for each. `dropped` never counts more than there were.
    if (answer.dropped >= indexes.length) return refuse(indexes, answer.why)
    await bringParts(indexes, answer.why)
  }

  async function bringParts(indexes: readonly number[], why: string): Promise<void> {
    if (indexes.length === 1) return refuse(indexes, why)
    const middle = indexes.length >> 1
    for (const part of [indexes.slice(0, middle), indexes.slice(middle)])
      await bring(part, await send(bodyOf(lines, part)))
  }

  /** v3 has named the refused lines and stored the others; asking once more makes sure that it named all. */
  async function bringRest(indexes: readonly number[], named: ReadonlyMap<number, string>): Promise<void> {
    for (const [at, why] of named) if (at < indexes.length) refuse([indexes[at]!], why)
    const rest = indexes.filter((_, at) => !named.has(at))
    if (rest.length === indexes.length) throw unknownRefusal()
    if (rest.length > 0) await bring(rest, await send(bodyOf(lines, rest)))
  }

  function refuse(indexes: readonly number[], why: string): void {
    for (const index of indexes) refused.push({ index, why })
  }

  const answer = await send(lines.bytes())
  const inOrder = Array.from({ length: lines.count }, (_, index) => index)
  await bring(isBisected(answer) ? byMeasurement(lines, inOrder) : inOrder, answer)
  if (unknownAnswers > 0 && accepted === 0) throw unknownRefusal()
  return refused
}

const isBisected = (answer: Answer): answer is LinesRefused =>
  answer.outcome === 'refused' && answer.lines === undefined

/** What makes InfluxDB refuse lines is mostly common to a measurement: side by side, whole parts stand or fall together. */
function byMeasurement(lines: Lines, indexes: readonly number[]): number[] {
  const names = indexes.map((index) => lines.line(index).toString('latin1').split(/[, ]/, 1)[0] ?? '')
  // Numbers of one name stay in order: sorting is stable.
  return indexes.toSorted((a, b) => (names[a]! < names[b]! ? -1 : Number(names[a]! > names[b]!)))
}

const bodyOf = (lines: Lines, indexes: readonly number[]): Buffer =>
  Buffer.concat(indexes.map((index) => lines.line(index)))

const unknownRefusal = (): WriteFailure =>
  new WriteFailure(
    'other_refusal',
    'InfluxDB refuses all lines for a reason that does not speak of lines: check the settings and what stands between',
  )
