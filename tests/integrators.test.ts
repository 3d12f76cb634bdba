// docs/integrators.md as a reader follows it: its mapping, its sample, its curl line and its Python console, taken from the page and run
// against a real gateway.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterEach, expect, test } from 'vitest'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { describeWithTools } from './tools/present.ts'
import { generatedFolder } from './tools/python-contract.ts'
import { startPython } from './tools/python.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const page = readFileSync(join(projectHome, 'docs/integrators.md'), 'utf8')

/** The first block of this language. */
function block(language: string): string {
  const [, text] = new RegExp(`^\`\`\`${language}\n([\\s\\S]+?)^\`\`\``, 'm').exec(page) ?? []
  if (text === undefined) throw new Error(`docs/integrators.md has no block of ${language}`)
  return text
}

function file(name: string, text: string): string {
  const path = join(tempFolder('integrators'), name)
  writeFileSync(path, text)
  return path
}

const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop()
})

async function gatewayWithMapping(): Promise<GatewayProcess> {
  const gateway = await startGatewayProcess({ file: file('tocsin.yaml', block('yaml')) })
  started.push(gateway)
  return gateway
}

async function publish({ mqttPort }: GatewayProcess, topic: string, text: string): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { clientId: 'tank-7', reconnectPeriod: 0 })
  await client.publishAsync(topic, text, { qos: 1 })
  await client.endAsync()
}

const tocsin = (...args: string[]) => run(nodePath, [join(projectHome, 'bin/tocsin'), ...args])

test('the mapping reads the sample, and check says so', { timeout: 40_000 }, async () => {
  const [mapping, sample] = [file('tocsin.yaml', block('yaml')), file('sample.json', block('json'))]
  const checked = await tocsin('check', '--mapping', mapping, '--sample', sample, '--topic', 'plant/tank-7/state')
  expect(checked).toMatchObject({ code: 0 })
  expect(checked.stdout).toContain('2.31')
})

test(
  'the tank is seen as the page says, and what it does wrong is told and replayed',
  { timeout: 60_000 },
  async () => {
    const gateway = await gatewayWithMapping()
    await publish(gateway, 'plant/tank-7/state', block('json'))
    await publish(gateway, 'plant/tank-7/state', '{"ts": 1795608000}')
    await publish(gateway, 'plant/tank-7/other', block('json'))
    const events = await tocsin('events', '--device', 'tank-7', '--server', gateway.grpc)
    expect(events.stdout).toContain('water level 2.31 m')
    expect(events.stdout).toContain('battery 87 %')
    const fate = await tocsin('fate', '--topic', 'plant/tank-7/other', '--server', gateway.grpc)
    expect(fate.stdout).toContain('carried')
    const refusals = await tocsin('refusals', '--server', gateway.grpc)
    expect(refusals.stdout).toContain('tank')
    const again = ['refusals', '--replay', '--all', '--topic', 'plant/tank-7/state', '--server', gateway.grpc]
    expect((await tocsin(...again)).stdout).toContain('1 frame read again: 0 are now stored, 1 refused again')
  },
)

test('the line for curl is answered 201', { timeout: 40_000 }, async () => {
  const gateway = await gatewayWithMapping()
  const [, type = '', body = '', path = ''] =
    /curl -H 'Content-Type: ([^']+)' -d '([^']+)' http:\/\/127\.0\.0\.1:8080(\S+)/.exec(page) ?? []
  const answer = await fetch(gateway.http + path, { method: 'POST', headers: { 'content-type': type }, body })
  expect(answer.status).toBe(201)
})

describeWithTools('the console in Python', () => {
  test('shows what is there, what comes, and after its end only what is new', { timeout: 60_000 }, async () => {
    const gateway = await gatewayWithMapping()
    const folder = tempFolder('console')
    const script = file('console.py', block('python'))
    const start = async () => {
      const child = startPython(script, [gateway.grpc, join(folder, 'cursor')], {
        env: { PYTHONPATH: contract },
        cwd: folder,
      })
      started.push(child)
      return child
    }
    const contract = await generatedFolder()
    await publish(gateway, 'plant/tank-7/state', block('json'))
    const first = await start()
    await first.waitFor('observation tank-7: water_level 2.31 m', 20_000)
    await publish(gateway, 'plant/tank-8/state', block('json'))
    await first.waitFor('observation tank-8: water_level 2.31 m')
    await first.stop()
    await publish(gateway, 'plant/tank-9/state', block('json'))
    const second = await start()
    await second.waitFor('observation tank-9', 20_000)
    expect(second.stdout).not.toMatch(/tank-[78]/)
    expect(first.stdout).toContain('[SYSTEM] system_event gateway:tocsin')
  })
})
