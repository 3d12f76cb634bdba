// The first page: the last events and what comes now, as text. Whatever a sender wrote is shown as text and never becomes a part of
// the page.

const shownMax = 50
const list = document.getElementById('events')
const state = document.getElementById('state')

function measurementText({ quantity, unit, number, integer, flag, text }) {
  const value = number ?? integer ?? flag ?? text ?? '–'
  return `${quantity?.replaceAll('_', ' ')} ${value}${unit ? ` ${unit}` : ''}`
}

/** What an event says, in a line. */
function words(event) {
  if (event.observation) return (event.observation.measurements ?? []).map(measurementText).join(', ')
  const [info] = event.alert?.infos ?? []
  const kind = Object.keys(event).find((name) => typeof event[name] === 'object' && kinds.has(name)) ?? 'event'
  const said = info?.headline ?? info?.event ?? event.message?.text ?? event.systemEvent?.text ?? event[kind]?.text
  return said ?? kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

const kinds = new Set(
  'detection deviceStatus position unitStatus incident call alarm radioCall alert resourceRequest resourceResponse facilityStatus message command receipt systemEvent'.split(
    ' ',
  ),
)

/** An alert that is taken back must not read like the alert. */
const actions = { ACTION_UPDATE: 'UPDATE', ACTION_CANCEL: 'CANCELLED' }

function show({ lane, loggedAt, eventId, event }) {
  if (!event) return
  const item = document.createElement('li')
  item.className = lane
  const time = document.createElement('time')
  time.dateTime = loggedAt
  time.textContent = new Date(loggedAt).toLocaleTimeString()
  const link = document.createElement('a')
  link.href = `/v1/events/${encodeURIComponent(eventId)}`
  link.textContent = event.origin?.device ?? event.subject ?? eventId
  const status =
    event.messageStatus === 'MESSAGE_STATUS_ACTUAL' ? '' : event.messageStatus?.replace('MESSAGE_STATUS_', '')
  const said = [lane === 'urgent' ? 'URGENT' : '', status, actions[event.action], words(event)]
    .filter(Boolean)
    .join(' · ')
  item.append(time, ' ', link, ' ', said)
  list.prepend(item)
  while (list.children.length > shownMax) list.lastElementChild.remove()
}

let last
try {
  const answer = await fetch(`/v1/events?limit=${shownMax}`)
  const { events } = await answer.json()
  for (const record of events.toReversed()) show(record)
  last = events[0]?.loggedAt
} catch {
  state.textContent = 'The gateway does not answer.'
}
const known = new Set([...list.querySelectorAll('a')].map(({ href }) => href))

const stream = new EventSource(last ? `/v1/stream?from=${encodeURIComponent(last)}` : '/v1/stream')
stream.addEventListener('open', () => (state.textContent = 'Live.'))
stream.addEventListener('error', () => {
  const isOver = stream.readyState === EventSource.CLOSED
  state.textContent = isOver ? 'Not connected; load this page again.' : 'Not connected; trying again.'
})
stream.addEventListener('message', ({ data }) => {
  const record = JSON.parse(data)
  // The last one on the first page may come again.
  if (!known.has(new URL(`/v1/events/${record.eventId}`, location).href)) show(record)
})
stream.addEventListener('gap', ({ data }) => (state.textContent = JSON.parse(data).text))
