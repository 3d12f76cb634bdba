// The walk-through of docs/security.md, as it stands there: its settings, then its lines one after the other, with other ports and localhost
// for the name of the gateway.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodePath, projectHome } from './gateway/process.ts'
import { startChild } from './tools/child.ts'
import { debian } from './tools/debian.ts'
import { freePort } from './tools/free-port.ts'
import { describeWithTools } from './tools/present.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const section =
  /## Certificates\n([\s\S]*?)\n### /.exec(readFileSync(join(projectHome, 'docs/security.md'), 'utf8'))?.[1] ?? ''
const blocks = (language: string): string[] =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text ?? '')

describeWithTools('the walk-through of docs/security.md', () => {
  test('puts a gateway on the network, lets a device publish and a person read, and shuts the device out', async () => {
    const folder = tempFolder('ca-walk')
    const ports: Record<string, number> = {}
    for (const port of ['1883', '8883', '50051', '8443']) ports[port] = await freePort()
    const here = (text: string): string =>
      text
        .replaceAll('0.0.0.0', '127.0.0.1')
        .replaceAll(/\b(1883|8883|50051|8443)\b/g, (port) => String(ports[port]))
        .replaceAll(/(?<=-h |\/\/)gateway\.county-a\.example/g, 'localhost')
    writeFileSync(join(folder, 'tocsin.yaml'), `${here(blocks('yaml')[0]!)}log: { urgent_reserve: 0, disk_low: 0 }\n`)
    program(folder, 'tocsin', `exec '${nodePath}' '${join(projectHome, 'gateway/cli/main.ts')}' "$@"`)
    const { LD_LIBRARY_PATH = '' } = debian.environment()
    program(
      folder,
      'mosquitto_pub',
      `LD_LIBRARY_PATH='${LD_LIBRARY_PATH}' exec '${debian.programPath('mosquitto_pub')}' "$@"`,
    )
    const env = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder }
    const sh = (line: string): Promise<Outcome> =>
      run('/bin/sh', ['-c', here(line)], { cwd: folder, env, timeoutMs: 30_000 })

    const lines = blocks('sh').flatMap((block) => block.trim().split('\n'))
    expect(lines.map((line) => line.split(' ', 2).join(' '))).toEqual([
      'tocsin ca',
      'tocsin serve',
      'tocsin enroll',
      'tocsin enroll',
      'mosquitto_pub -h',
      'curl --cacert',
      'tocsin revoke',
      'tocsin ca',
    ])
    const [init = '', serve = '', enrollGauge = '', enrollAnna = '', publish = '', read = '', revoke = '', list = ''] =
      lines
    const done = (stdout: unknown) => ({ code: 0, stdout })
    expect(await sh(init)).toMatchObject(
      done(expect.stringContaining('The gateway’s certificate is for gateway.county-a.example')),
    )
    const gateway = startChild('/bin/sh', ['-c', `exec ${serve.replace(' &', '')}`], { cwd: folder, env, input: '' })
    try {
      await gateway.waitFor(/Tocsin is listening[\s\S]*\n {2}data/, 30_000)
      expect(await sh(enrollGauge)).toMatchObject(
        done(expect.stringMatching(/^device:gauge-7 has a certificate until 20/)),
      )
      expect(await sh(enrollAnna)).toMatchObject(done(expect.stringMatching(/^person:anna has a certificate/)))
      expect(readFileSync(join(folder, 'device-gauge-7/card.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/)
      expect(await sh(publish)).toMatchObject({ code: 0, stderr: '' })
      const answer = await sh(read)
      expect(answer.stdout).toContain('"sender":"device:gauge-7"')
      expect(await sh(revoke)).toMatchObject(
        done(expect.stringMatching(/^device:gauge-7 {2}[0-9a-f]{32} {2}revoked\n$/)),
      )
      expect((await sh(list)).stdout).toMatch(/device:gauge-7 .* revoked 20\d\d-\d\d-\d\d: stolen\n/)
      await expect.poll(async () => (await sh(publish)).stderr, { timeout: 10_000 }).toMatch(/not authori[sz]ed/i)
    } finally {
      await gateway.stop()
    }
  }, 120_000)
})

function program(folder: string, name: string, line: string): void {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${line}\n`)
  chmodSync(path, 0o700)
}
