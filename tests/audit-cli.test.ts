// `tocsin audit` as people use it: beside a gateway and on its files, whole and damaged.

import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReport } from '../gateway/audit/report.ts'
import { reportHtml } from '../gateway/audit/report-html.ts'
import { runWords } from '../gateway/cli/run-command.ts'
import { AuditOutcome, SystemEventType } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { filesOf, noteOf, openAudit, placesOf } from './tools/audit-house.ts'
import type { Outcome } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

async function audit(...args: string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' }
  const code = await runWords(['audit', ...args], {
    print: (line) => void (said.stdout += `${line}\n`),
    tell: (line) => void (said.stderr += `${line}\n`),
    paint: (_style, text) => text,
    width: undefined,
    whenFull: () => {},
  })
  return { code, ...said }
}

/** Entries in a data folder with nothing else; `head` as it was printed. */
async function folderWith(count: number): Promise<{ dataDir: string; head: string }> {
  const dataDir = tempFolder('audit')
  const { audit: written } = openAudit(dataDir)
  for (let number = 1; number <= count; number += 1) written.note(noteOf(number))
  await written.close()
  const { stdout } = await audit('head', '--data-dir', dataDir)
  return { dataDir, head: stdout.trim() }
}

describe('verify', () => {
  test('a chain that is whole, but with nothing that says where it ends, is not called whole without a head that was kept', async () => {
    const { dataDir, head } = await folderWith(30)
    const alone = await audit('verify', '--data-dir', dataDir)
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('--head N:SHA256')])
    const known = await audit('verify', '--data-dir', dataDir, '--head', head)
    expect(known).toMatchObject({ code: 0, stderr: '' })
    expect(known.stdout).toMatch(/^30 entries, 1 to 30, from /)
    expect(known.stdout).toContain('entry 30 is the one that was kept')
  })

  test('a cut end is found by a head that was kept, with the first entry that is missing', async () => {
    const { dataDir, head } = await folderWith(30)
    const [file] = filesOf(dataDir)
    truncateSync(file!, placesOf(readFileSync(file!))[20]!.from)
    const { code, stdout } = await audit('verify', '--data-dir', dataDir, '--head', head)
    expect(code).toBe(1)
    expect(stdout).toContain('the first that is wrong is entry 21: entries 21 to 30 are missing at the end')
  })

  test('a changed entry is named with its file; as JSON as well', async () => {
    const { dataDir, head } = await folderWith(30)
    const [file] = filesOf(dataDir)
    const bytes = readFileSync(file!)
    const { from } = placesOf(bytes)[9]!
    bytes[bytes.indexOf('gauge-10', from)]! ^= 1
    writeFileSync(file!, bytes)
    const { code, stdout } = await audit('verify', '--data-dir', dataDir, '--head', head)
    expect(code).toBe(1)
    expect(stdout).toMatch(/the first that is wrong is entry 10 in 0{15}1\.audit: entry 10 or 11 was changed/)
    const json = JSON.parse((await audit('verify', '--json', '--data-dir', dataDir)).stdout) as object
    expect(json).toMatchObject({ whole: false, entries: 30, faults: [{ number: 10, file: '0000000000000001.audit' }] })
  })

  test.each([
    [['verify', '--head', '7'], /--head must be a number and a SHA-256/],
    [['verify', '--data-dir', '/nowhere'], /there is no data folder/],
    [['audit'], /say what: audit list, audit verify/],
    [['verify', 'twice'], /one word too many/],
    [['export'], /name the folder/],
    [['report', '--from', '1h', '--to', '2h'], /--from must be before --to/],
  ])('%j is answered with what to do', async (args, words) => {
    const { code, stderr } = await audit(...args)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(words)
  })
})

describe('export', () => {
  test('has every entry as i3 LogEvent in JSON lines and in CSV, digests that fit, and a signature that others can check', async () => {
    const { dataDir, head } = await folderWith(25)
    const folder = join(tempFolder('export'), 'audit')
    const keys = generateKeyPairSync('ed25519')
    const keyFile = join(tempFolder('key'), 'key.pem')
    writeFileSync(keyFile, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const done = await audit('export', folder, '--data-dir', dataDir, '--head', head, '--sign-with', keyFile)
    expect(done).toMatchObject({ code: 0, stderr: '' })

    const bytes = readFileSync(join(folder, 'manifest.json'))
    const manifest = JSON.parse(bytes.toString()) as { files: { name: string; size: number; sha256: string }[] }
    expect(manifest).toMatchObject({
      entries: 25,
      audit: { whole: true, first: 1, head: 25, headSha256: head.split(':')[1] },
    })
    for (const { name, size, sha256 } of manifest.files) {
      const content = readFileSync(join(folder, name))
      expect([name, content.length, createHash('sha256').update(content).digest('hex')]).toEqual([name, size, sha256])
    }
    const signature = readFileSync(join(folder, 'manifest.json.sig'))
    expect(verify(null, bytes, keys.publicKey, signature)).toBe(true)
    expect(done.stdout).toContain(createHash('sha256').update(bytes).digest('hex'))

    const lines = readFileSync(join(folder, 'audit.jsonl'), 'utf8').trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as { logEventType: string; extension: Record<string, string> })
    expect(events).toHaveLength(25)
    expect(events[2]).toMatchObject({
      logEventType: 'SignedInLogEvent',
      agencyAgentId: 'mqtt:gauge-3',
      ipAddressPort: '192.0.2.3:40003',
      clientAssignedIdentifier: '3',
    })
    // The chain can be checked from the lines alone.
    for (const [at, { extension }] of events.entries()) {
      const own = createHash('sha256').update(Buffer.from(extension['entry']!, 'base64')).digest('hex')
      expect(own).toBe(extension['sha256'])
      expect(extension['previousSha256']).toBe(at === 0 ? '0'.repeat(64) : events[at - 1]!.extension['sha256'])
    }
    const table = readFileSync(join(folder, 'audit.csv'), 'utf8').split('\r\n')
    expect(table[0]).toContain('number,timestamp,logEventType,action,outcome,agencyAgentId')
    expect(table).toHaveLength(27)
    expect((await audit('export', folder, '--data-dir', dataDir)).stderr).toContain('is not empty')
  })

  test('a name that a spreadsheet would take for a formula is text', async () => {
    const dataDir = tempFolder('audit')
    const { audit: written } = openAudit(dataDir)
    written.note({ ...noteOf(1), principal: '=HYPERLINK("http://192.0.2.1")' })
    await written.close()
    const folder = join(tempFolder('export'), 'audit')
    await audit('export', folder, '--data-dir', dataDir)
    expect(readFileSync(join(folder, 'audit.csv'), 'utf8')).toContain(`"'=HYPERLINK(""http://192.0.2.1"")"`)
  })
})

describe('the weekly page', () => {
  const at = timestamp(1_795_348_800_000_000_000n)
  const entry = { at, outcome: AuditOutcome.DONE, address: '192.0.2.7:5000' }
  const report = () => {
    const builder = createReport()
    builder.add({ ...entry, action: 'sign_in', principal: 'mqtt:tank-7', type: SystemEventType.SIGNED_IN })
    builder.add({ ...entry, action: 'sign_in', principal: 'mqtt:tank-7', type: SystemEventType.SIGNED_IN, count: 4 })
    builder.add({
      ...entry,
      action: 'sign_in',
      outcome: AuditOutcome.DENIED,
      count: 99,
      text: 'The name or the secret is wrong.',
      details: [{ name: 'name_given', value: 'root' }],
    })
    builder.add({
      ...entry,
      action: 'get_event',
      principal: 'grpc:fire-2',
      type: SystemEventType.DATA_READ,
      details: [
        { name: 'PII', value: '3' },
        { name: 'PHI', value: '1' },
      ],
    })
    builder.add({
      ...entry,
      action: 'change_settings',
      type: SystemEventType.POLICY_CHANGE,
      details: [{ name: 'grpc.listen', value: 'off → on' }],
    })
    builder.add({ ...entry, action: 'alarm_raised', object: 'disk_low', text: 'Little room.' })
    builder.add({ ...entry, action: 'get_event', principal: 'grpc:fire-2', type: SystemEventType.DATA_READ })
    return builder.build(() => 'then')
  }

  test('counts sign-ins and refusals, says who was given labelled data, and lists changes and alarms', () => {
    const found = report()
    const rows = Object.fromEntries(found.sections.map((section) => [section.title, section.rows]))
    expect(found.entries).toBe(7)
    expect(rows).toMatchObject({
      'Turned away': [['as root', '192.0.2.7', 'sign_in', 'The name or the secret is wrong.', '99', 'then']],
      'Given labelled data': [['grpc:fire-2', '192.0.2.7', 'get_event', '3', '1', '0', '1', 'then']],
      'Signed in': [['mqtt:tank-7', '192.0.2.7', '5', 'then']],
      Changes: [['then', '', 'change_settings', 'done', 'grpc.listen off → on']],
      Alarms: [['then', '', 'alarm_raised', 'done', 'disk_low · Little room.']],
    })
  })

  test('as HTML holds what devices called themselves as text, and loads nothing', () => {
    const builder = createReport()
    builder.add({ ...entry, action: 'sign_in', principal: '<script>alert(1)</script>' })
    const page = reportHtml({ title: 'A & B', state: [{ text: 'x', isBad: true }], report: builder.build(() => '') })
    expect(page).not.toContain('<script>')
    expect(page).toContain('&lt;script&gt;')
    expect(page).toContain('<title>A &amp; B</title>')
    expect(page).not.toMatch(/https?:\/\/|src=|href=/)
  })
})

describe('beside a gateway that runs', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await startGatewayProcess()
    for (let time = 0; time < 3; time += 1) await fetch(`${gateway.http}/v1/status`)
    await fetch(`${gateway.http}/v1/events`, { headers: { 'x-forwarded-for': '192.0.2.1' } })
  }, 60_000)
  afterAll(async () => {
    await gateway?.stop()
  })

  test('list shows what was done, what was refused, and from where; verify finds it whole; the page says so', async () => {
    const server = ['--server', gateway.grpc]
    const all = await audit('list', ...server)
    expect(all.code).toBe(0)
    expect(all.stdout).toMatch(/done {4}get_status +http:anonymous from 127\.0\.0\.1:\d+/)
    expect(all.stdout).toMatch(/denied {2}list_events +– from 127\.0\.0\.1/)
    const denied = await audit('list', ...server, '--outcome', 'denied', '--json')
    expect(JSON.parse(denied.stdout)).toMatchObject({
      logEventType: 'AccessDeniedLogEvent',
      extension: { outcome: 'denied' },
    })
    expect((await audit('list', ...server, '--action', 'nothing')).stderr).toContain('nothing that matches')

    const verified = await audit('verify', '--data-dir', gateway.dataDir)
    expect([verified.code, verified.stdout, verified.stderr]).toEqual([
      0,
      expect.stringMatching(/whole: .*state\.sqlite/),
      '',
    ])
    const page = await audit('report', '--data-dir', gateway.dataDir)
    expect(page.stdout).toContain('The audit is whole')
    expect(page.stdout).toMatch(/Turned away[\s\S]*nobody known +127\.0\.0\.1 +list_events/)
    expect((await audit('report', '--html', '--data-dir', gateway.dataDir)).stdout).toMatch(/^<!doctype html>/)
  }, 30_000)

  test('bytes that follow the last entry are told, and are no fault', async () => {
    const { dataDir, head } = await folderWith(3)
    appendFileSync(filesOf(dataDir)[0]!, Buffer.from([0xff, 0x01, 0x02]))
    const { code, stderr } = await audit('verify', '--data-dir', dataDir, '--head', head)
    expect([code, stderr]).toEqual([0, expect.stringContaining('3 bytes at the end')])
  })
})
