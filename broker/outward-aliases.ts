// Topic aliases in what a client is sent (MQTT 5 §3.3.2.3.4): a number stands for a topic that it was sent before over the same
// connection. The first topics get one, as many as the client takes; only what was really sent counts.

export interface OutwardAliases {
  /** Undefined: it goes without. */
  of(topic: string): OutwardAlias | undefined
  sent(topic: string, alias: OutwardAlias): void
}

export interface OutwardAlias {
  readonly number: number
  /** The client knows it already, and is sent no topic. */
  readonly known: boolean
}

/** Undefined for a client that takes none, which is the rule. */
export function createOutwardAliases(most: number): OutwardAliases | undefined {
  if (most === 0) return undefined
  const numbers = new Map<string, number>()
  return {
    of(topic) {
      const number = numbers.get(topic)
      if (number !== undefined) return { number, known: true }
      return numbers.size < most ? { number: numbers.size + 1, known: false } : undefined
    },
    sent(topic, { number, known }) {
      if (!known) numbers.set(topic, number)
    },
  }
}
