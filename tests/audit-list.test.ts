// Pages of the audit, by gRPC and HTTP and from its files: newest first, complete, exactly as written, while it is written.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf, hex, noHead } from '../gateway/audit/chain.ts'
import { logEventOf } from '../gateway/audit/log-event.ts'
import { AuditOutcome, SystemEventType } from '../proto/generated/types.ts'
import type { ListAuditRequest, ListAuditResponse } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import { testClient } from './grpc-house.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { noteOf, openAudit } from './tools/audit-house.ts'
import { tempFolder } from './tools/temp-folder.ts'

const pageCodec = codec('tocsin.v1.ListAuditResponse')
const entryCodec = codec('tocsin.v1.AuditEntry')
const settings = { whenItFails: 'alarm', keepMs: 1e12, fileBytes: 20_000 } as const

async function all(list: (request: ListAuditRequest) => Promise<Uint8Array>, request: ListAuditRequest) {
  const pages: ListAuditResponse[] = []
  let pageToken = new Uint8Array()
  do {
    const page = pageCodec.decode(await list({ ...request, pageToken }))
    pages.push(page)
    pageToken = new Uint8Array(page.nextPageToken ?? [])
  } while (pageToken.length > 0)
  return pages
}

test('pages hold every entry once, newest first, over files, and what is filtered is what matches', async () => {
  const { audit } = openAudit(tempFolder('audit'), { settings })
  for (let number = 1; number <= 500; number += 1) {
    if (number % 50 === 0) await audit.write(noteOf(number))
    else audit.note(noteOf(number))
  }
  const pages = await all(audit.list, { pageSize: 70 })
  const numbers = pages.flatMap(({ entries = [] }) => entries.map(({ number }) => toNumber(number)))
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, at) => 500 - at))
  expect(pages).toHaveLength(8)
  expect(pages.map(({ headNumber }) => toNumber(headNumber))).toEqual(Array(8).fill(500))

  const denied = await all(audit.list, { outcomes: [AuditOutcome.DENIED] })
  expect(denied.flatMap(({ entries = [] }) => entries)).toHaveLength(Math.floor(500 / 7))
  const one = await all(audit.list, { principal: 'mqtt:gauge-42', addressPrefix: '192.0.2.42:' })
  expect(one.flatMap(({ entries = [] }) => entries.map(({ number }) => toNumber(number)))).toEqual([42])
  expect((await all(audit.list, { actions: ['sign_out'] })).flatMap(({ entries = [] }) => entries)).toEqual([])
  expect((await all(audit.list, { to: timestamp(1n) })).flatMap(({ entries = [] }) => entries)).toEqual([])
  await expect(audit.list({ pageToken: Buffer.from('x') })).rejects.toThrow(/page_token/)
  await audit.close()
})

test('an entry in the words of i3 LogEvent', () => {
  const event = logEventOf({
    number: 7,
    at: timestamp(1_795_348_800_250_000_000n),
    principal: 'grpc:fire-2',
    address: '192.0.2.7:50312',
    action: 'change_settings',
    outcome: AuditOutcome.DONE,
    type: SystemEventType.POLICY_CHANGE,
    element: 'gateway.county-a.example',
    agency: 'em.county-a.example',
    details: [{ name: 'grpc.listen', value: 'off' }],
    previousSha256: noHead.sha256,
  })
  expect(event).toEqual({
    logEventType: 'PolicyChangeLogEvent',
    timestamp: '2026-11-22T12:00:00.250Z',
    elementId: 'gateway.county-a.example',
    agencyId: 'em.county-a.example',
    agencyAgentId: 'grpc:fire-2',
    ipAddressPort: '192.0.2.7:50312',
    clientAssignedIdentifier: '7',
    extension: {
      action: 'change_settings',
      outcome: 'done',
      details: { 'grpc.listen': 'off' },
      previousSha256: '0'.repeat(64),
    },
  })
})

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

test('over gRPC an entry has the bytes it has in the file: the client can check the chain; over HTTP it is the same in JSON', async () => {
  const client = testClient(gateway.grpc, 'tocsin.v1.AdminService')
  await client.unary('ListRefusals', {})
  const { entries = [], headSha256, headNumber } = await client.unary<ListAuditResponse>('ListAudit', {})
  client.close()
  const bytes = entries.map((entry) => entryCodec.encode(entry))
  expect(hex(digestOf(bytes[0]!))).toBe(hex(headSha256))
  for (const [at, entry] of entries.entries()) {
    const before = bytes[at + 1]
    expect(hex(entry.previousSha256)).toBe(before ? hex(digestOf(before)) : '0'.repeat(64))
  }
  const answer = (await (await fetch(`${gateway.http}/v1/audit?outcome=done&action=list_refusals`)).json()) as {
    entries: object[]
    headNumber: number
  }
  expect(answer.entries).toEqual(entries.filter(({ action }) => action === 'list_refusals').map(logEventOf))
  expect(answer.entries).toHaveLength(1)
  // The asking is an entry itself.
  expect(answer.headNumber).toBe(toNumber(headNumber) + 1)
  const wrong = await fetch(`${gateway.http}/v1/audit?outcome=nothing`)
  expect(wrong.status).toBe(400)
})
