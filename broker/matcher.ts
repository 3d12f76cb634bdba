// Which subscriptions a topic has: a tree of filter levels, as MQTT 3.1.1 §4.7 and MQTT 5 §4.7 say. Filters and topics were checked before.

export interface Matcher<T> {
  add(filter: string, value: T): void
  remove(filter: string, value: T): void
  /** Calls `found` once for each value of each filter that covers the topic. */
  each(topic: string, found: (value: T) => void): void
  /** Whether some filter covers a topic below `root`, such as "a/b/c" below "a/b". */
  reachesBelow(root: string): boolean
  /** Filters that have values. */
  readonly size: number
}

interface Node<T> {
  levels: Map<string, Node<T>> | undefined
  values: Set<T> | undefined
}

export function createMatcher<T>(): Matcher<T> {
  const root: Node<T> = { levels: undefined, values: undefined }
  let size = 0

  function find(node: Node<T>, levels: readonly string[], at: number, found: (value: T) => void): void {
    const children = node.levels
    // "a/#" covers "a" itself too (§4.7.1.2). A leading wildcard does not cover $-topics (§4.7.2).
    const wild = at > 0 || !levels[0]!.startsWith('$')
    if (children && wild) give(children.get('#'), found)
    if (at === levels.length) return give(node, found)
    if (!children) return
    const exact = children.get(levels[at]!)
    if (exact) find(exact, levels, at + 1, found)
    const any = wild && children.get('+')
    if (any) find(any, levels, at + 1, found)
  }

  function reaches(node: Node<T>, levels: readonly string[], at: number): boolean {
    const children = node.levels
    if (!children) return false
    // Empty branches are removed, so that any branch further down ends in a filter.
    if (children.has('#') || at === levels.length) return true
    return [levels[at]!, '+'].some((level) => {
      const child = children.get(level)
      return child !== undefined && reaches(child, levels, at + 1)
    })
  }

  function prune(node: Node<T>, levels: readonly string[], at: number, value: T): boolean {
    if (at === levels.length) {
      if (!node.values?.delete(value)) return false
      if (node.values.size === 0) {
        node.values = undefined
        size--
      }
    } else {
      const child = node.levels?.get(levels[at]!)
      if (!child || !prune(child, levels, at + 1, value)) return false
      node.levels!.delete(levels[at]!)
      if (node.levels!.size === 0) node.levels = undefined
    }
    return node.values === undefined && node.levels === undefined
  }

  return {
    get size() {
      return size
    },
    add(filter, value) {
      let node = root
      for (const level of filter.split('/')) {
        const levels = (node.levels ??= new Map())
        let next = levels.get(level)
        if (!next) levels.set(level, (next = { levels: undefined, values: undefined }))
        node = next
      }
      if (!node.values) {
        node.values = new Set()
        size++
      }
      node.values.add(value)
    },
    remove: (filter, value) => void prune(root, filter.split('/'), 0, value),
    each(topic, found) {
      if (size > 0) find(root, topic.split('/'), 0, found)
    },
    reachesBelow: (topic) => reaches(root, topic.split('/'), 0),
  }
}

function give<T>(node: Node<T> | undefined, found: (value: T) => void): void {
  if (node?.values) for (const value of node.values) found(value)
}
