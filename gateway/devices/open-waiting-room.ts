// The waiting room as the settings have it.

import type { Broker } from '../../broker/port.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import type { State } from '../log/state.ts'
import type { Logger } from '../logger.ts'
import type { PipelineParts } from '../pipeline.ts'
import type { Registry } from '../policy/registry.ts'
import { ingestRoot } from '../routes.ts'
import type { Settings } from '../settings.ts'
import { createFlow } from './flow.ts'
import { createKnownDevices } from './known-devices.ts'
import { createWaitingList } from './waiting-list.ts'
import { createWaitingRoom, type WaitingRoom } from './waiting-room.ts'

interface Parts {
  readonly settings: Settings
  readonly log: Log & { readonly state: State }
  readonly registry: Registry
  readonly pipeline: PipelineParts
  readonly clock: Clock
  readonly alarms: Alarms
  readonly logger: Logger
  /** It is made later. */
  broker(): Pick<Broker, 'renew'>
}

const ofOneMin = 100
const devicesMax = 10_000

export function openWaitingRoom(parts: Parts): WaitingRoom {
  const { settings, log, registry, pipeline } = parts
  const ofAllMax = settings['devices.waiting_max']
  const ofOneMax = Math.max(ofOneMin, Math.floor(ofAllMax / 100))
  const anonymousWait = settings['devices.admit'] === 'entered'
  return createWaitingRoom({
    ...parts,
    known: createKnownDevices({ state: log.state, registry, anonymousWait }),
    list: createWaitingList({ ofOneMax, ofAllMax, devicesMax }),
    flow: createFlow(pipeline),
    cut: (principal) => parts.broker().renew(principal),
    takesStrangers: settings['devices.unknown'] === 'wait',
    enter(device) {
      const name = `device:${device}`
      if (registry.get(name)) return
      registry.put({
        name,
        kind: 'device',
        agency: '',
        roles: [],
        only: {},
        publish: [`${ingestRoot}/+/${device}`],
        subscribe: [],
        certificates: [],
        tokens: [],
        disabled: false,
        note: 'admitted from the waiting room',
      })
    },
  })
}

/** What the pipeline needs of the room, which is made after it. */
export const waitingParts = (room: () => WaitingRoom): Pick<PipelineParts, 'waiting' | 'guarded'> => ({
  waiting: {
    entering: (sender, frame) => room().entering(sender, frame),
    entered: (sender, frame, number) => room().entered(sender, frame, number),
  },
  guarded: (sender) => room().guarded(sender),
})
