// What is said of topics that no adapter reads. They are carried as by any broker, and mostly that is what is meant; where it is not,
// the nearest topic that is read helps. Told once for each kind of topic, and bounded, whatever devices invent.

import type { Logger } from './logger.ts'
import { nearest } from './nearest.ts'

export interface UnreadTopics {
  /** Why there is no event, and what to do. */
  why(topic: string): string
}

const rememberedMax = 10_000
/** A site has some dozens of kinds; more than this in one process are made up. */
const toldMax = 500
const levelsShown = 6
const charsShown = 200

const advice = 'name it in mappings or inputs if it should be read'

/** `filters`: all that are read. */
export function createUnreadTopics(filters: readonly string[], logger: Logger): UnreadTopics {
  const remembered = new Map<string, string>()
  const told = new Set<string>()

  function look(topic: string): string {
    const near = nearestFilter(topic, filters)
    const hint = near ? `the nearest that is read is ${near}` : advice
    const kind = kindOfTopic(topic)
    if (!told.has(kind) && told.size < toldMax) {
      told.add(kind)
      logger.info({ topics: kind, first: topic.slice(0, charsShown) }, `topics that no adapter reads: ${hint}`)
    }
    return `no adapter reads this topic; ${hint}`
  }

  return {
    why(topic) {
      const known = remembered.get(topic)
      if (known !== undefined) return known
      if (remembered.size >= rememberedMax) remembered.clear()
      const why = look(topic)
      remembered.set(topic, why)
      return why
    },
  }
}

/** "plant/tank-7/state" → "plant/+/state": a level with a digit is most likely the name of one device. */
function kindOfTopic(topic: string): string {
  const levels = topic.split('/').map((level) => (/\d/.test(level) ? '+' : level))
  return (levels.length > levelsShown ? [...levels.slice(0, levelsShown), '#'] : levels).join('/').slice(0, charsShown)
}

/** Each filter is written as the topic it would be here, and those are compared. */
function nearestFilter(topic: string, filters: readonly string[]): string | undefined {
  const given = topic.split('/')
  const asTopics = new Map<string, string>()
  for (const filter of filters) {
    const levels = filter.split('/')
    const rest = levels.at(-1) === '#' ? given.slice(levels.length - 1) : []
    const fixed = levels
      .filter((level) => level !== '#')
      .map((level, at) => (level === '+' ? (given[at] ?? '') : level))
    asTopics.set([...fixed, ...rest].join('/'), filter)
  }
  const near = nearest(topic, asTopics.keys())
  return near === undefined ? undefined : asTopics.get(near)
}
