// What links to other brokers show of themselves. Silence is shown as silence: a link that never heard anything has no time of it.

import type { LinkReport } from '../links/links.ts'
import type { Family, Sample } from './metrics.ts'

export function linkFamilies(reports: () => readonly LinkReport[]): readonly Family[] {
  const family = (
    name: string,
    kind: Family['kind'],
    help: string,
    read: (report: LinkReport) => Iterable<Sample>,
  ): Family => ({
    name: `tocsin_link_${name}`,
    kind,
    help,
    *read() {
      for (const report of reports()) {
        for (const { labels, value } of read(report)) yield { labels: { link: report.name, ...labels }, value }
      }
    },
  })
  const seconds = (at: bigint | undefined): Sample[] => (at === undefined ? [] : [{ value: Number(at) / 1e9 }])
  return [
    family('up', 'gauge', 'Whether the link to another broker is up.', ({ state }) => [{ value: state.isUp ? 1 : 0 }]),
    family('lag', 'gauge', 'Numbers of the log that the link has not dealt with, by source.', ({ state }) =>
      Array.from(state.lag, ([source, value]) => ({ labels: { source }, value })),
    ),
    family('published_total', 'counter', 'Messages that the other broker acknowledged.', ({ state }) => [
      { value: state.published },
    ]),
    family('received_total', 'counter', 'Messages from the other broker that were acknowledged.', ({ state }) => [
      { value: state.received },
    ]),
    family(
      'dropped_total',
      'counter',
      'Messages that did not go out, or came in and were not stored, by cause.',
      (one) =>
        Object.entries({ ...one.state.dropped, ...one.input }).map(([cause, value]) => ({ labels: { cause }, value })),
    ),
    family('connects_total', 'counter', 'Attempts to connect.', ({ state }) => [{ value: state.connects }]),
    family('last_received_timestamp_seconds', 'gauge', 'When the last message came from there.', ({ state }) =>
      seconds(state.lastReceivedAt),
    ),
    family('last_published_timestamp_seconds', 'gauge', 'When the last message was acknowledged there.', ({ state }) =>
      seconds(state.lastPublishedAt),
    ),
  ]
}
