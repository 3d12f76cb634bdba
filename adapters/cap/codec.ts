// CAP, the Common Alerting Protocol: public warnings of weather services, civil protection and the police, all over the world.
//
//   <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
//     identifier sender sent          which message this is; references name others by these three
//     status msgType scope            real or exercise · new, update, cancel · for whom
//     source restriction addresses code note references incidents
//     <info>                          once for each language, or each part of the event
//       language category event responseType urgency severity certainty audience eventCode
//       effective onset expires senderName headline description instruction web contact parameter
//       <resource>                    resourceDesc mimeType size uri derefUri digest
//       <area>                        areaDesc polygon circle geocode altitude ceiling
//
// alert.ts, info-block.ts and area.ts read the three levels, fields.ts one element; encode.ts writes CAP 1.2. Signatures are noted, never
// trusted here. An alert is one frame: feeds (Atom, RSS) and envelopes (EDXL-DE) are told apart and not opened.

import { Flag, Label } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import { type Adapter, type Decoded, type Frame, events, ignored, refused } from '../adapter.ts'
import { type XmlElement, readXml } from '../xml.ts'
import { readAlert } from './alert.ts'
import { encode } from './encode.ts'
import { fitting } from './fitting.ts'

export const namespaces: ReadonlyMap<string, string> = new Map([
  ['http://www.incident.com/cap/1.0', '1.0'],
  ['urn:oasis:names:tc:emergency:cap:1.1', '1.1'],
  ['urn:oasis:names:tc:emergency:cap:1.2', '1.2'],
])

export const cap: Adapter = {
  name: 'cap',
  spec: 'OASIS CAP 1.2 (2010-07-01); reads 1.0 and 1.1 too',
  version: '1',
  contentTypes: ['application/cap+xml', 'application/common-alerting-protocol+xml', 'application/xml', 'text/xml'],
  // AlertInfo.contact
  labels: [Label.PII],
  decoder: () => ({ decode }),
  encode: (list) => encode(list, decodeBytes),
}

/** As the gateway judges the times of readings. */
const clockAheadNsMax = 300_000_000_000n
const clockSetSince = 946_684_800_000_000_000n

function decode({ bytes, receivedAt }: Frame): Decoded {
  const decoded = decodeBytes(bytes)
  if (decoded.outcome !== 'events') return decoded
  const [event] = decoded.events
  const sentAt = timestampNs(event?.sentAt)
  if (!event || sentAt === undefined || (sentAt <= receivedAt + clockAheadNsMax && sentAt >= clockSetSince))
    return decoded
  const flagged = Object.assign(event, { flags: [...(event.flags ?? []), Flag.CLOCK_FAULT] })
  const how = sentAt < clockSetSince ? 'before the year 2000' : 'more than five minutes ahead of the reception'
  return events([flagged], [...(decoded.warnings ?? []), `sent is ${how}`])
}

export function decodeBytes(bytes: Uint8Array): Decoded {
  const read = readXml(bytes)
  if ('fault' in read) return refused(read.fault, read.why)
  const { root } = read
  if (root.name !== 'alert') return otherDocument(root)
  if (root.namespace !== '' && !namespaces.has(root.namespace)) {
    return refused('unsupported', `line ${root.line}: an alert of a namespace that is none of CAP 1.0, 1.1 and 1.2`)
  }
  const alert = readAlert(root)
  if ('fault' in alert) return refused(alert.fault, alert.why)
  const fitted = fitting(alert.event, bytes.length)
  const noNamespace = root.namespace === '' ? [`line ${root.line}: alert has no namespace; read as CAP 1.2`] : []
  return events([fitted.event], [...noNamespace, ...alert.warnings, ...fitted.warnings])
}

/** What else comes to a CAP door. Nothing is lost: what is refused is kept, and can be read again when it can be opened. */
function otherDocument(root: XmlElement): Decoded {
  const alerts = countOf(root, (element) => element.name === 'alert' && namespaces.has(element.namespace))
  if (root.name === 'feed' || root.name === 'rss' || root.name === 'RDF') {
    const entries = countOf(root, ({ name }) => name === 'entry' || name === 'item')
    if (entries === 0) return ignored('a feed without entries')
    return refused('unsupported', `a feed of ${entries} entries, not an alert; send each alert that it links to`)
  }
  if (root.name === 'EDXLDistribution') {
    return refused('unsupported', `an EDXL-DE envelope with ${alerts} CAP alerts; send each alert by itself`)
  }
  return refused('unsupported', `line ${root.line}: the root element is not alert`)
}

function countOf(element: XmlElement, isOne: (element: XmlElement) => boolean): number {
  return element.children.reduce((count, child) => count + countOf(child, isOne), isOne(element) ? 1 : 0)
}
