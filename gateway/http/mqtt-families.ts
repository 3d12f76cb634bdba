// What the MQTT output shows of itself. Every record is in one of these numbers: published, asked for by nobody, withheld, left out.

import type { MqttOutMetrics } from '../outputs/mqtt/metrics.ts'
import type { Family, Sample } from './metrics.ts'

export function mqttOutFamilies(metrics: () => Readonly<MqttOutMetrics>): readonly Family[] {
  const counter = (name: string, help: string, read: (of: Readonly<MqttOutMetrics>) => Iterable<Sample>): Family => ({
    name: `tocsin_mqtt_out_${name}`,
    kind: 'counter',
    help,
    read: () => read(metrics()),
  })
  return [
    counter('messages_total', 'Events published below tocsin/v1/, by form.', ({ published }) =>
      labelled('form', published),
    ),
    counter('unasked_records_total', 'Records that no subscriber asked for.', ({ unasked }) => [{ value: unasked }]),
    counter('withheld_records_total', 'Records not published for what they hold, by label.', ({ withheld }) =>
      labelled('label', withheld),
    ),
    counter('redacted_records_total', 'Records of which fields were taken out.', ({ redacted }) => [
      { value: redacted },
    ]),
    counter('left_out_records_total', 'Records not published, by reason.', ({ leftOut, missed }) =>
      labelled('reason', { ...leftOut, missed }),
    ),
  ]
}

function* labelled(label: string, counts: object): Iterable<Sample> {
  for (const [name, value] of Object.entries(counts)) yield { labels: { [label]: name }, value: Number(value) }
}
