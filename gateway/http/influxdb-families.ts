// What the InfluxDB output shows of itself. Every record is in one of these numbers: written, withheld, left out, or refused.

import type { InfluxdbMetrics } from '../outputs/influxdb/metrics.ts'
import type { Family, Sample } from './metrics.ts'

export function influxdbFamilies(metrics: () => Readonly<InfluxdbMetrics>): readonly Family[] {
  const counter = (name: string, help: string, value: (of: Readonly<InfluxdbMetrics>) => number): Family =>
    family(`tocsin_influxdb_${name}`, help, () => [{ value: value(metrics()) }])
  const by = (name: string, help: string, label: string, values: (of: Readonly<InfluxdbMetrics>) => object): Family =>
    family(`tocsin_influxdb_${name}`, help, () => labelled(label, values(metrics())))

  return [
    counter('rows_total', 'Rows written; retries are not counted again.', ({ rows }) => rows),
    counter(
      'refused_rows_total',
      'Rows that InfluxDB refused for good; they are in quarantine.',
      ({ refused }) => refused,
    ),
    counter('batches_total', 'Deliveries that were settled.', ({ batches }) => batches),
    counter('requests_total', 'Requests to write, with those repeated or in parts.', ({ requests }) => requests),
    counter('sent_bytes_total', 'Bytes of these requests, compressed.', ({ bytes }) => bytes),
    by('retries_total', 'Requests that failed and were tried again, by class.', 'class', ({ failures }) => failures),
    counter('partial_answers_total', 'Answers that refused some of the rows.', ({ partial }) => partial),
    counter('too_large_answers_total', 'Answers 413, after which the batch was split.', ({ tooLarge }) => tooLarge),
    by(
      'withheld_records_total',
      'Records not written for what they hold, by label.',
      'label',
      ({ withheld }) => withheld,
    ),
    by('left_out_records_total', 'Records not written, by reason.', 'reason', (of) => ({
      not_telemetry: of.notTelemetry,
      draft: of.drafts,
      removed: of.removed,
      unreadable: of.unreadable,
      missed: of.missed,
    })),
    counter(
      'not_finite_values_total',
      'Values left out because they are no finite number.',
      ({ notFinite }) => notFinite,
    ),
    counter('over_budget_rows_total', 'Rows with a tag over its budget of values.', ({ overBudget }) => overBudget),
    {
      name: 'tocsin_influxdb_last_success_timestamp_seconds',
      kind: 'gauge',
      help: 'When a delivery was settled last, seconds since 1970.',
      read() {
        const { lastSuccessAt } = metrics()
        return lastSuccessAt === 0n ? [] : [{ value: Number(lastSuccessAt / 1_000_000n) / 1_000 }]
      },
    },
  ]
}

const family = (name: string, help: string, read: Family['read']): Family => ({ name, kind: 'counter', help, read })

function* labelled(label: string, counts: object): Iterable<Sample> {
  for (const [name, value] of Object.entries(counts)) yield { labels: { [label]: name }, value: Number(value) }
}
