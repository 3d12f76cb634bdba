// Metrics of the streams over HTTP; those of gRPC are beside the other calls in families.ts.

import type { FanOutMetrics } from '../grpc/fan-out.ts'
import type { Family } from './metrics.ts'

export function streamFamilies(metrics: () => FanOutMetrics): readonly Family[] {
  return [
    {
      name: 'tocsin_http_streams',
      kind: 'gauge',
      help: 'Streams of server-sent events that are open.',
      read: () => [{ value: metrics().streams }],
    },
    {
      name: 'tocsin_http_slow_streams',
      kind: 'gauge',
      help: 'Of these, readers that have not read for a second or more.',
      read: () => [{ value: metrics().slowStreams }],
    },
    {
      name: 'tocsin_http_sent_records_total',
      kind: 'counter',
      help: 'Records sent on all streams of server-sent events.',
      read: () => [{ value: metrics().records }],
    },
  ]
}
