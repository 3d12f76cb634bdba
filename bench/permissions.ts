// Row `permissions`: row 1 with ten consoles, by senders and readers who have names and rights, beside the same by nobody in particular on
// this machine. The senders are one system with a secret and topic filters, the consoles a service with a token and the role observer,
// whose every batch is looked at before it is given.

import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'

import { hashSecret } from '../gateway/policy/secrets.ts'
import { makeToken } from '../gateway/policy/tokens.ts'
import { timestamp } from '../proto/time.ts'
import { serviceDefinition } from '../proto/wire.ts'
import { comparedFigures } from './compared.ts'
import { stampOffset, startConsoles } from './consoles-process.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { pipelined, runText } from './ingest.ts'
import { measureLoad } from './load-process.ts'
import { runPairs } from './pairs.ts'
import type { Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export const permissions: Row = {
  name: 'permissions',
  about: 'row 1 with ten consoles, all by principals with roles and filters, beside the same by nobody in particular',
  run: compare,
}

const streams = 10
const secret = 'a secret of the benchmark'

async function compare({ pairs: count, messages, say }: RowOptions): Promise<RowResult> {
  const load = { ...pipelined, messages: messages ?? pipelined.messages }
  const run = async (named: boolean) => {
    const gateway = await startGatewayProcess()
    try {
      const token = named ? await enter(gateway.grpcAddress) : undefined
      const consoles = await startConsoles(gateway.grpcAddress, streams, stampOffset(), token)
      try {
        const who = named ? { credentials: ['system:load', secret] as const } : {}
        const measured = await measureLoad({ ...load, ...who, port: gateway.mqttPort }, gateway.pid)
        const { deliveries } = await consoles.report()
        return { ...measured, deliveries }
      } finally {
        await consoles.stop()
      }
    } finally {
      await gateway.stop()
    }
  }
  const pairs = await runPairs(
    count,
    () => run(true),
    () => run(false),
    ({ a, b }, number) => say(`pair ${number}: by principals ${runText(a)}; by nobody ${runText(b)}`),
  )
  return {
    figures: [
      ...comparedFigures(pairs, { a: 'by principals', b: 'by nobody' }, 0.9),
      { name: 'by principals, delivered', value: spread(pairs.map(({ a }) => a.deliveries)), unit: '' },
    ],
    notes: ['With ten consoles; what they were given by then is delivered, the rest follows.'],
  }
}

/** The token of the consoles. */
async function enter(grpcAddress: string): Promise<string> {
  const Admin = makeGenericClientConstructor(serviceDefinition('tocsin.v1.AdminService'), 'Admin')
  const client = new Admin(grpcAddress, credentials.createInsecure())
  const put = (request: object): Promise<void> =>
    new Promise((resolve, reject) => {
      client['PutPrincipal']!(request, (error: Error | null) => (error ? reject(error) : resolve()))
    })
  try {
    const secretHash = await hashSecret(Buffer.from(secret))
    await put({
      principal: { principal: 'system:load', publishTopics: ['tocsin/in/senml/#', 'gauges/+/up'] },
      secretHash,
    })
    const { id, sha256, text } = makeToken()
    const expiresAt = timestamp(BigInt(Date.now() + 86_400_000) * 1_000_000n)
    await put({
      principal: { principal: 'service:consoles', roles: ['observer'] },
      addTokens: [{ id, sha256, expiresAt }],
    })
    return text
  } finally {
    client.close()
  }
}
