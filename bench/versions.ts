// Rows `1-v5` and `1-v5-alias`: row 1 by clients of MQTT 5 whose every PUBLISH carries properties, beside the same by clients of 3.1.1. Both
// sides are Tocsin, which keeps the properties in the log with the message.

import { comparedFigures } from './compared.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { pipelined, runText } from './ingest.ts'
import type { LoadForm } from './load-packets.ts'
import { measureLoad } from './load-process.ts'
import { runPairs } from './pairs.ts'
import type { Row, RowOptions, RowResult } from './row.ts'

export const version5Ingest: Row = {
  name: '1-v5',
  about: 'row 1 over MQTT 5 with content type, two user properties, expiry and correlation data, beside 3.1.1',
  run: (options) => compare('5', options),
}

export const version5AliasIngest: Row = {
  name: '1-v5-alias',
  about: 'row 1-v5 with a topic alias in place of the topic',
  run: (options) => compare('5-alias', options),
}

async function compare(form: LoadForm, { pairs: count, messages, say }: RowOptions): Promise<RowResult> {
  const run = async (each: LoadForm) => {
    const gateway = await startGatewayProcess()
    try {
      const load = { ...pipelined, messages: messages ?? pipelined.messages, form: each }
      return await measureLoad({ ...load, port: gateway.mqttPort }, gateway.pid)
    } finally {
      await gateway.stop()
    }
  }
  const pairs = await runPairs(
    count,
    () => run(form),
    () => run('3.1.1'),
    ({ a, b }, number) => say(`pair ${number}: MQTT 5 ${runText(a)}; 3.1.1 ${runText(b)}`),
  )
  return {
    figures: comparedFigures(pairs, { a: 'MQTT 5', b: '3.1.1' }, 0.9),
    notes: ['A message of MQTT 5 has 86 bytes of properties beside its 150 of payload, and all of them are kept.'],
  }
}
