// What the InfluxDB output shows of itself in /metrics.

import type { InfluxdbMetrics } from '../outputs/influxdb/metrics.ts'
import type { Family } from './metrics.ts'

export function influxdbFamilies(metrics: () => Readonly<InfluxdbMetrics>): Family[] {
  const counter = (name: string, help: string, value: (now: Readonly<InfluxdbMetrics>) => number): Family => ({
    name: `tocsin_influxdb_${name}_total`,
    kind: 'counter',
    help,
    read: () => [{ value: value(metrics()) }],
  })
  const labelled = (
    name: string,
    help: string,
    label: string,
    values: (now: Readonly<InfluxdbMetrics>) => Readonly<Record<string, number>>,
  ): Family => ({
    name: `tocsin_influxdb_${name}_total`,
    kind: 'counter',
    help,
    read: () => Object.entries(values(metrics())).map(([key, value]) => ({ labels: { [label]: key }, value })),
  })
  return [
    counter('rows', 'Rows that InfluxDB has stored.', ({ rows }) => rows),
    counter('refused_lines', 'Lines that InfluxDB refused; they are in the quarantine.', ({ refused }) => refused),
    counter('requests', 'Requests to write, with those that were repeated.', ({ requests }) => requests),
    counter('sent_bytes', 'Bytes of these requests, after compression.', ({ bytes }) => bytes),
    counter('batches', 'Deliveries that were settled.', ({ batches }) => batches),
    counter('partial_answers', 'Answers that refused some lines of a batch.', ({ partial }) => partial),
    counter('too_large_answers', 'Answers that a batch was too large (413).', ({ tooLarge }) => tooLarge),
    counter(
      'over_budget_rows',
      'Rows written without their device, beyond the budget of tag values.',
      ({ overBudget }) => overBudget,
    ),
    counter('not_telemetry_records', 'Records of kinds that are not written.', ({ notTelemetry }) => notTelemetry),
    counter('not_finite_values', 'Values left out because they are no finite number.', ({ notFinite }) => notFinite),
    counter('missed_records', 'Records that were gone before they could be written.', ({ missed }) => missed),
    labelled('failures', 'Requests that failed and were tried again, by class.', 'class', ({ failures }) => failures),
    labelled(
      'withheld_records',
      'Records not written because of a label, by label.',
      'label',
      ({ withheld }) => withheld,
    ),
    {
      name: 'tocsin_influxdb_last_success_timestamp_seconds',
      kind: 'gauge',
      help: 'When a delivery was settled last, Unix time; absent: never.',
      read: () => (metrics().lastSuccessAt ? [{ value: Number(metrics().lastSuccessAt) / 1e9 }] : []),
    },
  ]
}
