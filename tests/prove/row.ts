// What a row of the proof is: one promise, put to the test on each broker that can take the test, with a figure, a verdict that can
// be "no", and the seed to see the same again.

import { type LazyFs, mountLazyFs, whyNoLazyFs } from '../faults/lazyfs.ts'
import type { PeerName } from './peer.ts'

/** `test`: seconds, for npm test; `proof`: minutes for all rows; `night`: what goals.md asks for. */
export type Size = 'test' | 'proof' | 'night'

export interface RowContext {
  readonly size: Size
  readonly seed: number
  /** How much of it: kills, messages, tries, seconds; the row's own for its size unless somebody says otherwise. */
  readonly count: number
  readonly peers: readonly PeerName[]
  say(line: string): void
}

export interface Finding {
  /** In a few words and figures. */
  readonly text: string
  /** Whether it is what is wanted; undefined: nothing is wanted of this one, it is shown beside. */
  readonly met?: boolean
  /** What a person needs to see it again: examples, seeds. */
  readonly details?: readonly string[]
}

export interface RowResult {
  readonly findings: Partial<Record<PeerName, Finding>>
  /** What the reader has to know to believe it; why a broker is left out. */
  readonly notes?: readonly string[]
}

export interface Row {
  readonly name: string
  /** As goals.md has it. */
  readonly promise: string
  readonly wanted: string
  readonly unit: string
  readonly counts: Readonly<Record<Size, number>>
  /** Undefined: it cannot run here; `whyNot` says why. */
  run(context: RowContext): Promise<RowResult>
}

/**
 * npm test runs beside other tests, on small machines: there a bound of time or memory is so many times as wide. What is held up by a
 * fault of ours waits for seconds, and is found all the same.
 */
export const slack = ({ size }: Pick<RowContext, 'size'>): number => (size === 'test' ? 10 : 1)

/** Runs the same scenario on each broker, one after the other; one that fails is a finding, not the end of the proof. */
export async function onEach(
  context: RowContext,
  scenario: (peer: PeerName) => Promise<Finding>,
): Promise<RowResult['findings']> {
  const findings: Partial<Record<PeerName, Finding>> = {}
  for (const peer of context.peers) findings[peer] = await found(() => scenario(peer))
  return findings
}

/** The same, each on a file system of its own that forgets what was not synced; left out, and said so, where there is none. */
export async function onEachLazyFs(
  context: RowContext,
  scenario: (peer: PeerName, disk: LazyFs) => Promise<Finding>,
): Promise<RowResult> {
  const why = await whyNoLazyFs()
  if (why !== undefined) return { findings: {}, notes: [`left out: ${why}`] }
  const findings = await onEach(context, async (peer) => {
    await using disk = await mountLazyFs()
    return await scenario(peer, disk)
  })
  return { findings }
}

export async function found(scenario: () => Promise<Finding>): Promise<Finding> {
  try {
    return await scenario()
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { text: `failed: ${text.split('\n')[0]}`, met: false, details: [text] }
  }
}

export const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 })
