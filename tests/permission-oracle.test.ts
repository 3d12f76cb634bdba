// 100,000 generated questions of who may subscribe to, be given and publish what, judged by a second reading of the standard: no wildcard,
// `$share` or `$SYS` reaches beyond what somebody was given.

import { expect, test } from 'vitest'
import { sharedFilter } from '../broker/shared-filter.ts'
import { createPermissions, type MqttPrincipal } from '../gateway/policy/principals.ts'
import { readRoles } from '../gateway/policy/roles.ts'
import { readSettings } from '../gateway/settings.ts'
import { seededRandom } from './faults/fault-disk.ts'
import { createTopicOracle } from './faults/topic-oracle.ts'
import { noWaitingRoom, openRegistry } from './tools/registry.ts'

const cases = 100_000
const perPolicy = 100
const seed = Number(process.env['TOCSIN_SEED'] ?? Date.now() % 2 ** 31)

test(
  `of ${cases.toLocaleString('en')} cases none reaches beyond its permissions (TOCSIN_SEED=${seed})`,
  { timeout: 60_000 },
  () => {
    const oracle = createTopicOracle()
    const random = seededRandom(seed)
    const permissions = createPermissions({
      devices: noWaitingRoom,
      settings: readSettings({ environment: {} }),
      registry: openRegistry(),
      roles: readRoles([]),
      labelsOf: () => 0,
    })
    const sum = { granted: 0, refused: 0, given: 0, published: 0 }
    for (let policy = 0; policy < cases / perPolicy; policy++) {
      const draw = (): string[] => Array.from({ length: 1 + Math.floor(random() * 3) }, () => oracle.drawFilter(random))
      const principal: MqttPrincipal = {
        name: `mqtt:${policy}`,
        authenticated: true,
        publish: draw(),
        subscribe: draw(),
        labels: 0,
        refusals: `tocsin/refused/${policy}`,
        verdicts: new Map(),
      }
      const { publish, subscribe } = principal
      for (let i = 0; i < perPolicy; i++) {
        const drawn = oracle.drawFilter(random)
        const asked = random() < 0.3 ? `$share/g${i}/${drawn}` : drawn
        const filter = sharedFilter(asked)?.filter ?? asked
        const topic = oracle.world[Math.floor(random() * oracle.world.length)]!
        if (permissions.maySubscribe(principal, filter)) {
          sum.granted++
          expect(oracle.beyond(filter, subscribe), `${asked} for ${subscribe.join(' ')}`).toBeUndefined()
        } else sum.refused++
        const isGiven = permissions.mayReceive(principal, topic)
        expect(isGiven, `${topic} for ${subscribe.join(' ')}`).toBe(subscribe.some((one) => oracle.matches(one, topic)))
        if (isGiven) sum.given++
        const isPublished = permissions.mayPublish(principal, topic)
        const may = !topic.startsWith('$') && publish.some((one) => oracle.matches(one, topic))
        expect(isPublished, `${topic} from ${publish.join(' ')}`).toBe(may)
        if (isPublished) sum.published++
      }
    }
    expect(sum.granted + sum.refused).toBe(cases)
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(cases / 50)
  },
)
