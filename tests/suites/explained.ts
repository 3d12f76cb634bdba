// Misses that are right as they are, each with its clause; docs/mqtt.md, "Packet by packet", says more. Whoever mends one takes it out.

export interface Explanation {
  readonly cases: RegExp
  readonly because: string
}

export const explanations: readonly Explanation[] = [
  {
    cases:
      /^v3\.1\.1 SUBSCRIBE 82 \$share ok$|^REGRESSIONS (mismatched-shared-normal-subscribe-unsubscribe-leak|shared-sub-uaf)$/,
    because:
      'there are no shared subscriptions yet, and one that is granted and never served would hide that (MQTT 3.1.1 §3.9.3: 0x80)',
  },
]

export const explanationOf = (name: string): string | undefined =>
  explanations.find(({ cases }) => cases.test(name))?.because
