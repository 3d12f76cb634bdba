// What an attack is: something done to a gateway from another address than dispatch's, in a process of its own, that says what the gateway
// did about it. Whether dispatch noticed is measured by somebody else.

export interface Target {
  readonly mqtt: number
  readonly mqtts: number
  readonly grpc: number
  /** With http.listen as https where the attack asks for it. */
  readonly http: number
  readonly seconds: number
  /** Connections, messages or tries, about. */
  readonly count: number
}

export interface Deeds {
  /** In figures: what was tried, and what came of it. */
  readonly text: string
  /** What the gateway did not refuse, close or bound as it should have. */
  readonly faults: readonly string[]
}

export interface Attack {
  readonly name: string
  readonly about: string
  readonly counts: { readonly test: number; readonly full: number }
  readonly overTls?: true
  run(target: Target): Promise<Deeds>
}

/** Its connections come from here; dispatch's from 127.0.0.1. */
export const attackersAddress = '127.0.0.66'

/** A principal of the gateway under attack who may do very little. */
export const narrow = { name: 'mallory', secret: 'a secret that mallory was given' } as const
export const narrowTopic = 'tocsin/in/senml/mallory'
