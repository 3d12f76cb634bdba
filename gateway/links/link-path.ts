// The gateways that a message has passed over links: a user property of MQTT 5 for each, so that a ring of links ends where it began.

import type { MessageProperties } from '../../broker/port.ts'

export const pathProperty = 'tocsin-gateway'

type UserProperties = MessageProperties['userProperties']

export const hasPassed = (properties: UserProperties, gateway: string): boolean =>
  properties?.some(([name, value]) => name === pathProperty && value === gateway) ?? false

export const withPassed = (properties: UserProperties, gateway: string): NonNullable<UserProperties> => [
  ...(properties ?? []),
  [pathProperty, gateway],
]
