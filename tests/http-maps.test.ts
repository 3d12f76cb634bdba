// Events and alerts on a map, against a real gateway: where each stands, how that is known, and which alerts hold.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Action, AlertScope, MessageStatus, Relation } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

const eventCodec = codec('tocsin.v1.Event')

async function send(device: string, event: Event): Promise<void> {
  const body = new Uint8Array(eventCodec.encode(event))
  const headers = { 'content-type': 'application/octet-stream' }
  const answer = await fetch(`${gateway.http}/v1/ingest/tocsin/${device}`, { method: 'POST', body, headers })
  expect([answer.status, await answer.json()]).toEqual([201, expect.objectContaining({ fate: 'stored' })])
}

interface Collection {
  readonly type: string
  readonly features: readonly {
    readonly id: string
    readonly geometry: { readonly type: string; readonly coordinates: unknown } | null
    readonly properties: Readonly<Record<string, unknown>>
  }[]
  readonly unplaced: readonly { readonly id: string; readonly why: string }[]
  readonly nextPage?: string
}

async function map(path: string): Promise<Collection> {
  const answer = await fetch(gateway.http + path)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/geo+json'])
  return (await answer.json()) as Collection
}

const subjectOf = (name: string, sender = 'warn@county.example'): string =>
  `cap:${sender},${name},2026-11-22T12:00:00-00:00`

interface AlertWords {
  readonly name: string
  readonly sender?: string
  readonly action?: Action
  readonly scope?: AlertScope
  readonly status?: MessageStatus
  readonly references?: Event['references']
  readonly expiresAt?: number
  readonly geocodes?: { scheme: string; code: string }[]
}

function alert(words: AlertWords): Promise<void> {
  const { name, sender = 'warn@county.example', scope = AlertScope.PUBLIC, geocodes = [] } = words
  return send('cap', {
    subject: subjectOf(name, sender),
    messageStatus: words.status ?? MessageStatus.ACTUAL,
    action: words.action ?? Action.REPORT,
    ...(words.references && { references: words.references }),
    body: 'alert',
    alert: {
      identifier: name,
      sender,
      sentText: '2026-11-22T12:00:00-00:00',
      scope,
      infos: [
        {
          event: 'Flash Flood Warning',
          headline: `headline of ${name}`,
          expiresAt: { seconds: words.expiresAt ?? 4_000_000_000 },
          areas: [{ description: 'Travis', location: { geocodes } }],
        },
      ],
    },
  })
}

const supersedes = (name: string) => [{ subject: subjectOf(name), relation: Relation.SUPERSEDES }]
const cancels = (name: string) => [{ subject: subjectOf(name), relation: Relation.CANCELS }]
const names = ({ features }: Collection): unknown[] =>
  features.map(({ properties }) => properties['identifier']).toSorted()

describe('events on a map', () => {
  test('stand at their point, longitude first; without a place they have no geometry and are listed', async () => {
    const measurement = { quantity: 'water_level', value: 'number', number: 2.31, unit: 'm' } as const
    const body = { body: 'observation' as const, observation: { measurements: [measurement] } }
    await send('gauge-1', { subject: 'urn:gauge:1', location: { latitude: 30.25, longitude: -97.75 }, ...body })
    await send('gauge-2', { subject: 'urn:gauge:2', ...body })
    const { type, features, unplaced } = await map('/v1/events.geojson?kind=observation&order=oldest')
    expect(type).toBe('FeatureCollection')
    expect(features.map(({ geometry }) => geometry)).toEqual([{ type: 'Point', coordinates: [-97.75, 30.25] }, null])
    expect(features[0]?.properties).toMatchObject({
      placedBy: 'point',
      placed: 'point of the sender',
      kind: 'observation',
      subject: 'urn:gauge:1',
      status: 'actual',
      measurements: [{ quantity: 'water_level', number: 2.31, unit: 'm' }],
    })
    expect(unplaced).toEqual([{ id: features[1]?.id, why: 'no place was given' }])
    const one = await fetch(`${gateway.http}${features[0]?.properties['event']}`)
    expect(await one.json()).toMatchObject({ eventId: features[0]?.id })
  })

  test('come by pages', async () => {
    const first = await map('/v1/events.geojson?kind=observation&limit=1')
    const second = await map(`/v1/events.geojson?kind=observation&limit=1&page=${first.nextPage}`)
    expect([...first.features, ...second.features].map(({ properties }) => properties['subject'])).toEqual([
      'urn:gauge:2',
      'urn:gauge:1',
    ])
  })
})

describe('alerts on a map', () => {
  test('are those that hold: public, actual, neither cancelled nor replaced nor over', async () => {
    await alert({ name: 'plain', geocodes: [{ scheme: 'SAME', code: '048453' }] })
    await alert({ name: 'old' })
    await alert({ name: 'new', action: Action.UPDATE, references: supersedes('old') })
    await alert({ name: 'taken-back' })
    await alert({ name: 'the-cancel', action: Action.CANCEL, references: cancels('taken-back') })
    await alert({ name: 'over', expiresAt: 1_000_000_000 })
    await alert({ name: 'restricted', scope: AlertScope.RESTRICTED })
    await alert({ name: 'private', scope: AlertScope.PRIVATE })
    await alert({ name: 'drill', status: MessageStatus.EXERCISE })
    expect(names(await map('/v1/alerts.geojson'))).toEqual(['new', 'plain'])
    expect(names(await map('/v1/alerts.geojson?status=exercise'))).toEqual(['drill'])
    const all = await map('/v1/alerts.geojson?include=expired,cancelled,superseded')
    expect(all.features.map(({ properties: { identifier, state } }) => `${identifier} ${state}`).toSorted()).toEqual([
      'new in-force',
      'old superseded',
      'over expired',
      'plain in-force',
      'taken-back cancelled',
    ])
  })

  test('by a code are the whole county, and say so', async () => {
    const { features } = await map('/v1/alerts.geojson')
    const plain = features.find(({ properties }) => properties['identifier'] === 'plain')
    expect(plain?.properties).toMatchObject({ placedBy: 'county', placed: 'whole county: Travis, TX' })
    expect(plain?.geometry?.type).toMatch(/Polygon$/)
  })

  test('whose zone has no shape are listed with the code', async () => {
    await alert({ name: 'zone', geocodes: [{ scheme: 'UGC', code: 'TXZ192' }] })
    const { features, unplaced } = await map('/v1/alerts.geojson')
    const zone = features.find(({ properties }) => properties['identifier'] === 'zone')
    expect([zone?.geometry, zone?.properties['placedBy']]).toEqual([null, 'unplaced'])
    expect(unplaced).toContainEqual({ id: zone?.id, why: 'not placed: UGC TXZ192' })
  })

  test('are not taken back by another sender, nor what is real by an exercise', async () => {
    const other = 'stranger@elsewhere.example'
    await alert({ name: 'evil', sender: other, action: Action.CANCEL, references: cancels('plain') })
    const status = MessageStatus.EXERCISE
    await alert({ name: 'drill-2', status, action: Action.CANCEL, references: cancels('plain') })
    expect(names(await map('/v1/alerts.geojson'))).toContain('plain')
  })
})
