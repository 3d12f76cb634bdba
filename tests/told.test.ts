// What goes wrong is said to all three: the device hears it on its own topic, the operator by `tocsin` and the log of the process, and
// the metrics count it; and after the fix a replay brings the message in with its original time. By mosquitto's own clients.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { timestampNs } from '../proto/time.ts'
import { Flag } from '../proto/generated/types.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { listAll } from './gateway/reader.ts'
import type { Child } from './tools/child.ts'
import { mosquittoPub, mosquittoRr, mosquittoSub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const settingsFile = (format: string, hash: string, inputs = ''): string => `
gateway: {jurisdiction: county-a.example, owner: em.county-a.example}
mqtt:
  packet_bytes_max: 64KiB
  users:
    - {name: tank-7, secret_hash: "${hash}", publish: ['plant/tank-7/#', 'tocsin/in/#']}
    - {name: tank-8, secret_hash: "${hash}", publish: ['plant/tank-8/#'], subscribe: ['#']}
    - {name: keeper, secret_hash: "${hash}", subscribe: ['tocsin/refused/#']}
${inputs}
mappings:
  - name: tank
    topics: [plant/+/state]
    device: =$topic[1]
    time: {path: ts, format: ${format}}
    measurements:
      - {quantity: water_level, value: level.cm, unit: cm}
`

interface Notice {
  readonly frame_id?: string
  readonly topic?: string
  readonly fault?: string
  readonly warning?: string
  readonly why: string
  readonly what_to_do: string
  readonly received_at: string
}

describeWithTools('what is wrong with a message', () => {
  const file = join(tempFolder('settings'), 'tocsin.yaml')
  let gateway: GatewayProcess
  let hash: string
  let keeper: Child

  const as = (name: string, ...args: string[]): string[] => {
    const who = ['-i', name, '-u', name, '-P', 'secret']
    return ['-p', String(gateway.mqttPort), ...who, '-q', '1', ...args]
  }
  /** The device publishes, and hears what the gateway says to it. */
  async function told(topic: string, message: string): Promise<Notice> {
    const outcome = await mosquittoRr(
      as('tank-7', '-t', topic, '-e', 'tocsin/refused/tank-7', '-m', message, '-W', '10'),
    )
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    return JSON.parse(outcome.stdout) as Notice
  }
  const tocsin = (...args: string[]): Promise<Outcome> =>
    run(nodePath, ['bin/tocsin', ...args, '--server', gateway.grpc], { cwd: projectHome, timeoutMs: 30_000 })
  const metric = async (series: string): Promise<number> => {
    const text = await (await fetch(`${gateway.http}/metrics`)).text()
    const line = text.split('\n').find((each) => each.startsWith(`${series} `))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  const help = async (family: string): Promise<string> => {
    const text = await (await fetch(`${gateway.http}/metrics`)).text()
    return text.split('\n').find((line) => line.startsWith(`# HELP ${family} `)) ?? ''
  }
  async function start(format: string, dataDir?: string, inputs?: string): Promise<void> {
    writeFileSync(file, settingsFile(format, hash, inputs))
    gateway = await startGatewayProcess({ file, ...(dataDir === undefined ? {} : { dataDir }) })
  }

  beforeAll(async () => {
    hash = await hashSecret(Buffer.from('secret'))
    await start('unix_s')
    keeper = mosquittoSub(as('keeper', '-t', 'tocsin/refused/#', '-v', '-d'))
    await keeper.waitFor('Subscribed (mid', 5_000)
  }, 60_000)
  afterAll(async () => {
    await keeper?.stop()
    await gateway?.stop()
  })

  test('a payload of a wrong kind on a known topic: the device, the operator and the metrics say it, and quote nothing', async () => {
    const notice = await told('plant/tank-7/state', '{"ts": "2026-11-22T12:00:00Z", "level": {"cm": 142.5}}')
    expect(notice).toMatchObject({
      topic: 'plant/tank-7/state',
      fault: 'syntax',
      why: 'tank.time: is no time of the format unix_s',
    })
    expect(notice.what_to_do).toMatch(/correct the device/)
    expect(notice.frame_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(Date.now() - Date.parse(notice.received_at)).toBeLessThan(10_000)
    // Its id and time may hold any digits.
    expect(JSON.stringify({ ...notice, frame_id: '', received_at: '' })).not.toMatch(/2026-11-22|142/)

    const fate = await tocsin('fate', '--topic', 'plant/tank-7/state')
    expect(fate.stdout).toContain(`why      syntax: ${notice.why}`)
    expect(fate.stdout).toContain(`to do    ${notice.what_to_do}`)
    const listed = (await tocsin('refusals')).stdout
    expect(listed).toMatch(
      /syntax +tank\.time: is no time of the format unix_s\n +came by +plant\/tank-7\/state from mqtt:tank-7, read by json/,
    )
    expect(listed).toContain(`to do    ${notice.what_to_do}`)
    expect(listed).toContain(notice.frame_id)
    await keeper.waitFor(`tocsin/refused/tank-7 {"frame_id":"${notice.frame_id}"`, 5_000)
    expect(await metric('tocsin_frames_refused_total{fault="syntax"}')).toBe(1)
    expect(await metric('tocsin_frames_total{input="mappings",fate="refused"}')).toBe(1)
    expect(await help('tocsin_frames_refused_total')).toContain('tocsin refusals')
  })

  test('a topic that no adapter reads: with the nearest that is read', async () => {
    const notice = await told('tocsin/in/senlm/tank-7', '[{"n":"water-level","u":"m","v":1}]')
    const why = 'no adapter reads this topic; the nearest that is read is tocsin/in/senml/#'
    expect(notice).toMatchObject({ topic: 'tocsin/in/senlm/tank-7', warning: 'topic', why })
    expect(notice.what_to_do).toMatch(/^check the topic/)
    expect((await tocsin('fate', '--topic', 'tocsin/in/senlm/tank-7')).stdout).toMatch(
      /CARRIED[\s\S]*why +no adapter reads this topic; the nearest that is read is tocsin\/in\/senml\/#\n +to do +.*name its topic in mappings or inputs/,
    )
    expect(gateway.stderr).toMatch(/"topics":"tocsin\/in\/senlm\/\+"/)
    expect(await metric('tocsin_frames_total{input="none",fate="carried"}')).toBe(1)
  })

  test.each([
    // The clock of a PC or of a file system begins on 1980-01-01: here one minute later.
    { name: 'stale', direction: 'behind', device: 'rtc-7', clockS: 315_532_860, day: '1980-01-01', faults: 1 },
    { name: 'ahead', direction: 'ahead', device: 'rtc-8', clockS: 1_900_000_000, day: '2030-03-17', faults: 2 },
  ])(
    'a clock that is $name: the reading is stored, and flagged',
    async ({ device, direction, clockS, day, faults }) => {
      const topic = `tocsin/in/senml/${device}`
      const notice = await told(topic, `[{"bt":${clockS},"n":"water-level","u":"m","v":1}]`)
      expect(notice).toMatchObject({ topic, warning: 'clock', what_to_do: expect.stringContaining('set the clock') })
      const [, seconds] = new RegExp(`^the clock of ${device} is (\\d+) s ${direction};`).exec(notice.why) ?? []
      expect(Math.abs(Math.abs(clockS - Date.now() / 1_000) - Number(seconds))).toBeLessThan(10)

      const [event] = await listAll(gateway.grpc, { devices: [device] })
      expect(event?.flags).toEqual([Flag.CLOCK_FAULT])
      expect(timestampNs(event?.observedAt)).toBe(BigInt(clockS) * 1_000_000_000n)
      const fate = await tocsin('fate', '--topic', topic)
      expect(fate.stdout).toContain(`warning  ${notice.why}; ${notice.what_to_do}`)
      const listed = await tocsin('events', '--device', device)
      expect(listed.stdout).toMatch(new RegExp(`${device} .*\\(observed .*${day}.* by a clock that is wrong\\)`))
      expect(gateway.stderr).toMatch(
        new RegExp(`"topic":"${topic}","what_to_do":"set the clock[^"]*","msg":"${notice.why}"`),
      )
      expect(await metric('tocsin_clock_faults_total{input="senml"}')).toBe(faults)
      expect(await help('tocsin_clock_faults_total')).toContain('the log names the devices')
    },
  )

  test('a clock that is stale, by HTTP: the answer says it', async () => {
    const headers = { 'content-type': 'application/senml+json' }
    const body = '[{"bt":315532860,"n":"water-level","u":"m","v":1}]'
    const answer = await fetch(`${gateway.http}/v1/ingest/senml/rtc-9`, { method: 'POST', headers, body })
    const warning = /^the clock of rtc-9 is \d+ s behind; .*; set the clock of the device, or leave out the time$/
    expect([answer.status, await answer.json()]).toEqual([
      201,
      expect.objectContaining({ fate: 'stored', warnings: [expect.stringMatching(warning)] }),
    ])
    const fates = await (await fetch(`${gateway.http}/v1/fates?topic=tocsin/in/senml/rtc-9`)).json()
    expect(fates).toMatchObject({ fates: [{ fate: 'stored', warnings: [expect.stringMatching(warning)] }] })
    expect(gateway.stderr).toContain('"msg":"the clock of rtc-9 is ')
    expect(await metric('tocsin_clock_faults_total{input="senml"}')).toBe(3)
  })

  test('a topic of somebody else', async () => {
    const notice = await told('plant/tank-8/state', '{}')
    expect(notice).toMatchObject({ topic: 'plant/tank-8/state', fault: 'forbidden' })
    expect(await metric('tocsin_frames_refused_total{fault="forbidden"}')).toBe(1)
  })

  test('a packet that is too large: the device hears it when it comes back to its session', async () => {
    const session = as('tank-7', '-c', '-t', 'tocsin/refused/tank-7', '-C', '1', '-W', '10')
    await mosquittoSub([...session.slice(0, -4), '-E']).exited
    const cut = await mosquittoPub(as('tank-7', '-c', '-t', 'plant/tank-7/state', '-s'), 'x'.repeat(70_000))
    expect(cut.code).not.toBe(0)
    const device = mosquittoSub(session)
    await device.exited
    const notice = JSON.parse(device.stdout) as Notice
    expect(notice).toMatchObject({ fault: 'too_large', what_to_do: expect.stringContaining('mqtt.packet_bytes_max') })
    expect(notice.why).toMatch(/^a packet of 700\d\d bytes; at most 65536 are taken$/)
    expect(gateway.stderr).toMatch(
      /"clientId":"tank-7".*"why":"too_large".*"a packet of 700\d\d bytes; at most 65536 are taken".*"what_to_do":"[^"]*mqtt\.packet_bytes_max/,
    )
    expect(await metric('tocsin_mqtt_cut_total{reason="too_large"}')).toBe(1)
  })

  test('nobody else is told but who keeps the gateway', async () => {
    const asked = mosquittoSub(as('tank-8', '-t', 'tocsin/refused/tank-7', '-d', '-W', '2'))
    await asked.exited
    expect(asked.stdout + asked.stderr).toMatch(/Subscribed \(mid: 1\): 128/)
    const other = mosquittoSub(as('tank-8', '-t', '#', '-v', '-d'))
    await other.waitFor('Subscribed (mid: 1): 1', 5_000)
    const notice = await told('plant/tank-7/state', 'rubbish')
    await keeper.waitFor(notice.frame_id!, 5_000)
    await other.waitFor('plant/tank-7/state rubbish', 5_000)
    expect(other.stdout).not.toContain('tocsin/refused')
    await other.stop()
  })

  test('after the fix a replay brings it in with its original time', { timeout: 90_000 }, async () => {
    const refused = (await tocsin('refusals', '--json', '--topic', 'plant/tank-7/state')).stdout.split('\n')
    const frames = refused.filter(Boolean).map((line) => JSON.parse(line) as { receivedAt: string; payload: string })
    const first = frames.find(({ payload }) => String(Buffer.from(payload, 'base64')).includes('142.5'))
    await keeper.stop()
    await gateway.stop()
    await start('rfc3339', gateway.dataDir, 'inputs: [{name: tanks, adapter: senml, topics: [tocsin/in/senlm/+]}]')
    const replay = await tocsin('refusals', '--replay', '--all', '--topic', 'plant/tank-7/state')
    expect(replay.stdout).toContain('2 frames read again: 1 are now stored, 1 refused again')
    const [event] = await listAll(gateway.grpc, { adapters: ['json'] })
    expect(event?.flags).toEqual([Flag.REPLAYED])
    expect(event?.body === 'observation' && event.observation.measurements).toMatchObject([
      { number: 1.425, unit: 'm' },
    ])
    expect(timestampNs(event?.observedAt)).toBe(1_795_348_800_000_000_000n)
    expect(Number(timestampNs(event?.receivedAt)! / 1_000_000n)).toBe(Date.parse(first!.receivedAt))

    const [carried] = JSON.parse(`[${(await tocsin('refusals', '--carried', '--json')).stdout.trim()}]`) as {
      receivedAt: string
    }[]
    expect((await tocsin('refusals', '--replay', '--all', '--carried')).stdout).toContain(
      '1 frame read again: 1 are now stored',
    )
    const late = (await listAll(gateway.grpc, { adapters: ['senml'] })).at(-1)
    expect(late?.flags).toEqual([Flag.REPLAYED])
    expect(Number(timestampNs(late?.receivedAt)! / 1_000_000n)).toBe(Date.parse(carried!.receivedAt))
    expect((await tocsin('refusals', '--carried')).stderr).toContain('nothing that was carried matches')
  })
})
