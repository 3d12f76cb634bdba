// What a topic of this gateway is called at another broker, and the other way round: rules as mosquitto's `topic` lines have them, a
// filter between two prefixes. The first rule that fits counts.

import { topicMatches } from '../policy/topic-filters.ts'

export interface TopicRule {
  /** Behind either prefix. */
  readonly filter: string
  readonly localPrefix: string
  readonly remotePrefix: string
}

export const localFilter = ({ filter, localPrefix }: TopicRule): string => localPrefix + filter
export const remoteFilter = ({ filter, remotePrefix }: TopicRule): string => remotePrefix + filter

/** Topics repeat; those who invent them do no more than empty it. */
const rememberedMax = 10_000

export interface Renamed<R extends TopicRule> {
  readonly topic: string
  readonly rule: R
}

/** Undefined for a topic that no rule is about. */
export type Rename<R extends TopicRule> = (topic: string) => Renamed<R> | undefined

export const outward = <R extends TopicRule>(rules: readonly R[]): Rename<R> =>
  renaming(
    rules,
    localFilter,
    ({ localPrefix }) => localPrefix,
    ({ remotePrefix }) => remotePrefix,
  )

export const inward = <R extends TopicRule>(rules: readonly R[]): Rename<R> =>
  renaming(
    rules,
    remoteFilter,
    ({ remotePrefix }) => remotePrefix,
    ({ localPrefix }) => localPrefix,
  )

function renaming<R extends TopicRule>(
  rules: readonly R[],
  filterOf: (rule: R) => string,
  from: (rule: R) => string,
  to: (rule: R) => string,
): Rename<R> {
  const known = new Map<string, Renamed<R> | undefined>()
  const rename = (topic: string): Renamed<R> | undefined => {
    // "a/#" covers "a" as well (MQTT 5 §4.7.1.2), which the prefix "a/" does not.
    const rule = rules.find((one) => topicMatches(filterOf(one), topic) && topic.startsWith(from(one)))
    const renamed = rule && to(rule) + topic.slice(from(rule).length)
    return renamed ? { topic: renamed, rule: rule! } : undefined
  }
  return (topic) => {
    if (known.has(topic)) return known.get(topic)
    if (known.size >= rememberedMax) known.clear()
    const renamed = rename(topic)
    known.set(topic, renamed)
    return renamed
  }
}

/** True when there is a topic that both match. */
export function filtersMeet(one: string, other: string): boolean {
  const [first, second] = [one.split('/'), other.split('/')]
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    const [a, b] = [first[i], second[i]]
    if (a === '#' || b === '#') return true
    if (a === undefined || b === undefined) return false
    if (a !== '+' && b !== '+' && a !== b) return false
  }
  return true
}

/** What is wrong with a filter (MQTT 5 §4.7); undefined: nothing. */
export function filterFault(filter: string): string | undefined {
  if (filter === '') return 'is empty'
  if (filter.startsWith('$')) return 'begins with $, where brokers keep their own'
  if (/\p{Cc}/u.test(filter)) return 'has a control character in it'
  const levels = filter.split('/')
  if (levels.some((level, i) => level.includes('#') && (level !== '#' || i < levels.length - 1)))
    return 'has a # that is not its whole last level'
  return levels.some((level) => level.includes('+') && level !== '+') ? 'has a + that is not a whole level' : undefined
}
