// Misses that are right as they are, each with its clause; docs/mqtt.md, "Packet by packet", says more. Whoever mends one takes it out.

export interface Explanation {
  readonly cases: RegExp
  readonly because: string
}

export const explanations: readonly Explanation[] = []

export const explanationOf = (name: string): string | undefined =>
  explanations.find(({ cases }) => cases.test(name))?.because
