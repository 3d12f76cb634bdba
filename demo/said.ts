// What a part of the story is made of: at a minute somebody says something, in bytes, on a topic or to a path.

/** A minute of the story → when that is on the clock of whoever says it. */
export type TimeOf = (minute: number) => Date

export interface Said {
  readonly minute: number
  /** The client id, by MQTT; every sender has a connection of its own. */
  readonly by: string
  readonly over: 'mqtt' | 'http'
  /** Topic, or the path behind the gateway's address. */
  readonly to: string
  /** For HTTP. */
  readonly contentType?: string
  readonly bytes: (timeOf: TimeOf) => string | Uint8Array
  /** What is to become of it: the kinds of its events in order, or the fault for which it is refused. */
  readonly becomes: readonly string[] | { readonly fault: string }
  /** What the narrator says before it. */
  readonly scene?: string
}

/** Whole minutes from `first` to the end of the hour. */
export const every = (stepMin: number, first: number, last = 59): number[] =>
  Array.from({ length: Math.floor((last - first) / stepMin) + 1 }, (_, n) => first + n * stepMin)

export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
