// The command line by itself, without a gateway: help, misuse, and the launcher on whatever Node.js starts it.

import { copyFileSync, cpSync, existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../gateway/cli/commands.ts'
import { runWords } from '../gateway/cli/run-command.ts'
import { nodePath, projectHome } from './gateway/process.ts'
import { startChild } from './tools/child.ts'
import { freePort } from './tools/free-port.ts'
import { type Outcome, run, type RunOptions } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const tocsin = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  run(nodePath, [join(projectHome, 'bin/tocsin'), ...args], { cwd: tempFolder('cli'), timeoutMs: 30_000, ...options })

/** In this process, for what needs no process of its own. */
async function words(...args: string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' }
  const code = await runWords(args, {
    print: (line) => void (said.stdout += `${line}\n`),
    tell: (line) => void (said.stderr += `${line}\n`),
    paint: (_style, text) => text,
    width: undefined,
    whenFull: () => {},
  })
  return { code, ...said }
}

describe('help', () => {
  test('lists every command with a sentence', async () => {
    const { code, stdout } = await tocsin([])
    expect(code).toBe(0)
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^ {2}${name} +[A-Z].*\\.$`, 'm'))
  })

  test.each(commands.map(({ name }) => name))('of %s names its options', async (name) => {
    const command = await commands.find((entry) => entry.name === name)!.load()
    const { code, stdout, stderr } = await words('help', name)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: tocsin ${name}`)
    for (const option of Object.keys(command.options)) expect(stdout).toContain(`--${option}`)
  })

  test('is shown by --help too, and goes through a pipe without colours', async () => {
    const { code, stdout } = await tocsin(['watch', '--help'])
    expect(code).toBe(0)
    expect(stdout).not.toContain('\u001b')
  })
})

describe('what is typed wrongly', () => {
  const wrong: [args: string[], said: RegExp][] = [
    [['wach'], /wach is not a command; did you mean watch\?/],
    [['watch', '--lanes', 'urgent'], /--lanes is not an option; did you mean --lane\?/],
    [['watch', '--kind', 'observaton'], /did you mean observation\?/],
    [['watch', '--box', '1,2,3'], /--box must be south,west,north,east/],
    [['watch', '--count', '0'], /--count must be a whole number from 1/],
    [['watch', '--from', '2026-13-01'], /--from must be a time/],
    [['watch', '--topic', '--json'], /--topic needs a value: FILTER/],
    [['events', 'zzz'], /"zzz" is no id/],
    [['events', 'a', 'b'], /"b" is one word too many/],
    [['query'], /name the quantity/],
    [['query', 'x', '--aggregate', 'max'], /--aggregate needs --window/],
    [['query', 'x', '--last', '24'], /--last must be a length of time, from 1 s/],
    [['query', 'x', '--status', 'draft'], /it may be actual, exercise, system, test$/m],
    [['query', 'x', '--from', '1h', '--to', '2h'], /--from must lie before --to/],
    [['query', 'x', '--plot', '--format', 'csv'], /exclude each other/],
    [['series', '--format', 'xml'], /--format may be table, csv, json/],
    [['fate'], /name the message: its ID, or --topic TOPIC/],
    [['publish', '--topic', 'a/#'], /holds no \+ and no #/],
    [['publish', '--topic', 'a', '--message', 'b', '--mqtt', 'mqtt://me:secret@h'], /MQTT_USERNAME and MQTT_PASSWORD/],
    [['refusals', '--replay'], /needs the IDs of frames, or --all/],
    [['watch', '--server', 'localhost'], /--server must be HOST:PORT/],
    [['hold', 'add', 'x', '--data-dir', '.'], /--from, --to and --reason are needed/],
  ]
  test.each(wrong)('%j is told in one line, with exit code 2', async (args, said) => {
    const { code, stdout, stderr } = await words(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(said)
    expect(stderr.trimEnd()).not.toContain('\n')
  })
})

describe('without a gateway', () => {
  test('says that nothing listens, and what to do', async () => {
    const server = `127.0.0.1:${await freePort()}`
    for (const command of ['watch', 'events', 'status', 'refusals']) {
      const { code, stderr } = await words(command, '--server', server)
      expect(code).toBe(1)
      expect(stderr).toContain(
        `nothing listens on ${server}; start the gateway with npm start, or name it with --server`,
      )
    }
    const publish = await tocsin(['publish', '--topic', 'a', '--message', 'b', '--mqtt', `mqtt://${server}`])
    expect(publish.code).toBe(1)
    expect(publish.stderr).toContain(`nothing listens on ${server}`)
  })

  test('looks where the settings here say that it listens', async () => {
    const port = await freePort()
    const cwd = tempFolder('cli')
    writeFileSync(join(cwd, 'tocsin.yaml'), `grpc: {listen: "127.0.0.1:${port}"}\n`)
    expect((await tocsin(['status'], { cwd })).stderr).toContain(`nothing listens on 127.0.0.1:${port}`)
  })

  test('says so when something else listens there', async () => {
    // The client may go first, and resets what it did not read.
    const answer = (socket: Socket): void => void socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')
    const other = createServer(answer).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const { code, stderr } = await tocsin(['status', '--server', `127.0.0.1:${address.port}`])
    other.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^tocsin: 127\.0\.0\.1:\d+ (broke off|cannot be reached)/)
  })

  test('makes a settings file that it finds sound, and names what is wrong with another', async () => {
    const cwd = tempFolder('cli')
    writeFileSync(join(cwd, 'tocsin.yaml'), (await tocsin(['settings'])).stdout)
    expect(await tocsin(['settings', '--check'], { cwd })).toMatchObject({ code: 0, stdout: /tocsin.yaml is sound/ })
    writeFileSync(join(cwd, 'wrong.yaml'), 'mqtt: {listn: "mqtt://127.0.0.1:1"}\ngrpc: {listen: "0.0.0.0:50051"}\n')
    const wrong = await tocsin(['settings', '--check', 'wrong.yaml'], { cwd })
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('mqtt.listn is not a setting; did you mean mqtt.listen?')
    writeFileSync(join(cwd, 'open.yaml'), 'grpc: {listen: "0.0.0.0:50051"}\n')
    expect((await tocsin(['settings', '--check', 'open.yaml'], { cwd })).stderr).toContain(
      'in plain text over the network',
    )
  })

  test('makes the hash of a secret that is not on the command line', async () => {
    const { code, stdout } = await tocsin(['secret'], { input: 'correct horse\n' })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^argon2id\$19456\$2\$1\$[\w-]+\$[\w-]+\n$/)])
    expect((await tocsin(['secret'], { input: 'short' })).code).toBe(2)
  })
})

describe('the launcher', () => {
  /** The same program under another name, so that it must start the runtime as it does from an older Node.js. */
  const otherNode = (): string => {
    const path = join(tempFolder('node'), 'node')
    try {
      linkSync(nodePath, path)
    } catch {
      copyFileSync(nodePath, path)
    }
    return path
  }

  test('passes on words, exit codes and streams', async () => {
    const launcher = join(projectHome, 'bin/tocsin')
    const version = await run(otherNode(), [launcher, 'version'], { cwd: tempFolder('cli') })
    expect(version).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tocsin \d+\.\d+\.\d+ .*Node v24/),
      stderr: '',
    })
    expect((await run(otherNode(), [launcher, 'wach'])).code).toBe(2)
    const secret = await run(otherNode(), [launcher, 'secret'], { input: 'correct horse' })
    expect(secret.stdout).toMatch(/^argon2id/)
  })

  test('passes on signals: the gateway stops in order', async () => {
    const [dataDir, cwd] = [tempFolder('data'), tempFolder('cli')]
    const env = {
      PATH: process.env['PATH'] ?? '',
      TOCSIN_DATA_DIR: dataDir,
      TOCSIN_LOG_URGENT_RESERVE: '0',
      TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:0',
      TOCSIN_GRPC_LISTEN: '127.0.0.1:0',
      TOCSIN_HTTP_LISTEN: 'off',
    }
    const child = startChild(otherNode(), [join(projectHome, 'bin/tocsin'), 'serve'], { cwd, env })
    await child.waitFor('Tocsin is listening', 20_000)
    expect(existsSync(join(dataDir, 'lock'))).toBe(true)
    expect(await child.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(existsSync(join(dataDir, 'lock'))).toBe(false)
  })

  test('says what to do when nothing was installed', async () => {
    const folder = tempFolder('fresh')
    mkdirSync(join(folder, 'bin'))
    cpSync(join(projectHome, 'bin'), join(folder, 'bin'), { recursive: true })
    const { code, stderr } = await run(nodePath, [join(folder, 'bin/tocsin'), 'watch'])
    expect([code, stderr]).toEqual([1, `tocsin: its runtime is not installed yet; run "npm ci" in ${folder} first\n`])
  })
})
