// What the gateway shows of itself, family by family. Labels come from closed sets (inputs, outputs, fates, lanes, alarm codes):
// never from a device, so that nobody outside can make series.

import type { Counts as BrokerCounts } from '../../broker/port.ts'
import { type Accounting, type FateCounts, noInput } from '../accounting.ts'
import type { Alarm } from '../alarms.ts'
import type { ConnectionCounts } from '../connections.ts'
import type { ClockOffset } from '../clock-offset.ts'
import type { GrpcMetrics } from '../grpc/server.ts'
import { type Lane, type LogCounts, type LanePosition, lanes } from '../log/log.ts'
import type { RunningOutput } from '../outputs/run-output.ts'
import type { UnknownQuantities } from '../quantities.ts'
import { type Family, type HistogramSnapshot, histogramSamples, type Sample } from './metrics.ts'

/** Each function gives what holds at this moment; what is absent is not shown. */
export interface MetricsParts {
  readonly version: string
  readonly unknownQuantities?: Pick<UnknownQuantities, 'counts'>
  readonly accounting: Pick<Accounting, 'totals' | 'byInput' | 'refusedByFault' | 'clockFaults'>
  readonly log: { readonly head: LanePosition; readonly oldest: LanePosition; readonly counts: LogCounts }
  readonly outputs: () => readonly Pick<RunningOutput, 'name' | 'lag' | 'delivered' | 'failing'>[]
  readonly alarms: () => readonly Pick<Alarm, 'code'>[]
  readonly clockOffset?: () => ClockOffset | undefined
  readonly broker?: () => BrokerCounts
  readonly grpc?: () => GrpcMetrics
  readonly disk?: () => { readonly freeBytes: number; readonly totalBytes: number }
  /** How long group commits took, in seconds. */
  readonly commitSeconds?: () => HistogramSnapshot
  /** Families of parts that show themselves, such as the InfluxDB output. */
  readonly further?: readonly Family[]
}

export function gatewayFamilies(parts: MetricsParts): readonly Family[] {
  return [
    ...frameFamilies(parts),
    ...quantityFamilies(parts.unknownQuantities),
    ...logFamilies(parts),
    ...outputFamilies(parts),
    ...brokerFamilies(parts.broker),
    ...grpcFamilies(parts.grpc),
    ...houseFamilies(parts),
    ...(parts.further ?? []),
  ]
}

const fateNames = [
  'stored',
  'duplicate',
  'ignored',
  'carried',
  'waiting',
  'refused',
  'not_taken',
] as const satisfies (keyof FateCounts)[]

function frameFamilies({ accounting }: MetricsParts): Family[] {
  return [
    counter('tocsin_frames_received_total', 'Frames received since the start: all fates and pending together.', () => [
      { value: accounting.totals.received },
    ]),
    counter(
      'tocsin_frames_total',
      'Frames settled since the start, by input and by what became of them.',
      function* () {
        for (const [input, fates] of accounting.byInput) {
          for (const fate of fateNames)
            yield { labels: { input: inputLabel(input), fate }, value: fates.get(fate) ?? 0 }
        }
      },
    ),
    counter(
      'tocsin_frames_refused_total',
      'Frames refused since the start, by kind of fault; `tocsin refusals` lists them, with what to do.',
      () => labelled('fault', accounting.refusedByFault),
    ),
    counter(
      'tocsin_clock_faults_total',
      'Stored frames with a time that no sound clock gives, by input; the log names the devices whose clock is to be set.',
      () => labelled('input', accounting.clockFaults),
    ),
    gauge('tocsin_frames_pending', 'Frames on their way to the disk, not yet acknowledged.', () => [
      { value: accounting.totals.pending },
    ]),
  ]
}

/** By adapter alone: the names come from devices. `tocsin status` lists them. */
function quantityFamilies(unknown: MetricsParts['unknownQuantities']): Family[] {
  if (!unknown) return []
  return [
    counter(
      'tocsin_unknown_quantities_total',
      'Measurements of quantities that the registry does not have, by adapter; they pass under their own names.',
      function* () {
        for (const [adapter, { measurements }] of unknown.counts) yield { labels: { adapter }, value: measurements }
      },
    ),
  ]
}

/** The accounting writes a dash for frames that no input reads. */
const inputLabel = (input: string): string => (input === noInput ? 'none' : input)

function logFamilies({ log, commitSeconds, disk }: MetricsParts): Family[] {
  const byLane = (value: (lane: Lane) => number) => lanes.map((lane) => ({ labels: { lane }, value: value(lane) }))
  const families = [
    gauge('tocsin_log_head', 'Last durable sequence of each lane.', () => byLane((lane) => log.head[lane])),
    gauge('tocsin_log_oldest', 'First sequence that is kept in each lane.', () => byLane((lane) => log.oldest[lane])),
    counter('tocsin_log_records_total', 'Records since the log began, in each lane.', () =>
      byLane((lane) => log.counts.records[lane]),
    ),
    counter('tocsin_log_frames_total', 'Frames since the log began, by fate, as counted from the log.', () =>
      (['stored', 'refused', 'ignored', 'carried', 'waiting'] as const).map((fate) => ({
        labels: { fate },
        value: log.counts[fate],
      })),
    ),
    counter('tocsin_log_damaged_records_total', 'Records found damaged on disk.', () => [
      { value: log.counts.damaged },
    ]),
  ]
  if (disk) {
    families.push(
      gauge('tocsin_disk_free_bytes', 'Bytes free on the disk of the log.', () => [{ value: disk().freeBytes }]),
      gauge('tocsin_disk_size_bytes', 'Bytes in all on the disk of the log.', () => [{ value: disk().totalBytes }]),
    )
  }
  if (commitSeconds) {
    const help = 'How long group commits took, from the first write to the sync.'
    const read = () => histogramSamples(commitSeconds())
    families.push({ name: 'tocsin_log_commit_seconds', kind: 'histogram', help, read })
  }
  return families
}

function outputFamilies({ outputs }: MetricsParts): Family[] {
  return [
    gauge('tocsin_output_lag_records', 'Records that wait for an output, in each lane.', function* () {
      for (const output of outputs()) {
        const lag = output.lag()
        for (const lane of lanes) yield { labels: { output: output.name, lane }, value: lag[lane] }
      }
    }),
    counter('tocsin_output_delivered_records_total', 'Records delivered by an output since the start.', () =>
      outputs().map((output) => ({ labels: { output: output.name }, value: output.delivered() })),
    ),
    gauge('tocsin_output_failing', '1 while the last delivery of an output has failed and is retried, else 0.', () =>
      outputs().map((output) => ({ labels: { output: output.name }, value: output.failing() === undefined ? 0 : 1 })),
    ),
  ]
}

function brokerFamilies(counts: MetricsParts['broker']): Family[] {
  if (!counts) return []
  return [
    gauge('tocsin_mqtt_connections', 'MQTT connections that are open.', () => [{ value: counts().connections }]),
    gauge('tocsin_mqtt_sessions', 'MQTT sessions, connected or kept for clients that are away.', () => [
      { value: counts().sessions },
    ]),
    gauge('tocsin_mqtt_retained_messages', 'Retained messages.', () => [{ value: counts().retained }]),
    gauge('tocsin_mqtt_queued_messages', 'Messages that sessions are owed and were not sent yet.', () => [
      { value: counts().queued },
    ]),
    gauge('tocsin_mqtt_inflight_messages', 'Messages received and not yet acknowledged.', () => [
      { value: counts().inFlight },
    ]),
    counter('tocsin_mqtt_connects_total', 'MQTT connections that were let in.', () => [{ value: counts().connects }]),
    counter('tocsin_mqtt_messages_total', 'Messages by verdict: accepted, forbidden, unstored.', () =>
      (['accepted', 'forbidden', 'unstored'] as const).map((verdict) => ({
        labels: { verdict },
        value: counts()[verdict],
      })),
    ),
    counter('tocsin_mqtt_refused_total', 'Connections turned away, by reason.', () =>
      labelled('reason', Object.entries(counts().refused)),
    ),
    counter(
      'tocsin_mqtt_cut_total',
      'Connections that ended, by reason; for too_large and protocol the log names the clients, with what to do.',
      () => labelled('reason', Object.entries(counts().cut)),
    ),
    counter('tocsin_mqtt_dropped_messages_total', 'Messages that one subscriber did not get, by cause.', () =>
      labelled('cause', Object.entries(counts().dropped)),
    ),
  ]
}

function grpcFamilies(metrics: MetricsParts['grpc']): Family[] {
  if (!metrics) return []
  return [
    gauge('tocsin_grpc_streams', 'Subscriptions that are open.', () => [{ value: metrics().streams }]),
    gauge('tocsin_grpc_slow_streams', 'Of these, consoles that have not read for a second or more.', () => [
      { value: metrics().slowStreams },
    ]),
    gauge('tocsin_grpc_unsent_bytes', 'Bytes held for consoles that have not read them.', () => [
      { value: metrics().unsentBytes },
    ]),
    counter('tocsin_grpc_assembled_batches_total', 'Batches put together; all others shared their bytes.', () => [
      { value: metrics().assembled },
    ]),
    counter('tocsin_grpc_sent_records_total', 'Records sent on all subscriptions.', () => [
      { value: metrics().records },
    ]),
    counter('tocsin_grpc_sent_bytes_total', 'Bytes sent on all subscriptions.', () => [{ value: metrics().bytes }]),
    refusedConnections('grpc', metrics),
    counter(
      'tocsin_grpc_cut_for_resets_total',
      'Connections cut: they opened and reset streams again and again.',
      () => [{ value: metrics().cutForResets }],
    ),
    counter('tocsin_grpc_cut_streams_total', 'Subscriptions over before the console had read all.', () => [
      { value: metrics().cutStreams },
    ]),
    counter('tocsin_grpc_calls_total', 'Calls by method and gRPC status code.', function* () {
      for (const [path, codes] of metrics().calls) {
        for (const [code, value] of codes) yield { labels: { method: path.slice(1), code: String(code) }, value }
      }
    }),
  ]
}

function houseFamilies({ version, alarms, clockOffset }: MetricsParts): Family[] {
  const families = [
    gauge('tocsin_build_info', 'Always 1; the label says which version runs.', () => [
      { labels: { version }, value: 1 },
    ]),
    gauge('tocsin_alarms_active', 'Alarms that are on, by code.', function* () {
      const counts = new Map<string, number>()
      for (const { code } of alarms()) counts.set(code, (counts.get(code) ?? 0) + 1)
      yield* labelled('code', counts)
    }),
  ]
  if (!clockOffset) return families
  const known = (value: (offset: ClockOffset) => number) => () => {
    const offset = clockOffset()
    return offset ? [{ value: value(offset) }] : []
  }
  return [
    ...families,
    gauge(
      'tocsin_clock_offset_seconds',
      'How far the host’s clock is ahead of its time servers.',
      known((it) => it.offsetS),
    ),
    gauge(
      'tocsin_clock_round_trip_seconds',
      'Round trip of that measurement; the offset is known to half of it.',
      known((it) => it.delayS),
    ),
    gauge(
      'tocsin_clock_servers',
      'Time servers that answered at the last measurement.',
      known((it) => it.servers),
    ),
  ]
}

function* labelled(label: string, counts: Iterable<readonly [string, number]>): Iterable<Sample> {
  for (const [name, value] of counts) yield { labels: { [label]: name }, value }
}

const gauge = (name: string, help: string, read: Family['read']): Family => ({ name, kind: 'gauge', help, read })
const counter = (name: string, help: string, read: Family['read']): Family => ({ name, kind: 'counter', help, read })

/** Of a door that says how many there may be. */
export const refusedConnections = (door: 'http' | 'grpc', counts: () => Pick<ConnectionCounts, 'refused'>): Family => ({
  name: `tocsin_${door}_refused_connections_total`,
  kind: 'counter',
  help: 'Connections turned away: too many in all, or from one address.',
  read: () => [{ value: counts().refused }],
})
