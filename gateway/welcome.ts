// What a newcomer reads when the gateway has started: where it listens, and what to try next.

import type { Gateway } from './gateway.ts'
import type { Settings } from './settings.ts'

export function welcome({ mqtt, grpc, http }: Gateway['addresses'], settings: Settings): string {
  const rows: [string, string][] = [
    ['MQTT', mqtt.join('  ')],
    ['gRPC', grpc ?? 'off'],
    ['HTTP', http ? `${http}/healthz  /readyz  /metrics  /docs` : 'off'],
    ['data', settings.data_dir],
    ['InfluxDB', settings['influx.url'] ?? 'off (set influx.url)'],
  ]
  const port = /:(\d+)$/.exec(mqtt.find((address) => address.startsWith('mqtt://')) ?? '')?.[1] ?? '1883'
  return [
    'Tocsin is listening.',
    ...rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}`),
    'Try, in another terminal:',
    '  npx tocsin watch',
    `  mosquitto_pub -p ${port} -q 1 -t tocsin/in/senml/gauge-7 -m '[{"n":"water-level","u":"m","v":2.31}]'`,
    '',
  ].join('\n')
}
