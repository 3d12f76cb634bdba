// Our broker on a free port of 127.0.0.1, with a house behind it that remembers what it was given and settles it when the test
// says so. Everybody is let in under the name he gives, unless the test's own parts say otherwise.

import {
  createBroker,
  type Broker,
  type BrokerEvent,
  type BrokerParts,
  type InboundPublish,
  type Verdict,
} from '../../broker/broker.ts'
import { systemClock } from '../../gateway/clock.ts'

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  readonly url: string
  readonly received: InboundPublish[]
  readonly events: BrokerEvent[]
  readonly errors: unknown[]
}

const open = new Set<Broker>()

export async function startBroker(parts: Partial<BrokerParts<{ name: string }>> = {}): Promise<TestBroker> {
  const received: InboundPublish[] = []
  const events: BrokerEvent[] = []
  const errors: unknown[] = []
  const quiet = (): void => {}
  const receive = parts.receive ?? ((): Promise<Verdict> => Promise.resolve('accepted'))
  const broker = createBroker<{ name: string }>({
    listeners: [{ name: 'tcp', kind: 'tcp', address: '127.0.0.1', port: 0 }],
    authenticate: ({ username }) => Promise.resolve({ name: username ?? 'anybody' }),
    mayPublish: () => true,
    maySubscribe: () => true,
    mayReceive: () => true,
    log: { debug: quiet, info: quiet, warn: quiet, error: (fields, message) => errors.push({ ...fields, message }) },
    clock: systemClock,
    onEvent: (event) => events.push(event),
    ...parts,
    receive(principal, message) {
      received.push({ ...message, payload: Buffer.from(message.payload) })
      return receive(principal, message)
    },
  })
  await broker.start()
  open.add(broker)
  const port = broker.addresses[0]!.port
  return { broker, port, url: `mqtt://127.0.0.1:${port}`, received, events, errors }
}

/** For afterEach. */
export async function closeBrokers(): Promise<void> {
  await Promise.all([...open].map((broker) => broker.close()))
  open.clear()
}

/** A `receive` whose every call waits until the test settles it. */
export function heldReceive(): {
  readonly calls: { readonly message: InboundPublish; settle(verdict: Verdict | Error): void }[]
  receive(principal: unknown, message: InboundPublish): Promise<Verdict>
} {
  const calls: { message: InboundPublish; settle(verdict: Verdict | Error): void }[] = []
  return {
    calls,
    receive: (_principal, message) =>
      new Promise((resolve, reject) => {
        calls.push({ message, settle: (verdict) => (typeof verdict === 'string' ? resolve(verdict) : reject(verdict)) })
      }),
  }
}

/** Waits until it is so; the test's own time limit ends it otherwise. */
export async function until(so: () => boolean, what: string, msMax = 3_000): Promise<void> {
  const end = performance.now() + msMax
  while (!so()) {
    if (performance.now() > end) throw new Error(`not within ${msMax} ms: ${what}`)
    await pause(2)
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
