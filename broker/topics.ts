// Topic filters: which topic names they cover. As MQTT 3.1.1 §4.7 and MQTT 5 §4.7 say, for names and filters already checked.

export function filterMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true
  const wanted = filter.split('/')
  const given = topic.split('/')
  // §4.7.2: a leading wildcard does not cover $-topics.
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true
    if (i >= given.length || (wanted[i] !== '+' && wanted[i] !== given[i])) return false
  }
  return wanted.length === given.length
}
