// /v1/alerts.atom and /v1/alerts/{id}.cap: public alerts that hold, for programs that read such feeds. They are relayed as they came,
// in CAP 1.2; none is ever made here.

import { cap } from '../../adapters/cap/codec.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Event } from '../../proto/generated/types.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import type { Clock } from '../clock.ts'
import { idText } from '../ids.ts'
import type { Log } from '../log/log.ts'
import type { FoundAlert } from './alerts.ts'
import { alertParameters, alertsFor } from './maps.ts'
import type { Call, Reply, Route } from './route.ts'

const atomType = 'application/atom+xml'
const capType = 'application/cap+xml'
/** Readers of feeds ask every minute or so. */
const entriesMax = 500

export function feedRoutes({ log, clock }: { readonly log: Log; readonly clock: Clock }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/alerts.atom',
      group: 'Maps and feeds',
      name: 'feedAlerts',
      about:
        'Public alerts that hold now, newest first, as an Atom feed (RFC 4287) whose entries link to the alerts in CAP 1.2.',
      parameters: alertParameters,
      answers: [{ status: 200, about: 'The feed.', type: atomType }],
      handle: feed,
    },
    {
      method: 'GET',
      path: '/v1/alerts/{id}.cap',
      group: 'Maps and feeds',
      name: 'getAlert',
      about:
        'One public alert in CAP 1.2, relayed: its sender, identifier, time and status are those it came with. One that holds no longer, or is no real one, needs the same parameters as in the feed.',
      parameters: {
        id: { in: 'path', kind: 'id', required: true, about: 'The id of its event.' },
        ...alertParameters,
      },
      answers: [{ status: 200, about: 'The alert.', type: capType }],
      handle: one,
    },
  ]

  function feed(call: Call): Reply {
    const found = alertsFor(log, clock, call).slice(0, entriesMax)
    const updated = found[0]?.record.loggedAt ?? clock.now()
    const self = call.origin + call.url
    const query = call.url.includes('?') ? call.url.slice(call.url.indexOf('?')) : ''
    const entries = found.map((each) => entry(each, (id) => `${call.origin}/v1/alerts/${id}.cap${query}`))
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<feed xmlns="http://www.w3.org/2005/Atom">',
      leaf('id', self),
      leaf('title', 'Public alerts'),
      leaf('updated', rfc3339(updated)),
      '<author><name>Tocsin</name></author>',
      `<link rel="self" type="${atomType}" href="${escaped(self)}"/>`,
      ...entries,
      '</feed>',
    ]
    return { type: `${atomType}; charset=utf-8`, body: lines.join('\n') }
  }

  function one(call: Call): Reply {
    const id = Buffer.from(call.given.id('id'))
    const found = alertsFor(log, clock, call).find(({ event }) => event.id && id.equals(event.id))
    if (!found) {
      const text =
        'No public alert with this id holds now; status and include ask for those that are no real ones or hold no longer.'
      throw new GatewayError('not_found', text)
    }
    const made = cap.encode?.([found.event], undefined)
    if (made?.outcome === 'bytes') return { type: made.contentType, body: made.bytes }
    throw new GatewayError('not_found', `This alert cannot be said in CAP: ${made?.why ?? 'there is no encoder'}.`)
  }
}

function entry({ event, alert, record }: FoundAlert, linkTo: (id: string) => string): string {
  const [info = {}] = alert.infos ?? []
  const id = idText(event.id ?? new Uint8Array())
  const lines = [
    '<entry>',
    leaf('id', `urn:uuid:${id}`),
    leaf('title', info.headline || info.event || alert.identifier || 'Alert'),
    leaf('updated', rfc3339(record.loggedAt)),
    ...published(event),
    `<author>${leaf('name', info.senderName || alert.sender || 'unknown')}</author>`,
    ...(info.description ? [leaf('summary', info.description)] : []),
    ...(info.event ? [`<category term="${escaped(info.event)}"/>`] : []),
    `<link rel="alternate" type="${capType}" href="${escaped(linkTo(id))}"/>`,
    '</entry>',
  ]
  return lines.join('')
}

function published({ sentAt }: Event): string[] {
  const at = timestampNs(sentAt)
  return at === undefined ? [] : [leaf('published', rfc3339(at))]
}

const leaf = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>`

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML 1.0 §2.2 does not have become U+FFFD. */
function escaped(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  const sound = text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  return sound.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
}
