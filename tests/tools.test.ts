// The programs of others that the tests start: each one starts, answers and stops.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { startChild } from './tools/child.ts'
import { debian } from './tools/debian.ts'
import { startInfluxdb } from './tools/influxdb.ts'
import { mosquittoPub, mosquittoSub, startMosquitto } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { runPython, startPython } from './tools/python.ts'
import { startStrace } from './tools/strace.ts'
import { tempFolder } from './tools/temp-folder.ts'

describeWithTools('mosquitto', () => {
  test('carries a message from its publisher to its subscriber', async () => {
    await using broker = await startMosquitto()
    const port = String(broker.port)
    await using subscriber = mosquittoSub(['-p', port, '-t', 'a/#', '-q', '1', '-C', '2', '-W', '10', '-d'])
    await subscriber.waitFor('Subscribed (mid')
    expect(await mosquittoPub(['-p', port, '-t', 'a/b', '-q', '1', '-m', 'one'])).toMatchObject({ code: 0 })
    expect(await mosquittoPub(['-p', port, '-t', 'a/c', '-q', '1', '-s'], 'two')).toMatchObject({ code: 0 })
    expect(await subscriber.exited).toMatchObject({ code: 0 })
    expect(subscriber.stdout).toMatch(/^one$[^]*^two$/m)
  })

  test('obeys the lines of a test', async () => {
    await using broker = await startMosquitto({ config: 'allow_anonymous false' })
    const { code, stderr } = await mosquittoPub(['-p', String(broker.port), '-t', 'a', '-m', 'one'])
    expect(code).not.toBe(0)
    expect(stderr).toContain('not authorised')
  })

  test('says why it does not start', async () => {
    await expect(startMosquitto({ config: 'no_such_option 1' })).rejects.toThrow('Unknown configuration variable')
  })
})

describeWithTools('InfluxDB', () => {
  test('keeps what it acknowledged over a kill, and its own client finds it', async () => {
    const first = await startInfluxdb()
    await first.query('CREATE DATABASE tocsin')
    const body = 'level,gauge=g\\ 7 m=1.5,raw=9007199254740993i 1700000000123456789'
    const answer = await fetch(`${first.url}/write?db=tocsin&precision=ns`, { method: 'POST', body })
    expect(answer.status).toBe(204)
    expect(await first.kill()).toMatchObject({ signal: 'SIGKILL' })

    await using second = await startInfluxdb({ port: first.port, dataDir: first.dataDir })
    expect(second.url).toBe(first.url)
    expect(await second.query('SELECT * FROM level', 'tocsin')).toEqual([
      {
        name: 'level',
        columns: ['time', 'gauge', 'm', 'raw'],
        values: [[1700000000123456789n, 'g 7', 1.5, 9007199254740993n]],
      },
    ])
    expect(await second.query('SELECT * FROM nothing', 'tocsin')).toEqual([])
    await expect(second.query('SELECT FROM', 'tocsin')).rejects.toThrow('error parsing query')
  })
})

describeWithTools('Python', () => {
  test('is the unpacked one, with the modules that the tests import', async () => {
    const code = 'import sys, grpc, grpc_tools.protoc, google.protobuf, paho.mqtt.client, cbor2; print(sys.prefix)'
    const { code: status, stdout, stderr } = await runPython('-c', [code])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout.trim()).toBe(join(debian.root, 'usr'))
  })

  test('makes a gRPC client from a .proto file, which calls a gRPC server', async () => {
    const folder = tempFolder('python')
    const proto = join(import.meta.dirname, 'tools/echo.proto')
    const made = await runPython('-m', [
      'grpc_tools.protoc',
      `-I${join(import.meta.dirname, 'tools')}`,
      `--python_out=${folder}`,
      `--grpc_python_out=${folder}`,
      proto,
    ])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(await runPython(join(import.meta.dirname, 'tools/echo.py'), [folder])).toEqual({
      code: 0,
      stdout: 'flood at 12:00\n',
      stderr: '',
    })
  })

  test('stops in the middle of a script', async () => {
    await using child = startPython('-c', ['import time; print("up"); time.sleep(60)'])
    await child.waitFor('up')
    expect(await child.stop()).toMatchObject({ signal: 'SIGTERM' })
  })
})

describeWithTools('strace', () => {
  test('traces a program to its end', async () => {
    const file = join(tempFolder('strace'), 'trace')
    await using child = startStrace(['-o', file, '-e', 'trace=execve,exit_group', '/bin/true'])
    expect(await child.exited).toMatchObject({ code: 0 })
    expect(readFileSync(file, 'utf8')).toMatch(/execve\("\/bin\/true"[^]*exit_group\(0\)/)
  })
})

test('a program started by a test does not outlive the test process', async () => {
  const script = `
    import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'tools/child.ts'))}
    const child = startChild('/bin/sleep', ['60'])
    process.stdout.write('pid ' + child.pid + '\\n')
    setInterval(() => {}, 1000)
  `
  const parent = startChild(process.execPath, ['--input-type=module-typescript', '-e', script])
  await parent.waitFor(/pid \d+\n/)
  const pid = /pid (\d+)/.exec(parent.stdout)?.[1]
  await expect.poll(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()).toBe('sleep')
  await parent.kill()
  await expect.poll(() => stateOf(pid)).toMatch(/^[ZX]$/)
})

/** The kernel's letter for a process (proc(5)): Z has ended and waits to be noticed by init, X is gone. */
function stateOf(pid: string | undefined): string {
  const file = `/proc/${pid}/stat`
  return existsSync(file) ? (/\) (\S)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '') : 'X'
}
