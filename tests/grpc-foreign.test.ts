// Clients that were made by others: Debian's Python from our .proto files, the same by reflection with no file at all, buf curl,
// and TLS as openssl makes it.

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { credentials } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import type { Authenticated, Caller } from '../gateway/grpc/access.ts'
import { everything } from '../gateway/policy/rights.ts'
import { deviceEvent, openAccess, openHouse, seesAll, testClient, urgentEvent, type House } from './grpc-house.ts'
import { describeWithTools } from './tools/present.ts'
import { generatedFolder } from './tools/python-contract.ts'
import { runPython, startPython } from './tools/python.ts'
import { tempFolder } from './tools/temp-folder.ts'

const subscriber = join(import.meta.dirname, 'clients/subscriber.py')

interface Kept {
  readonly cursor: string
  readonly events: readonly [lane: number, sequence: number, id: string, device: string][]
}

const journalOf = (file: string): Kept[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Kept)
    : []

const wantedCount = 400

/** Half of the events are there before, half come while the console is killed again and again. */
async function killAndResume(house: House, contract: string, kills: number): Promise<void> {
  const journal = join(tempFolder('journal'), 'journal')
  const wantedIds: string[] = []
  const append = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) {
      const wanted = deviceEvent('tank-7')
      const urgent = urgentEvent(`u-${i}`)
      wantedIds.push(Buffer.from(wanted.id!).toString('hex'))
      // oxlint-disable-next-line no-await-in-loop -- one frame after the other, as a device sends them
      await house.append(wanted, deviceEvent('tank-8'), ...(i % 50 === 0 ? [urgent] : []))
    }
  }
  await append(0, wantedCount / 2)
  const appending = append(wantedCount / 2, wantedCount)
  const args = [contract, house.target, journal, String(wantedCount), 'tank-7', '15']
  for (let kill = 0; kill < kills; kill++) {
    const linesBefore = journalOf(journal).length
    const child = startPython(subscriber, args)
    await child.waitFor('subscribed')
    await expect.poll(() => journalOf(journal).length, { timeout: 10_000 }).toBeGreaterThan(linesBefore + 1)
    expect(await child.kill()).toMatchObject({ signal: 'SIGKILL' })
  }
  await appending
  const last = await runPython(subscriber, args)
  expect(last).toMatchObject({ code: 0, stderr: '' })
  expect(last.stdout).toContain(`done ${wantedCount}`)
  const events = journalOf(journal).flatMap((line) => line.events)
  expect(events.map(([, , id]) => id)).toEqual(wantedIds)
  expect(new Set(events.map(([, , , device]) => device))).toEqual(new Set(['tank-7']))
}

describeWithTools('Python', () => {
  test('made from the .proto files: killed four times, resumed by cursor, every event exactly once, in order', async () => {
    await using house = await openHouse()
    await killAndResume(house, await generatedFolder(), 4)
  }, 60_000)

  test('by reflection with no file: the same', async () => {
    await using house = await openHouse()
    await killAndResume(house, 'reflection', 2)
  }, 60_000)
})

describe('buf curl by reflection', () => {
  const curl = async (house: House, ...args: string[]): Promise<string> => {
    const path = args.pop() ?? ''
    const all = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args, `http://${house.target}${path}`]
    const { stdout } = await promisify(execFile)('buf', all, {
      timeout: 15_000,
      env: { ...process.env, HOME: tempFolder('buf') },
    })
    return stdout
  }

  test('lists what is served', async () => {
    await using house = await openHouse()
    for (const version of ['grpc-v1', 'grpc-v1alpha']) {
      const listed = await curl(house, '--reflect-protocol', version, '--list-services', '')
      expect(listed.trim().split('\n')).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'tocsin.v1.AdminService',
        'tocsin.v1.EventService',
        'tocsin.v1.SignInService',
        'tocsin.v1.TelemetryService',
      ])
    }
  })

  test('calls it, streams too', async () => {
    let isReady = true
    await using house = await openHouse({ ready: () => isReady })
    await house.append(deviceEvent('tank-7'), urgentEvent('evacuate'))
    const listed = JSON.parse(
      await curl(house, '-d', '{"filter":{"devices":["tank-*"]}}', '/tocsin.v1.EventService/ListEvents'),
    )
    expect(listed).toMatchObject({ records: [{ lane: 'LANE_ROUTINE', header: { device: 'tank-7' } }] })
    const streamed = await curl(house, '-d', '{"earliest":{},"expiresIn":"0.5s"}', '/tocsin.v1.EventService/Subscribe')
    expect(streamed).toContain('"caughtUp"')
    expect(JSON.parse(await curl(house, '-d', '{}', '/grpc.health.v1.Health/Check'))).toEqual({ status: 'SERVING' })
    isReady = false
    expect(JSON.parse(await curl(house, '-d', '{}', '/grpc.health.v1.Health/Check'))).toEqual({ status: 'NOT_SERVING' })
  })

  test('is told what is wrong, with the stable code', async () => {
    await using house = await openHouse()
    const failed = await curl(house, '-v', '-d', '{"afterCursor":"AAAA"}', '/tocsin.v1.EventService/Subscribe').catch(
      (error: { stderr: string }) => error.stderr,
    )
    expect(failed).toContain('after_cursor is no cursor')
    expect(failed.toLowerCase()).toContain('tocsin-code: invalid_argument')
  })
})

describe('TLS', () => {
  interface Pair {
    readonly certificate: string
    readonly key: string
  }

  function makePair(folder: string, name: string, signer?: string): Pair {
    const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
    const sign = signer ? ['-CA', join(folder, `${signer}.pem`), '-CAkey', join(folder, `${signer}.key`)] : []
    const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
    const how = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', ...how, '-keyout', key, '-out', certificate, ...names, ...sign], { stdio: 'pipe' })
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  }

  test('a client is known by a certificate that our authority signed, and by no other; keys are renewed while it runs', async () => {
    const folder = tempFolder('tls')
    const authority = makePair(folder, 'authority')
    const gateway = makePair(folder, 'gateway', 'authority')
    const console_ = makePair(folder, 'console', 'authority')
    const stranger = makePair(folder, 'stranger')
    const keys = { ...gateway, clientAuthorities: authority.certificate }
    const seen: (string | undefined)[] = []
    const access = {
      ...openAccess,
      view: () => seesAll,
      authenticate: ({ certificate }: Caller): Authenticated => {
        seen.push(String(certificate?.subject.CN ?? 'nobody'))
        return certificate
          ? { principal: { name: 'console', authenticity: 'authenticated', rights: everything } as const }
          : { refused: 'Show a certificate.' }
      },
    }
    await using house = await openHouse({ keys, access })
    const call = async (authorityPem: string, pair?: Pair): Promise<number> => {
      const pems = pair ? [Buffer.from(pair.key), Buffer.from(pair.certificate)] : []
      const security = credentials.createSsl(Buffer.from(authorityPem), pems[0], pems[1])
      const client = testClient(house.target, 'tocsin.v1.EventService', security)
      const answer = client.unary('ListEvents', {}).then(
        () => 0,
        (error: { code: number }) => error.code,
      )
      return answer.finally(() => client.close())
    }
    expect(await call(authority.certificate, console_)).toBe(0)
    expect(await call(authority.certificate)).toBe(16)
    expect(await call(authority.certificate, stranger)).toBe(16)
    expect(seen).toEqual(['console', 'nobody', 'nobody'])
    expect(await call(stranger.certificate, console_)).toBe(14)

    const renewed = makePair(folder, 'renewed')
    house.server.renewKeys({ ...renewed, clientAuthorities: authority.certificate })
    await sleep(10)
    expect(await call(renewed.certificate, console_)).toBe(0)
  })

  test('where a certificate is required, nobody gets in without', async () => {
    const folder = tempFolder('tls')
    const authority = makePair(folder, 'authority')
    const keys = {
      ...makePair(folder, 'gateway', 'authority'),
      clientAuthorities: authority.certificate,
      clientCertificateRequired: true,
    }
    await using house = await openHouse({ keys })
    const security = credentials.createSsl(Buffer.from(authority.certificate))
    const bare = testClient(house.target, 'tocsin.v1.EventService', security)
    await expect(bare.unary('ListEvents', {})).rejects.toMatchObject({ code: 14 })
    bare.close()
  })
})
