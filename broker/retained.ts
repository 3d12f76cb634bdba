// The last retained message of each topic (MQTT 3.1.1 §3.3.1.3). A projection of the log: each commit is applied before any of its
// messages is acknowledged, so who subscribes after a PUBACK sees it. Bounded; what does not fit is delivered and not retained.

import { isExpired } from './expiry.ts'
import { bytesOf, ownCopy } from './kept.ts'
import type { Limits } from './limits.ts'
import type { DeliverableMessage, SessionStore, StoredRetained } from './stored.ts'

export interface Retained {
  /** A message with the flag: takes the place of the one before; without payload it only removes that. */
  apply(message: DeliverableMessage): void
  /** Those of the topics that a filter covers, the longest unchanged first. */
  matching(filter: string): readonly StoredRetained[]
  /** Removes those whose time is over (MQTT 5 §3.3.2.3.3). */
  expire(now: bigint): void
  readonly count: number
}

export interface RetainedParts {
  readonly limits: Pick<Limits, 'retainedMessagesMax' | 'retainedBytesMax'>
  readonly store: Pick<SessionStore, 'write'>
  readonly stored: readonly StoredRetained[]
  /** Told of one that does not fit. */
  dropped(): void
}

interface Node {
  levels: Map<string, Node> | undefined
  kept: StoredRetained | undefined
  /** Counts up, for the order. */
  since: number
}

const newNode = (): Node => ({ levels: undefined, kept: undefined, since: 0 })

export function createRetained({ limits, store, stored, dropped }: RetainedParts): Retained {
  const root = newNode()
  let count = 0
  let bytes = 0
  let changes = 0

  function put(kept: StoredRetained): boolean {
    const before = find(root, kept.topic.split('/'))?.kept
    const grown = bytes + bytesOf(kept) - (before ? bytesOf(before) : 0)
    if ((!before && count >= limits.retainedMessagesMax) || grown > limits.retainedBytesMax) return false
    let node = root
    for (const level of kept.topic.split('/')) {
      const levels = (node.levels ??= new Map())
      let next = levels.get(level)
      if (!next) levels.set(level, (next = newNode()))
      node = next
    }
    bytes = grown
    if (!before) count++
    node.kept = kept
    node.since = ++changes
    return true
  }

  function remove(topic: string): boolean {
    const kept = cutAway(root, topic.split('/'), 0)
    if (!kept) return false
    bytes -= bytesOf(kept)
    count--
    return true
  }

  for (const each of stored) put(each)

  return {
    get count() {
      return count
    },
    apply(message) {
      const { topic, clientId, payload, qos, receivedAt, properties } = message
      if (payload.length === 0) {
        if (remove(topic)) store.write({ kind: 'retained_gone', topic })
        return
      }
      const more = { ...(clientId !== undefined && { clientId }), ...(properties && { properties }) }
      const kept = ownCopy({ topic, payload, qos, receivedAt, ...more })
      if (put(kept)) store.write({ kind: 'retained', retained: kept })
      else {
        dropped()
        // What it would have replaced is no longer true.
        if (remove(topic)) store.write({ kind: 'retained_gone', topic })
      }
    },
    expire(now) {
      const all: Node[] = []
      collectAll(root, false, all)
      for (const { kept } of all) {
        if (!isExpired(kept!, now)) continue
        const { topic } = kept!
        remove(topic)
        store.write({ kind: 'retained_gone', topic })
      }
    },
    matching(filter) {
      const found: Node[] = []
      collect(root, filter.split('/'), 0, found)
      return found.toSorted((one, other) => one.since - other.since).map(({ kept }) => kept!)
    },
  }
}

function find(root: Node, levels: readonly string[]): Node | undefined {
  let node: Node | undefined = root
  for (const level of levels) node = node?.levels?.get(level)
  return node
}

/** Removes what is kept there, and the branch when it is empty then. */
function cutAway(node: Node, levels: readonly string[], at: number): StoredRetained | undefined {
  if (at === levels.length) {
    const { kept } = node
    node.kept = undefined
    return kept
  }
  const level = levels[at]!
  const child = node.levels?.get(level)
  if (!child) return undefined
  const kept = cutAway(child, levels, at + 1)
  if (!child.kept && !child.levels) {
    node.levels!.delete(level)
    if (node.levels!.size === 0) node.levels = undefined
  }
  return kept
}

function collect(node: Node, filter: readonly string[], at: number, found: Node[]): void {
  const level = filter[at]
  if (level === '#') return collectAll(node, at === 0, found)
  if (level === undefined) {
    if (node.kept) found.push(node)
    return
  }
  if (level !== '+') {
    const child = node.levels?.get(level)
    if (child) collect(child, filter, at + 1, found)
    return
  }
  for (const [name, child] of node.levels ?? []) {
    // §4.7.2: a leading wildcard does not cover $-topics.
    if (at > 0 || !name.startsWith('$')) collect(child, filter, at + 1, found)
  }
}

function collectAll(node: Node, isFirst: boolean, found: Node[]): void {
  if (node.kept) found.push(node)
  for (const [name, child] of node.levels ?? []) {
    if (!isFirst || !name.startsWith('$')) collectAll(child, false, found)
  }
}
