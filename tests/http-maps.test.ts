// Events and alerts on a map, against a real gateway: where each stands, how that is known, and which alerts hold.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

interface AlertWords {
  readonly name: string
  readonly sender?: string
  readonly type?: 'Update' | 'Cancel'
  readonly scope?: 'Restricted' | 'Private'
  readonly status?: 'Exercise'
  /** Identifiers of the county's alerts. */
  readonly references?: readonly string[]
  readonly expires?: string
  readonly headline?: string
  readonly geocodes?: readonly { readonly scheme: string; readonly code: string }[]
}

const sent = '2026-11-22T12:00:00-00:00'
const xmlText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** As its sender would: in CAP, over HTTP. */
async function alert(words: AlertWords): Promise<void> {
  const { name, sender = 'warn@county.example', scope = 'Public', geocodes = [], references = [] } = words
  const codes = geocodes.map(
    ({ scheme, code }) => `<geocode><valueName>${scheme}</valueName><value>${code}</value></geocode>`,
  )
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>${name}</identifier><sender>${sender}</sender><sent>${sent}</sent>
<status>${words.status ?? 'Actual'}</status><msgType>${words.type ?? 'Alert'}</msgType><scope>${scope}</scope>
${scope === 'Restricted' ? '<restriction>fire service</restriction>' : ''}
${scope === 'Private' ? '<addresses>chief@county.example</addresses>' : ''}
${references.length > 0 ? `<references>${references.map((each) => `warn@county.example,${each},${sent}`).join(' ')}</references>` : ''}
<info><category>Met</category><event>Flash Flood Warning</event><urgency>Immediate</urgency><severity>Severe</severity>
<certainty>Likely</certainty><expires>${words.expires ?? '2096-01-01T00:00:00-00:00'}</expires>
<headline>${xmlText(words.headline ?? `headline of ${name}`)}</headline>
<area><areaDesc>Travis</areaDesc>${codes.join('')}</area></info></alert>`
  const headers = { 'content-type': 'application/cap+xml' }
  const answer = await fetch(`${gateway.http}/v1/ingest/cap/${sender}`, { method: 'POST', body, headers })
  expect([answer.status, await answer.json()]).toEqual([201, expect.objectContaining({ fate: 'stored' })])
}

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
    await alert({ name: 'new', type: 'Update', references: ['old'] })
    await alert({ name: 'taken-back' })
    await alert({ name: 'the-cancel', type: 'Cancel', references: ['taken-back'] })
    await alert({ name: 'over', expires: '2001-09-09T01:46:40-00:00' })
    await alert({ name: 'restricted', scope: 'Restricted' })
    await alert({ name: 'private', scope: 'Private' })
    await alert({ name: 'drill', status: 'Exercise' })
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
    await alert({ name: 'evil', sender: other, type: 'Cancel', references: ['plain'] })
    await alert({ name: 'drill-2', status: 'Exercise', type: 'Cancel', references: ['plain'] })
    expect(names(await map('/v1/alerts.geojson'))).toContain('plain')
  })
})

describe('the feed of alerts', () => {
  const feed = async (query = ''): Promise<string> => {
    const answer = await fetch(`${gateway.http}/v1/alerts.atom${query}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/atom+xml; charset=utf-8'])
    return answer.text()
  }
  const textsIn = (xml: string, name: string): string[] =>
    [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, text = '']) => text)

  test('links to each alert that holds, and the link gives it in CAP as its sender said it', async () => {
    const xml = await feed()
    expect(textsIn(xml, 'title')).toEqual(['Public alerts', 'headline of zone', 'headline of new', 'headline of plain'])
    const links = [...xml.matchAll(/href="([^"]*\.cap)"/g)].map(([, link = '']) => link)
    expect(links).toHaveLength(3)
    const answer = await fetch(links[2]!)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/cap+xml'])
    const cap = await answer.text()
    for (const [name, text] of [
      ['identifier', 'plain'],
      ['sender', 'warn@county.example'],
      ['sent', '2026-11-22T12:00:00-00:00'],
      ['status', 'Actual'],
      ['scope', 'Public'],
    ]) {
      expect(textsIn(cap, name!)).toEqual([text])
    }
  })

  test('gives what is no real one, or holds no longer, only to those who ask, and what is not public to nobody', async () => {
    const [link = ''] = /[^"]*\.cap\?status=exercise/.exec(await feed('?status=exercise')) ?? []
    expect((await fetch(link)).status).toBe(200)
    expect((await fetch(link.replace(/\?.*/, ''))).status).toBe(404)
    const all = await feed('?include=expired,cancelled,superseded')
    expect(textsIn(all, 'title')).toContain('headline of taken-back')
    expect(all).not.toMatch(/headline of (restricted|private|drill)/)
  })

  test('is sound XML whatever a sender writes', async () => {
    await alert({ name: 'odd', headline: 'a<b>&"c"' })
    expect(textsIn(await feed(), 'title')).toContain('a&lt;b&gt;&amp;&quot;c&quot;')
  })
})
