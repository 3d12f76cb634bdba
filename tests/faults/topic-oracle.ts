// What a topic filter means, written a second time and differently: as a regular expression over every topic of a small world. The
// gateway's own matching and containment are judged by it, so it shares nothing with them.

import type { Random } from './fault-disk.ts'

export interface TopicOracle {
  /** Every topic of up to five levels that the words can make, and some that begin with `$`. */
  readonly world: readonly string[]
  matches(filter: string, topic: string): boolean
  /** A topic that `filter` reaches and none of `allowed` does; undefined: the filter is no wider than they are. */
  beyond(filter: string, allowed: readonly string[]): string | undefined
  drawFilter(random: Random): string
}

/** The last stands for every word that nobody has thought of: no filter names it. */
const words = ['a', 'b', '', 'other']
const levelsMax = 5
const dollars = ['$SYS', '$SYS/a', '$SYS/broker/clients', '$SYS/a/b', '$x', '$x/a', '$x/a/b']

export function createTopicOracle(): TopicOracle {
  const world = [...dollars]
  let level = words
  for (let levels = 1; levels <= levelsMax; levels++) {
    world.push(...level.filter((topic) => topic !== ''))
    level = level.flatMap((topic) => words.map((word) => `${topic}/${word}`))
  }
  const patterns = new Map<string, RegExp>()
  const reaches = new Map<string, ReadonlySet<number>>()

  function patternOf(filter: string): RegExp {
    let pattern = patterns.get(filter)
    if (!pattern) patterns.set(filter, (pattern = toPattern(filter)))
    return pattern
  }

  function reachOf(filter: string): ReadonlySet<number> {
    let reach = reaches.get(filter)
    if (!reach) {
      const pattern = patternOf(filter)
      reach = new Set(world.flatMap((topic, i) => (pattern.test(topic) ? [i] : [])))
      reaches.set(filter, reach)
    }
    return reach
  }

  return {
    world,
    matches: (filter, topic) => patternOf(filter).test(topic),
    beyond(filter, allowed) {
      const sets = allowed.map(reachOf)
      for (const i of reachOf(filter)) if (!sets.some((set) => set.has(i))) return world[i]
      return undefined
    },
    drawFilter(random) {
      if (random() < 0.08) return pick(random, ['$SYS/#', '$SYS/+', '$SYS/broker/#', '$x/#', '+/broker/#', '$x/a'])
      const count = 1 + Math.floor(random() * 4)
      const levels = Array.from({ length: count }, () => pick(random, ['a', 'a', 'b', 'b', '', '+', '+']))
      if (random() < 0.35) levels[count - 1] = '#'
      const filter = levels.join('/')
      return filter === '' ? 'a' : filter
    },
  }
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!

/** MQTT 3.1.1 §4.7.1: `+` is one level, also an empty one; `#` is the rest and the parent; §4.7.2: neither begins with a `$` topic. */
function toPattern(filter: string): RegExp {
  const escaped = filter.replaceAll(/[.*?^${}()|[\]\\]/g, String.raw`\$&`)
  const levels = escaped.split('/').map((level) => (level === '+' ? '[^/]*' : level))
  const head = /^[+#]/.test(filter) ? String.raw`(?!\$)` : ''
  if (levels.at(-1) !== '#') return new RegExp(`^${head}${levels.join('/')}$`)
  const parent = levels.slice(0, -1)
  return parent.length === 0 ? new RegExp(`^${head}.*$`) : new RegExp(`^${head}${parent.join('/')}(/.*)?$`)
}
