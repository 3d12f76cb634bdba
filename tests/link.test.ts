// Links to other brokers: what the settings may say, what topics become, and two gateways joined by a link, one of them in a ring.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configuredLinks } from '../gateway/links/link-settings.ts'
import { filterFault, filtersMeet, inward, outward } from '../gateway/links/link-topics.ts'
import { topicMatches } from '../gateway/policy/topic-filters.ts'
import { refuseUnsafe } from '../gateway/policy/unsafe/unsafe-checks.ts'
import { readSettings } from '../gateway/settings.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { scrape } from './prove/metrics.ts'
import { until } from './tools/broker.ts'
import { freePort } from './tools/free-port.ts'
import { tempFolder } from './tools/temp-folder.ts'

const folder = tempFolder('links')
let files = 0

function settingsOf(lines: string) {
  const file = join(folder, `tocsin-${files++}.yaml`)
  writeFileSync(file, lines)
  return readSettings({ file, environment: {} })
}

const faults = (link: string, environment = {}): string => {
  try {
    configuredLinks(settingsOf(`gateway: {name: a.example}\nmqtt:\n  links:\n    - {name: b, ${link}}\n`), environment)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('the setting mqtt.links', () => {
  const carries = 'out: [{filter: "a/#"}]'

  test('is off, and sound links have a session that is kept, at MQTT 5', () => {
    expect(configuredLinks(settingsOf(''))).toEqual([])
    const lines =
      'gateway: {name: a.example}\nmqtt: {links: [{name: b, url: "mqtts://broker.b.example", in: [{filter: "x/#", local_prefix: "b/"}]}]}'
    expect(configuredLinks(settingsOf(lines))).toMatchObject([
      {
        name: 'b',
        version: 5,
        clientId: 'a.example-b',
        place: { kind: 'tls', host: 'broker.b.example', port: 8883 },
        sessionExpirySeconds: 604_800,
        keepAliveSeconds: 60,
        in: [{ filter: 'x/#', localPrefix: 'b/', remotePrefix: '', qos: 1 }],
        out: [],
      },
    ])
  })

  test.each([
    ['url: "http://b", out: [{filter: "#"}]', /url must be an address such as mqtts/],
    [`url: "mqtt://me:pw@127.0.0.1", ${carries}`, /url holds a name or a password; write username and password_file/],
    ['url: "mqtt://127.0.0.1"', /neither in nor out says what it carries/],
    [
      'url: "mqtt://127.0.0.1", out: [{filter: "a/#/b"}]',
      /out\.0\.filter: "a\/#\/b" has a # that is not its whole last level/,
    ],
    ['url: "mqtt://127.0.0.1", out: [{filter: "$SYS/#"}]', /begins with \$/],
    ['url: "mqtt://127.0.0.1", version: 3, out: [{filter: a}]', /version: must be 5 \(MQTT 5\) or 4/],
    [`url: "mqtt://127.0.0.1", keep_alive: 30, ${carries}`, /keep_alive: must be a time with its unit/],
    [`url: "mqtt://127.0.0.1", password_file: /nowhere, ${carries}`, /has a password and no username/],
    [
      `url: "mqtt://127.0.0.1", username: u, password_file: /nowhere, ${carries}`,
      /password_file: \/nowhere cannot be read/,
    ],
    [`url: "mqtt://127.0.0.1", username: u, password_environment: B_PASSWORD, ${carries}`, /B_PASSWORD is not set/],
    [
      'url: "mqtt://127.0.0.1", version: 4, in: [{filter: "a/+"}], out: [{filter: "a/#"}]',
      /brings back what out a\/# sends, for ever/,
    ],
  ])('says what is wrong with {%s}', (link, fault) => expect(faults(link)).toMatch(fault))

  test('wants a name for the gateway, so that what comes back is known', () => {
    const lines = `mqtt: {links: [{name: b, url: "mqtt://127.0.0.1", ${carries}}]}`
    expect(() => configuredLinks(settingsOf(lines))).toThrow(/set gateway\.name/)
  })

  test('takes a password from a file that others cannot read, or from the environment, and shows it to nobody', () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'hush\n', { mode: 0o600 })
    const link = (how: string) => `url: "mqtt://127.0.0.1", username: u, ${how}, ${carries}`
    const read = (how: string, environment = {}) =>
      configuredLinks(
        settingsOf(`gateway: {name: a.example}\nmqtt: {links: [{name: b, ${link(how)}}]}`),
        environment,
      )[0]?.password
    expect(String(read(`password_file: ${secret}`))).toBe('hush')
    expect(String(read('password_environment: B_PASSWORD', { B_PASSWORD: 'still' }))).toBe('still')
    chmodSync(secret, 0o644)
    const fault = faults(link(`password_file: ${secret}`))
    expect(fault).toMatch(/can be read by other users; run chmod 600/)
    expect(fault).not.toMatch(/hush/)
  })

  test('may not lead over a network in plain text', () => {
    const open = (url: string) => () =>
      refuseUnsafe({
        settings: settingsOf(`gateway: {name: a.example}\nmqtt: {links: [{name: b, url: "${url}", ${carries}}]}`),
        environment: {},
        now: 1_795_000_000_000_000_000n,
      })
    expect(open('mqtt://10.0.0.5')).toThrow(/mqtt\.links, b: mqtt:\/\/10\.0\.0\.5 would send .* write mqtts:\/\//)
    expect(open('ws://broker.b.example/mqtt')).toThrow(/write wss:\/\//)
    expect(open('mqtt://127.0.0.1:1884')).not.toThrow()
    expect(open('mqtts://10.0.0.5')).not.toThrow()
  })
})

describe('topics', () => {
  const rules = [
    { filter: 'sensors/#', localPrefix: '', remotePrefix: 'county-a/' },
    { filter: '#', localPrefix: 'shared/', remotePrefix: '' },
  ]

  test('change their prefix by the first rule that fits, there and back', () => {
    const there = (topic: string) => outward(rules)(topic)?.topic
    const back = (topic: string) => inward(rules)(topic)?.topic
    expect(['sensors/7', 'shared/x/y', 'other'].map(there)).toEqual(['county-a/sensors/7', 'x/y', undefined])
    expect(['county-a/sensors/7', 'x/y'].map(back)).toEqual(['sensors/7', 'shared/x/y'])
  })

  test('that two filters both match mean that the filters meet', () => {
    const level = fc.constantFrom('a', 'b', '+')
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
    const levels = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(filter, filter, levels, (one, other, names) => {
        const topic = names.join('/')
        expect(filterFault(one)).toBeUndefined()
        if (topicMatches(one, topic) && topicMatches(other, topic)) expect(filtersMeet(one, other)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
    expect([filtersMeet('a/+', 'b/#'), filtersMeet('a', 'a/b'), filtersMeet('a/#', 'a')]).toEqual([false, false, true])
  })
})

describe('two gateways', () => {
  let a: GatewayProcess
  let b: GatewayProcess
  /** What goes out by one link of a comes in by the other, as in a ring; b reads orders of a. */
  const linksOf = {
    a: (port: number) => [
      `    - {name: b, url: "mqtt://127.0.0.1:${port}", out: [{filter: "ring/#"}, {filter: "tocsin/v1/+/+/+/+/+", remote_prefix: "events-of-a/"}]}`,
      `    - {name: b-back, url: "mqtt://127.0.0.1:${port}", in: [{filter: "ring/#"}]}`,
    ],
    b: (port: number) => [
      `    - {name: a, url: "mqtt://127.0.0.1:${port}", in: [{filter: "orders/#", local_prefix: "from-a/", qos: 2}]}`,
    ],
  }
  const settingsFile = (name: 'a' | 'b', toPort: number): string => {
    const file = join(folder, `${name}.yaml`)
    writeFileSync(
      file,
      [`gateway: {name: ${name}.example}`, 'mqtt:', '  out: true', '  links:', ...linksOf[name](toPort)].join('\n'),
    )
    return file
  }

  beforeAll(async () => {
    const [portA, portB] = [await freePort(), await freePort()]
    ;[a, b] = await Promise.all([
      startGatewayProcess({ file: settingsFile('a', portB), mqttPort: portA }),
      startGatewayProcess({ file: settingsFile('b', portA), mqttPort: portB }),
    ])
    for (const gateway of [a, b]) {
      const isUp = async (): Promise<boolean> =>
        (await scrape(gateway.http)).total('tocsin_link_up') === (gateway === a ? 2 : 1)
      while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }, 60_000)
  afterAll(() => Promise.all([a?.stop(), b?.stop()]))

  const client = ({ mqttPort }: GatewayProcess) =>
    connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { protocolVersion: 5, reconnectPeriod: 0 })

  test('a message that comes back by another link is known, and is given once at either end, with its properties', async () => {
    const [here, there] = [await client(a), await client(b)]
    const got: { at: string; payload: string; properties: unknown }[] = []
    for (const [at, one] of [
      ['a', here],
      ['b', there],
    ] as const) {
      one.on('message', (_topic, payload, packet) =>
        got.push({ at, payload: String(payload), properties: packet.properties }),
      )
      await one.subscribeAsync('ring/#', { qos: 1 })
    }
    const properties = {
      contentType: 'text/plain',
      userProperties: { unit: 'm', colour: 'red' },
      messageExpiryInterval: 600,
    }
    await here.publishAsync('ring/1', 'round', { qos: 1, properties })
    await until(() => got.length === 2, 'at both ends')
    const returned = async () => (await scrape(a.http)).total('tocsin_link_dropped_total', { cause: 'returned' })
    while ((await returned()) === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(got.map(({ at }) => at).toSorted()).toEqual(['a', 'b'])
    const atB = got.find(({ at }) => at === 'b')!
    expect(atB.properties).toMatchObject({ contentType: 'text/plain', userProperties: { unit: 'm', colour: 'red' } })
    expect(atB.properties).toMatchObject({ userProperties: { 'tocsin-gateway': 'a.example' } })
    await Promise.all([here.endAsync(), there.endAsync()])
  }, 30_000)

  test('a message comes in under its local prefix, from the link as its sender', async () => {
    const [here, there] = [await client(a), await client(b)]
    const topics: string[] = []
    there.on('message', (topic) => topics.push(topic))
    await there.subscribeAsync('from-a/#', { qos: 2 })
    await here.publishAsync('orders/7', 'go', { qos: 2 })
    await until(() => topics.length === 1, 'arrived')
    expect(topics).toEqual(['from-a/orders/7'])
    expect((await scrape(b.http)).total('tocsin_link_received_total', { link: 'a' })).toBeGreaterThan(0)
    await Promise.all([here.endAsync(), there.endAsync()])
  }, 30_000)

  test('events go out too, and what may not be published there is kept from it', async () => {
    const [here, there] = [await client(a), await client(b)]
    const topics: string[] = []
    there.on('message', (topic) => topics.push(topic))
    await there.subscribeAsync('events-of-a/#', { qos: 1 })
    await here.publishAsync('tocsin/in/senml/gauge-7', '[{"n":"temperature","u":"Cel","v":21.5}]', { qos: 1 })
    await until(() => topics.length === 1, 'the event')
    expect(topics[0]).toMatch(/^events-of-a\/tocsin\/v1\/local\/actual\/routine\/observation\//)
    await Promise.all([here.endAsync(), there.endAsync()])
  }, 30_000)
})
