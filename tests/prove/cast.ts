// Who reads in the mixed traffic: three sessions that are kept, three readers without one, and with MQTT 5 two groups that share their
// subscription. In MQTT 5 each takes another share of what the version allows: little at once, small packets, aliases.

import { seededRandom } from '../faults/fault-disk.ts'
import type { ReaderBook } from '../faults/ledger.ts'
import type { QoS } from '../faults/mqtt-client.ts'
import { expires, expiresOrIsLarge, smallPacketBytes } from './message-traits.ts'
import { type Course, createReader, type Reader, root, topicsEach } from './parties.ts'

export interface Cast {
  readonly kept: readonly Reader[]
  readonly passing: readonly Reader[]
  readonly members: readonly Reader[]
  /** Of all to whom everything is owed: the kept, and each group. */
  readonly books: readonly ReaderBook[]
}

const everyTopic = Array.from({ length: topicsEach }, (_, t) => `${root}/+/t${t}`)
const membersLeast = 2
const membersMost = 4

export function createCast(course: Course): Cast {
  const isFive = course.version === 5
  const excuse = isFive ? expires : undefined
  const kept = [
    createReader(course, {
      name: 'kept-all-2',
      qos: 2,
      isKept: true,
      filters: [`${root}/#`],
      ...(excuse && { excuse }),
      mqtt5: { receiveMaximum: 10, topicAliasMaximum: 5 },
    }),
    createReader(course, {
      name: 'kept-topics-2',
      qos: 2,
      isKept: true,
      filters: everyTopic,
      ...(isFive && { excuse: expiresOrIsLarge }),
      mqtt5: { packetBytesMax: smallPacketBytes },
    }),
    createReader(course, {
      name: 'kept-all-1',
      qos: 1,
      isKept: true,
      filters: [`${root}/+/+`],
      ...(excuse && { excuse }),
      retainAsPublished: isFive,
      mqtt5: { receiveMaximum: 1, topicAliasMaximum: 65_535 },
    }),
  ]
  const passing = ([0, 1, 2] as const).map((qos) =>
    createReader(course, {
      name: `passing-${qos}`,
      qos,
      isKept: false,
      filters: [`${root}/#`],
      mqtt5: { topicAliasMaximum: qos, receiveMaximum: 10 },
    }),
  )
  const groups = isFive ? [createGroup(course, 1), createGroup(course, 2)] : []
  return {
    kept,
    passing,
    members: groups.flatMap(({ members }) => members),
    books: [...kept.map(({ book }) => book), ...groups.map(({ book }) => book)],
  }
}

/**
 * At QoS 1 half of the members have no session, and what they did not acknowledge is another's; at QoS 2 it stays theirs (§4.8.2), so
 * all are kept.
 */
function createGroup(course: Course, qos: QoS): { readonly book: ReaderBook; readonly members: readonly Reader[] } {
  const random = seededRandom(course.seed + 100 + qos)
  const book = course.ledger.reader(`group-${qos}`, { qos, owedAll: true, isOrdered: false, excuse: expires })
  const count = membersLeast + Math.floor(random() * (membersMost - membersLeast + 1))
  const members = Array.from({ length: count }, (_, i) =>
    createReader(course, {
      name: `group-${qos}-${i}`,
      qos,
      isKept: qos === 2 || i % 2 === 0,
      filters: [`$share/g${qos}/${root}/#`],
      groupBook: book,
      mqtt5: { receiveMaximum: i % 2 === 0 ? 10 : 1, topicAliasMaximum: i },
    }),
  )
  return { book, members }
}
