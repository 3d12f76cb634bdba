// The exception by name: MQTT in plain text on the network, for devices that can do nothing else. Such a door is for a list of addresses,
// until a day, for a reason and with the officer who answers for it. Its clients may publish and nothing else, nobody knows who they are,
// and what they say is UNVERIFIED.

import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import type { Listener } from '../../broker/port.ts'
import { GatewayError } from '../../proto/errors.ts'
import { nsPerMs } from '../../proto/time.ts'
import { type Address, parseAddress } from '../addresses.ts'
import { approvalForm } from '../configured-inputs.ts'
import { filterFault } from '../links/link-topics.ts'
import { type Approval, ingestRoot } from '../routes.ts'
import type { Settings } from '../settings.ts'

export interface PlaintextDoor {
  readonly name: string
  /** As in the settings: "mqtt://192.0.2.10:1883". */
  readonly listen: string
  readonly place: Address
  /** Addresses and networks, as in the settings. */
  readonly onlyFrom: readonly string[]
  /** Filters of the topics on which its clients may publish. */
  readonly topics: readonly string[]
  readonly reason: string
  /** The last day, YYYY-MM-DD in UTC. */
  readonly until: string
  readonly approvedBy: Approval
  admits(address: string): boolean
  /** Nanoseconds since 1970-01-01 UTC. */
  isOver(now: bigint): boolean
}

/** As its listener and its clients are called, in records too. */
export const doorName = ({ name }: Pick<PlaintextDoor, 'name'>): string => `plain:${name}`

/** The first moment at which a door of this last day is closed, milliseconds since 1970-01-01 UTC. */
export const endOf = ({ until }: Pick<PlaintextDoor, 'until'>): number => Date.parse(until) + 86_400_000

const network = z.string().refine((text) => networkOf(text) !== undefined, {
  message: 'must be an address or a network such as 192.0.2.17 or 192.0.2.0/28',
})
const filter = z.string().superRefine((text, context) => {
  const fault = filterFault(text)
  if (fault) context.addIssue({ code: 'custom', message: `"${text}" ${fault}` })
})

const doorForm = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, hyphens or underscores'),
  listen: z.string(),
  only_from: z.array(network).min(1, 'names the addresses of the devices'),
  topics: z
    .array(filter)
    .min(1)
    .default([`${ingestRoot}/#`]),
  reason: z.string().trim().min(10, 'says why these devices can do nothing else').max(500),
  until: z.iso.date('is the last day, such as 2027-03-31'),
  approved_by: approvalForm,
})

/** Throws GatewayError settings_invalid naming every fault. */
export function plaintextDoors(settings: Settings): PlaintextDoor[] {
  const read = z.array(doorForm).safeParse(settings.plaintext_exceptions ?? [])
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `plaintext_exceptions.${issue.path.join('.')}: ${issue.message}`)
    throw new GatewayError('settings_invalid', faults.join('\n'))
  }
  return read.data.map(({ name, listen, only_from, topics, reason, until, approved_by }) => {
    const place = parseAddress(listen, `plaintext_exceptions, ${name}`)
    if (place.scheme !== 'mqtt' && place.scheme !== 'ws')
      throw new GatewayError(
        'settings_invalid',
        `plaintext_exceptions, ${name}: ${listen} must begin with mqtt:// or ws://; what speaks TLS belongs in mqtt.listen`,
      )
    const allowed = new BlockList()
    for (const { address, bits, family } of only_from.map((text) => networkOf(text)!))
      allowed.addSubnet(address, bits, family)
    return {
      name,
      listen,
      place,
      onlyFrom: only_from,
      topics,
      reason,
      until,
      approvedBy: approved_by,
      admits: (address) => isIP(address) > 0 && allowed.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'),
      isOver: (now) => Number(now / nsPerMs) >= endOf({ until }),
    }
  })
}

export interface Network {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

/** "192.0.2.17" is a network of 32 bits. */
export function networkOf(text: string): Network | undefined {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return undefined
  const most = version === 4 ? 32 : 128
  const given = bits === undefined ? most : Number(bits)
  return given > most ? undefined : { address, bits: given, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** `admits` is asked for each connection, so that a door closes by itself. */
export const plaintextListeners = (
  doors: readonly PlaintextDoor[],
  admits: (door: PlaintextDoor, address: string) => boolean,
): Listener[] =>
  doors.map((door) => ({
    name: doorName(door),
    kind: door.place.scheme === 'ws' ? 'ws' : 'tcp',
    address: door.place.address,
    port: door.place.port,
    admits: (address) => admits(door, address),
  }))
