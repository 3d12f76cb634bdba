// Metrics for Prometheus. Every value is read from the part that has it when somebody asks, so that counting costs the way in
// nothing; names follow Prometheus' conventions (base units, `_total` for what only grows).

import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'

export interface Family {
  /** "tocsin_", what it is, its unit; `_total` at the end when it only grows. */
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** What holds now; nothing: not known, and not shown. */
  read(): Iterable<Sample>
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
  /** For the series of a histogram: "_bucket", "_sum" or "_count". */
  readonly suffix?: string
}

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

export function createMetrics(families: readonly Family[]): Metrics {
  const registry = new Registry()
  for (const family of families) registry.registerMetric(asMetric(family))
  collectDefaultMetrics({ register: registry })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

/** prom-client's own gauges and counters keep a value and show 0 when there is none; ours have no value but what is read. */
function asMetric(family: Family): Metric {
  const { name, help, kind: type } = family
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({ name, help, type, aggregator: 'sum', values: [...family.read()].map(asValue) }),
  }
  const asValue = ({ labels = {}, value, suffix = '' }: Sample) => ({ labels, value, metricName: name + suffix })
  return metric as unknown as Metric
}

export interface HistogramSnapshot {
  /** Upper bounds, rising, and how many were at or below each. */
  readonly buckets: readonly (readonly [upTo: number, count: number])[]
  readonly sum: number
  readonly count: number
}

export function* histogramSamples(
  { buckets, sum, count }: HistogramSnapshot,
  labels: Sample['labels'] = {},
): Iterable<Sample> {
  for (const [upTo, below] of buckets)
    yield { suffix: '_bucket', labels: { ...labels, le: String(upTo) }, value: below }
  yield { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count }
  yield { suffix: '_sum', labels, value: sum }
  yield { suffix: '_count', labels, value: count }
}
