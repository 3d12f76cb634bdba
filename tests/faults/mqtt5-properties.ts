// The properties of MQTT 5 (§2.2.2), written and read from a table of this file's own: the judge of the gateway's shares nothing with it.
// User properties and subscription identifiers keep their order and their repetitions.

import { text } from '../tools/raw-mqtt.ts'

export interface Mqtt5Properties {
  readonly payloadFormat?: number
  readonly messageExpirySeconds?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlation?: string
  readonly identifiers?: readonly number[]
  readonly sessionExpirySeconds?: number
  readonly assignedClientId?: string
  readonly serverKeepAliveSeconds?: number
  readonly willDelaySeconds?: number
  readonly reason?: string
  readonly receiveMaximum?: number
  readonly topicAliasMaximum?: number
  readonly topicAlias?: number
  readonly packetBytesMax?: number
  readonly user?: readonly (readonly [name: string, value: string])[]
}

type Kind = 'byte' | 'two' | 'four' | 'variable' | 'text' | 'pair'

/** Table 2-4 of the standard; without a name: read over. */
const table: Readonly<Record<number, readonly [Kind, (keyof Mqtt5Properties)?]>> = {
  0x01: ['byte', 'payloadFormat'],
  0x02: ['four', 'messageExpirySeconds'],
  0x03: ['text', 'contentType'],
  0x08: ['text', 'responseTopic'],
  0x09: ['text', 'correlation'],
  0x0b: ['variable', 'identifiers'],
  0x11: ['four', 'sessionExpirySeconds'],
  0x12: ['text', 'assignedClientId'],
  0x13: ['two', 'serverKeepAliveSeconds'],
  0x15: ['text'],
  0x16: ['text'],
  0x17: ['byte'],
  0x18: ['four', 'willDelaySeconds'],
  0x19: ['byte'],
  0x1a: ['text'],
  0x1c: ['text'],
  0x1f: ['text', 'reason'],
  0x21: ['two', 'receiveMaximum'],
  0x22: ['two', 'topicAliasMaximum'],
  0x23: ['two', 'topicAlias'],
  0x24: ['byte'],
  0x25: ['byte'],
  0x26: ['pair', 'user'],
  0x27: ['four', 'packetBytesMax'],
  0x28: ['byte'],
  0x29: ['byte'],
  0x2a: ['byte'],
}

/** With their length in front. */
export function propertiesBytes(properties: Mqtt5Properties): Buffer {
  const parts: Buffer[] = []
  for (const [id, [kind, name]] of Object.entries(table)) {
    const value = name && properties[name]
    if (value === undefined) continue
    const all = Array.isArray(value) ? (value as readonly unknown[]) : [value]
    for (const one of all) parts.push(Buffer.of(Number(id)), valueBytes(kind, one))
  }
  const whole = Buffer.concat(parts)
  return Buffer.concat([variable(whole.length), whole])
}

function valueBytes(kind: Kind, value: unknown): Buffer {
  if (kind === 'pair') return Buffer.concat((value as readonly string[]).map((each) => text(each)))
  if (kind === 'text') return text(value as string)
  const number = value as number
  if (kind === 'variable') return variable(number)
  const bytes = Buffer.alloc(kind === 'byte' ? 1 : kind === 'two' ? 2 : 4)
  bytes.writeUIntBE(number, 0, bytes.length)
  return bytes
}

function variable(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Buffer.from(bytes)
  }
}

const none: Mqtt5Properties = {}

/** What stands at `at`, its length in front, and where it ends. */
export function readProperties(
  bytes: Buffer,
  at: number,
): { readonly properties: Mqtt5Properties; readonly end: number } {
  if (bytes[at] === 0) return { properties: none, end: at + 1 }
  const found: Record<string, unknown> = {}
  let next = at
  const number = (size: number): number => bytes.readUIntBE((next += size) - size, size)
  const varied = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = number(1)
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const string = (): string => {
    const length = number(2)
    return bytes.toString('utf8', next, (next += length))
  }
  const length = varied()
  const end = next + length
  while (next < end) {
    const id = number(1)
    const [kind, name] = table[id] ?? []
    if (!kind) throw new Error(`a property ${id} that MQTT 5 does not have`)
    const value =
      kind === 'pair' ? [string(), string()]
      : kind === 'text' ? string()
      : kind === 'variable' ? varied()
      : number(kind === 'byte' ? 1 : kind === 'two' ? 2 : 4) // prettier-ignore
    if (name === 'user' || name === 'identifiers') ((found[name] ??= []) as unknown[]).push(value)
    else if (name) found[name] = value
  }
  return { properties: found, end }
}
