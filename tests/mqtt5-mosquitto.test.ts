// MQTT 5 as Debian's mosquitto_pub, mosquitto_sub and mosquitto_rr speak it, against a whole gateway.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import type { Child } from './tools/child.ts'
import { mosquittoPub, mosquittoRr, mosquittoSub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'

let gateway: GatewayProcess
const version5 = (port = gateway.mqttPort) => ['-p', String(port), '-V', '5', '-d']

const words = (text: string): string[] => text.split(' ')

/** `connect topic-alias-maximum 3` and the like, each as the option that says it. */
const properties = (...lines: readonly string[]): string[] => lines.flatMap((line) => ['-D', ...words(line)])

/** What it prints of each message, between bars. */
const format = ['-F', '<%t|%p|%q|%r|%C|%R|%D|%F|%E|%P|%S>']
const printed = ({ stdout }: Child): string[] => [...stdout.matchAll(/^<(.*)>$/gm)].map(([, line]) => line!)

async function subscribed(...args: readonly string[]): Promise<Child> {
  const child = mosquittoSub([...version5(), ...args, ...format])
  await child.waitFor(/Subscribed \(mid: 1\)/)
  return child
}

const publish = (...args: readonly string[]) => mosquittoPub([...version5(), ...args])

describeWithTools('mosquitto’s clients over MQTT 5', () => {
  beforeAll(async () => {
    gateway = await startGatewayProcess()
  })
  afterAll(() => gateway.stop())

  test.each(['0', '1', '2'])('a message comes as it was sent, with all its properties, at QoS %s', async (qos) => {
    const topic = `whole/${qos}`
    const reader = await subscribed(
      '-t',
      topic,
      '-q',
      '2',
      '-C',
      '2',
      ...properties('subscribe subscription-identifier 77'),
    )
    const said = properties(
      'publish content-type text/plain',
      'publish response-topic whole/answers',
      'publish correlation-data c-1',
      'publish payload-format-indicator 1',
      'publish message-expiry-interval 3600',
      'publish user-property unit m',
      'publish user-property site weir',
      'publish user-property unit ft',
      'publish user-property unit m',
    )
    expect(await publish('-t', topic, '-q', qos, '-m', 'höhe', ...said)).toMatchObject({ code: 0, stderr: '' })
    await publish('-t', topic, '-q', qos, '-m', 'plain')
    expect(await reader.exited).toEqual({ code: 0, signal: null })
    const [first, second] = printed(reader)
    const [start, end] = [
      `${topic}|höhe|${qos}|0|text/plain|whole/answers|c-1|1|`,
      '|unit:m site:weir unit:ft unit:m|77',
    ]
    expect(first!.startsWith(start) && first!.endsWith(end) ? '' : first).toBe('')
    const expirySeconds = Number(first!.slice(start.length, -end.length))
    expect(expirySeconds).toBeGreaterThan(3_590)
    expect(expirySeconds).toBeLessThanOrEqual(3_600)
    expect(second).toBe(`${topic}|plain|${qos}|0|||||||77`)
  })

  test('an alias stands for the topic that came with it', async () => {
    const reader = await subscribed('-t', 'alias/#', '-q', '2', '-C', '4')
    const lines = await mosquittoPub(
      [...version5(), '-t', 'alias/a', '-q', '2', '-l', ...properties('publish topic-alias 10')],
      '1\n2\n3\n4\n',
    )
    // With no topic from the second on, as mosquitto_pub does it.
    expect(
      [...lines.stdout.matchAll(/sending PUBLISH \(d0, q2, r0, m\d+, '(.*?)'/g)].map(([, topic]) => topic),
    ).toEqual(['alias/a', '(null)', '(null)', '(null)'])
    await reader.exited
    expect(printed(reader).map((line) => line.split('|').slice(0, 2))).toEqual(
      ['1', '2', '3', '4'].map((text) => ['alias/a', text]),
    )
    const beyond = await publish('-t', 'alias/a', '-q', '1', '-m', 'x', ...properties('publish topic-alias 11'))
    expect(beyond).toMatchObject({ code: 4, stdout: expect.stringContaining('Received DISCONNECT (148)') })
  })

  test('is given no packet larger than it takes, and no more at once than its receive maximum', async () => {
    const reader = await subscribed(
      ...words('-i narrow -t narrow -q 2 -C 50'),
      ...properties('connect receive-maximum 1', 'connect maximum-packet-size 60'),
    )
    const lines = Array.from({ length: 50 }, (_, n) => `${n}`)
    await mosquittoPub(
      [...version5(), '-t', 'narrow', '-q', '2', '-l'],
      [...lines.slice(0, 9), 'x'.repeat(60), ...lines.slice(9)].join('\n'),
    )
    await reader.exited
    expect(printed(reader).map((line) => line.split('|')[1])).toEqual(lines)
    // Each is over before the next begins.
    const steps = [...reader.stdout.matchAll(/received PUBLISH|sending PUBCOMP/g)].map(([step]) => step)
    expect(steps).toEqual(lines.flatMap(() => ['received PUBLISH', 'sending PUBCOMP']))
  })

  test('retained messages come first, and say that they are when asked to', async () => {
    await publish('-t', 'kept/a', '-m', 'old', '-q', '1', '-r')
    const asPublished = await subscribed('-t', 'kept/#', '-q', '1', '--retain-as-published', '-C', '2')
    const plain = await subscribed('-t', 'kept/#', '-q', '1', '-C', '2')
    await publish('-t', 'kept/a', '-m', 'new', '-q', '1', '-r')
    for (const child of [asPublished, plain]) await child.exited
    expect(printed(asPublished)).toEqual(['kept/a|old|1|1|||||||', 'kept/a|new|1|1|||||||'])
    expect(printed(plain)).toEqual(['kept/a|old|1|1|||||||', 'kept/a|new|1|0|||||||'])
  })

  test('members of a group share what is published', async () => {
    const members = await Promise.all([1, 2].map(() => subscribed('-t', '$share/crew/shared/#', '-q', '1', '-C', '10')))
    const lines = Array.from({ length: 20 }, (_, n) => `${n}`)
    await mosquittoPub([...version5(), '-t', 'shared/work', '-q', '1', '-l'], lines.join('\n'))
    for (const member of members) await member.exited
    const given = members.map((member) => printed(member).map((line) => line.split('|')[1]!))
    expect(given.map(({ length }) => length)).toEqual([10, 10])
    expect(given.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual(lines)
  })

  test('asks, and is answered by who reads the topic and the data of the question', async () => {
    const responder = await subscribed('-t', 'service/height', '-q', '1', '-C', '1')
    const asking = mosquittoRr([
      ...version5(),
      ...words('-t service/height -e answers/7 -q 1 -m weir -W 10 -F <%t|%p|%D>'),
      ...properties('publish correlation-data question-7'),
    ])
    await responder.exited
    const [, question, , , , responseTopic, correlation] = printed(responder)[0]!.split('|')
    expect([question, responseTopic, correlation]).toEqual(['weir', 'answers/7', 'question-7'])
    await publish(
      '-t',
      responseTopic!,
      '-q',
      '1',
      '-m',
      '2.4 m',
      ...properties(`publish correlation-data ${correlation}`),
    )
    const { code, stdout } = await asking
    expect(code).toBe(0)
    expect(stdout).toContain('<answers/7|2.4 m|question-7>')
  })

  test('a will is sent after its delay, and with its properties', async () => {
    const reader = await subscribed('-t', 'wills/#', '-q', '1', '-C', '1')
    const unit = await subscribed(
      ...words('-t unit/orders -i unit -x 60 --will-topic wills/unit --will-payload lost --will-qos 1'),
      ...properties('will will-delay-interval 1', 'will content-type text/plain', 'will user-property unit 7'),
    )
    const began = performance.now()
    await unit.kill()
    await reader.exited
    expect(performance.now() - began).toBeGreaterThan(950)
    expect(printed(reader)).toEqual(['wills/unit|lost|1|0|text/plain|||||unit:7|'])
  })

  test('sees the reason of what is refused, and of what is for nobody', async () => {
    const forbidden = await publish('-t', '$forbidden', '-q', '1', '-m', 'x')
    expect(forbidden.code).toBe(0)
    expect(forbidden.stderr).toMatch(/^Warning: Publish 1 failed: Not authorized\.\n.*begin with \$.*mqtt\.users/)
    expect(forbidden.stdout).toContain('received PUBACK (Mid: 1, RC:135)')
    expect((await publish('-t', 'nobody/reads', '-q', '1', '-m', 'x')).stdout).toContain('PUBACK (Mid: 1, RC:16)')
    const refused = mosquittoSub([...version5(), '-t', '$forbidden/#'])
    await refused.exited
    expect(refused.stdout).toContain('Subscribed (mid: 1): 135')
    expect(refused.stderr).toContain('All subscription requests were denied.')
  })

  test('finds its session and what came meanwhile when it comes back', async () => {
    const back = ['-i', 'console-3', '-c', '-x', '60', '-t', 'resumed', '-q', '2']
    const before = await subscribed(...back)
    await before.stop()
    await mosquittoPub([...version5(), '-t', 'resumed', '-q', '2', '-l'], '1\n2\n3\n')
    const after = await subscribed(...back, '-C', '3')
    await after.exited
    expect(printed(after).map((line) => line.split('|')[1])).toEqual(['1', '2', '3'])
  })

  test('hears why it is sent away: another took its name, or the gateway stops', async () => {
    const own = await startGatewayProcess()
    const here = async (): Promise<Child> => {
      const child = mosquittoSub([...version5(own.mqttPort), '-i', 'unit-1', '-t', 'a'])
      await child.waitFor('Subscribed')
      return child
    }
    const [first, second] = [await here(), await here()]
    await first.waitFor('Received DISCONNECT (142)')
    await sleep(50)
    expect(second.stdout).not.toContain('DISCONNECT')
    await own.stop()
    await second.waitFor('Received DISCONNECT (139)')
    for (const child of [first, second]) await child.stop()
  })
})
