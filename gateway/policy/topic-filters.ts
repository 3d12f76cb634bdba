// MQTT topic filters as permissions: whether a filter covers a topic, and whether it covers all that another filter can match.
// MQTT 5 §4.7.

/** `+` stands for one level, `#` for the rest; neither matches a topic that begins with `$` at the first level. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return wanted.length === levels.length
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
