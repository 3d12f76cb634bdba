// The list of attacks. One is a function in the file of its kind; what is not listed here is not run, and a test finds that.

import type { Attack } from './attack.ts'
import { parserBombs, zipBombs } from './bombs.ts'
import { oversize, packetFlood, retainedFlood, subscriptionFlood, willFlood } from './floods.ts'
import { slowBodies, slowHeaders, slowHeadersTls, slowReads } from './http-slow.ts'
import { closedWindow, continuations, grpcBombs, grpcConnections, rapidReset, settingsFlood } from './http2.ts'
import { bypass, hostileNames, secretGuessing, takeover, tokenGuessing } from './identity.ts'
import { connectFlood, halfHandshakes, slowite, trickledConnect } from './mqtt-slow.ts'

export const attacks: readonly Attack[] = [
  slowite,
  trickledConnect,
  halfHandshakes,
  connectFlood,
  slowHeaders,
  slowHeadersTls,
  slowBodies,
  slowReads,
  rapidReset,
  continuations,
  settingsFlood,
  closedWindow,
  grpcConnections,
  grpcBombs,
  parserBombs,
  zipBombs,
  willFlood,
  retainedFlood,
  subscriptionFlood,
  oversize,
  packetFlood,
  takeover,
  bypass,
  secretGuessing,
  tokenGuessing,
  hostileNames,
]
