// Our broker on a free port of 127.0.0.1, with a house behind it that remembers what it was given and settles it when the test
// says so. Everybody is let in under the name he gives, unless the test's own parts say otherwise.

import { randomBytes } from 'node:crypto'
import {
  createBroker,
  type Broker,
  type BrokerEvent,
  type BrokerParts,
  type InboundPublish,
  type MessageKind,
  type QoS,
  type Verdict,
} from '../../broker/broker.ts'
import { systemClock } from '../../gateway/clock.ts'
import { createMemoryLog, createMemoryStore, type MemoryLog } from './memory-log.ts'

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  readonly url: string
  readonly received: InboundPublish[]
  readonly events: BrokerEvent[]
  readonly errors: unknown[]
  readonly log: MemoryLog
  /** A message that the log has from elsewhere. */
  say(message: { topic: string; payload: Uint8Array | string; qos?: QoS; retain?: boolean; kind?: MessageKind }): void
}

/** `log` and `store`: of a broker before, so that this one is that one after a restart. */
export type TestParts = Partial<Omit<BrokerParts<{ name: string }>, 'take'>> & {
  readonly memory?: MemoryLog
  /** `take` as a promise. */
  readonly receive?: (principal: { name: string }, message: InboundPublish) => Promise<Verdict>
}

const open = new Set<Broker>()
const accept = (): Promise<Verdict> => Promise.resolve('accepted')

export async function startBroker({
  memory = createMemoryLog(),
  receive = accept,
  ...parts
}: TestParts = {}): Promise<TestBroker> {
  const received: InboundPublish[] = []
  const events: BrokerEvent[] = []
  const errors: unknown[] = []
  const quiet = (): void => {}
  const broker = createBroker<{ name: string }>({
    listeners: [{ name: 'tcp', kind: 'tcp', address: '127.0.0.1', port: 0 }],
    authenticate: ({ username }) => Promise.resolve({ name: username ?? 'anybody' }),
    mayPublish: () => true,
    maySubscribe: () => true,
    mayReceive: () => true,
    mayBeAnswered: () => true,
    explain: (_principal, { what }) => `no ${what} here`,
    log: { debug: quiet, info: quiet, warn: quiet, error: (fields, message) => errors.push({ ...fields, message }) },
    clock: systemClock,
    onEvent: (event) => events.push(event),
    newFrameId: () => randomBytes(16),
    isStored: (id) => memory.has(id),
    recall: (name) => ({ name }),
    sources: [memory],
    store: createMemoryStore(),
    ...parts,
    take(principal, message, told) {
      received.push({ ...message, payload: Buffer.from(message.payload) })
      receive(principal, message).then(
        (verdict) => {
          if (verdict === 'accepted' && message.permitted) {
            const stored = memory.append(message)
            broker.deliver(memory, [stored], stored.number)
          }
          told.settled(verdict)
        },
        () => told.notTaken(),
      )
    },
  })
  await broker.start()
  open.add(broker)
  const port = broker.addresses[0]!.port
  const say: TestBroker['say'] = ({ topic, payload, qos = 1, retain = false, kind }) => {
    const stored = memory.append({ ...aMessage, topic, payload: Buffer.from(payload), qos, retain }, kind)
    broker.deliver(memory, [stored], stored.number)
  }
  return { broker, port, url: `mqtt://127.0.0.1:${port}`, received, events, errors, log: memory, say }
}

const aMessage = {
  dup: false,
  clientId: 'elsewhere',
  protocolVersion: 4,
  will: false,
  permitted: true,
  properties: {},
} as const

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
