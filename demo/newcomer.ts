// `npm run newcomer` runs this file: it goes the way of somebody who has never seen this project, from a clone to their own sensor on the
// screen, with the commands and the blocks of docs/integrators.md, and prints how long the machine needs for each step.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectAsync } from 'mqtt'

const home = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tocsin-newcomer-'))
const clone = join(folder, 'tocsin')
const stepMsMax = 180_000
const running = new Set<ChildProcess>()

/** Any free ports, so that it can be run beside a gateway. */
const environment = {
  PATH: (process.env['PATH'] ?? '')
    .split(':')
    .filter((path) => !path.includes('node_modules'))
    .join(':'),
  HOME: process.env['HOME'] ?? folder,
  TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:0',
  TOCSIN_GRPC_LISTEN: '127.0.0.1:0',
  TOCSIN_HTTP_LISTEN: '127.0.0.1:0',
}

/** Starts a command; resolves with what it wrote when that matches, or when it has ended well. */
function start(cwd: string, words: readonly string[], until?: RegExp): Promise<{ text: string; child: ChildProcess }> {
  const [command = '', ...args] = words
  // A group of its own: npm starts a shell, which starts the program.
  const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running.add(child)
  let text = ''
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${words.join(' ')} ${why}:\n${text}`))
    const late = setTimeout(() => fail(`took more than ${stepMsMax / 1_000} s`), stepMsMax)
    const hear = (part: string): void => {
      text += part
      if (until?.test(text)) done()
    }
    const done = (): void => {
      clearTimeout(late)
      resolve({ text, child })
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.once('error', (error) => fail(error.message))
    child.once('close', (code) => {
      running.delete(child)
      if (code === 0 && until === undefined) done()
      else fail(`ended with ${code}`)
    })
  })
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('close', () => resolve())
    process.kill(-(child.pid ?? 0), 'SIGINT')
  })

const times: [name: string, ms: number][] = []

async function step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const startMs = performance.now()
  const result = await work()
  times.push([name, performance.now() - startMs])
  process.stdout.write(`${((times.at(-1)?.[1] ?? 0) / 1_000).toFixed(1).padStart(6)} s  ${name}\n`)
  return result
}

try {
  await step('git clone', () => start(folder, ['git', 'clone', '-q', home, 'tocsin']))
  await step('npm ci', () => start(clone, ['npm', 'ci', '--no-audit', '--no-fund']))
  const first = await step('npm start, until it listens', () => start(clone, ['npm', 'start'], /\n {2}data /))
  await end(first.child)

  const page = readFileSync(join(clone, 'docs/integrators.md'), 'utf8')
  const block = (language: string): string =>
    new RegExp(`^\`\`\`${language}\n([\\s\\S]+?)^\`\`\``, 'm').exec(page)?.[1] ?? ''
  writeFileSync(join(clone, 'tocsin.yaml'), block('yaml'))
  writeFileSync(join(clone, 'sample.json'), block('json'))
  const check = 'npx tocsin check --mapping tocsin.yaml --sample sample.json --topic plant/tank-7/state'
  await step('tocsin check, with the mapping of an own sensor', () => start(clone, check.split(' ')))
  const { text, child } = await step('npm start, with the mapping', () => start(clone, ['npm', 'start'], /\n {2}data /))
  const [, mqtt = ''] = /(mqtt:\/\/127\.0\.0\.1:\d+)/.exec(text) ?? []
  const [, grpc = ''] = /gRPC\s+(\S+)/.exec(text) ?? []
  await step('publish, until tocsin watch shows it', async () => {
    const client = await connectAsync(mqtt, { clientId: 'tank-7' })
    await client.publishAsync('plant/tank-7/state', block('json'), { qos: 1 })
    await client.endAsync()
    const watch = await start(clone, ['npx', 'tocsin', 'watch', '--server', grpc], /tank-7 .*water level 2\.31 m/)
    await end(watch.child)
  })
  await end(child)
  const totalMs = times.reduce((sum, [, ms]) => sum + ms, 0)
  process.stdout.write(`${(totalMs / 1_000).toFixed(1).padStart(6)} s  in all, without reading and typing\n`)
} finally {
  for (const child of running) process.kill(-(child.pid ?? 0), 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
