// MQTT topic filters as permissions: whether a filter covers a topic, and whether it covers all that another filter can match.
// MQTT 5 §4.7.

/** The broker's own matching: what a permission says and what is delivered can never differ. */
export { filterMatches as topicMatches } from '../../broker/topics.ts'

/** What is wrong with a filter; undefined: nothing (MQTT 5 §4.7.1). */
export function topicFilterFault(filter: string): string | undefined {
  const levels = filter.split('/')
  const isSound = levels.every((level, at) => {
    if (level === '#') return at === levels.length - 1
    return level === '+' || !/[+#\0]/.test(level)
  })
  return filter.length > 0 && isSound ? undefined : '`+` must be a whole level and `#` a whole level at the end'
}

/** True when every topic that `inner` matches is matched by `outer`: containment, not likeness of strings. */
export function filterCovers(outer: string, inner: string): boolean {
  const wide = outer.split('/')
  const narrow = inner.split('/')
  if (inner.startsWith('$') && (wide[0] === '+' || wide[0] === '#')) return false
  for (const [i, level] of wide.entries()) {
    // "a/#" covers "a" as well (§4.7.1.2), and whatever the narrow filter has left.
    if (level === '#') return true
    const other = narrow[i]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return wide.length === narrow.length
}
