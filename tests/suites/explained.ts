// Misses that are right as they are, each with its clause; docs/mqtt.md, "Packet by packet", says more. Whoever mends one takes it out.

export interface Explanation {
  readonly suite: 'packets' | 'paho'
  readonly cases: RegExp
  readonly because: string
}

export const explanations: readonly Explanation[] = [
  {
    suite: 'paho',
    cases: /^MQTT 5 test_subscribe_failure$/,
    because:
      'it wants 0x80, which tells no reason; who is not permitted to subscribe is told so by 0x87 (MQTT 5 §3.9.3)',
  },
]

export const explanationOf = (name: string): string | undefined =>
  explanations.find(({ cases }) => cases.test(name))?.because
