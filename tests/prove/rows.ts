// Every row of the proof, in the order of the table.

import { accounting } from './accounting.ts'
import { bridge } from './bridge.ts'
import { clock } from './clock.ts'
import { stalledConsole } from './console.ts'
import { diskFull } from './disk-full.ts'
import { expiryOfMqtt5 } from './expiry.ts'
import { flippedBit } from './flipped-bit.ts'
import { manyFrozen, oneFrozen, oneFrozenOfMqtt5 } from './frozen.ts'
import { fuzz } from './fuzz.ts'
import { hostileSockets } from './hostile-sockets.ts'
import { influxdbAway } from './influxdb-away.ts'
import { kill, killOfMqtt5, powerLoss, powerLossOfMqtt5 } from './kill.ts'
import {
  order,
  orderOfMqtt5,
  orderOfMqtt5ThroughKills,
  orderOfMqtt5ThroughPowerLosses,
  orderOfMqtt5ThroughStorms,
  orderThroughKills,
  orderThroughPowerLosses,
  orderThroughStorms,
} from './order.ts'
import { packets, paho } from './packets.ts'
import { permissions } from './permissions.ts'
import { retained } from './retained.ts'
import type { Row } from './row.ts'
import { power, powerSessions, powerSessionsOfMqtt5, syncs } from './simulated.ts'

export const rows: readonly Row[] = [
  kill,
  killOfMqtt5,
  powerLoss,
  powerLossOfMqtt5,
  power,
  powerSessions,
  powerSessionsOfMqtt5,
  syncs,
  diskFull,
  flippedBit,
  clock,
  expiryOfMqtt5,
  order,
  orderThroughKills,
  orderThroughPowerLosses,
  orderThroughStorms,
  orderOfMqtt5,
  orderOfMqtt5ThroughKills,
  orderOfMqtt5ThroughPowerLosses,
  orderOfMqtt5ThroughStorms,
  bridge,
  retained,
  oneFrozen,
  manyFrozen,
  oneFrozenOfMqtt5,
  stalledConsole,
  permissions,
  packets,
  paho,
  fuzz,
  hostileSockets,
  influxdbAway,
  accounting,
]
