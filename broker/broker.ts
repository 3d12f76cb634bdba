// The MQTT broker of the gateway. Its promise: nothing is acknowledged before `receive` says that it is safe, every permitted
// message reaches its subscribers, and no client can hold up, crash or fill the house.

import type { Broker, BrokerParts, Principal } from './port.ts'

export type * from './port.ts'

export declare function createBroker<P extends Principal>(parts: BrokerParts<P>): Broker
