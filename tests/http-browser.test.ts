// The pages of the gateway in a real browser: what comes in is shown without reloading, what a sender wrote stays text, and nothing is
// loaded that the page may not load.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { type Browser, startBrowser } from './tools/browser.ts'
import { describeWithTools } from './tools/present.ts'

const cancel = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>c-1</identifier><sender>alerts@county-a.example</sender>
<sent>2026-11-22T11:00:00-00:00</sent><status>Actual</status><msgType>Cancel</msgType><scope>Public</scope>
<references>alerts@county-a.example,w-1,2026-11-22T10:00:00-00:00</references></alert>`

describeWithTools('in a browser', () => {
  let gateway: GatewayProcess
  let browser: Browser
  beforeAll(async () => {
    ;[gateway, browser] = await Promise.all([startGatewayProcess(), startBrowser()])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await gateway?.stop()
  })

  async function ingest(path: string, type: string, body: string): Promise<void> {
    const headers = { 'content-type': type }
    const answer = await fetch(`${gateway.http}/v1/ingest/${path}`, { method: 'POST', headers, body })
    expect(answer.status).toBe(201)
  }
  const reading = (device: string, value: number) =>
    ingest(`senml/${device}`, 'application/senml+json', JSON.stringify([{ n: 'water-level', u: 'm', v: value }]))
  async function shows(page: { text(): Promise<string> }, form: RegExp): Promise<void> {
    await expect.poll(() => page.text(), { timeout: 20_000 }).toMatch(form)
  }

  test('the first page shows what was there and what comes, an alert taken back as that, and text as text', async () => {
    await reading('gauge-1', 1.25)
    const page = await browser.open(`${gateway.http}/`)
    await shows(page, /Live\./)
    await shows(page, /gauge-1 water level 1\.25 m/)
    await reading('gauge-2', 3.5)
    await shows(page, /gauge-2 water level 3\.5 m/)
    await ingest('cap/county-a', 'application/cap+xml', cancel)
    await shows(page, /URGENT · CANCELLED · alert/)
    await reading('<img src=x>', 7)
    await shows(page, /<img src=x> water level 7 m/)
    expect(page.errors).toEqual([])
  }, 90_000)

  test('the page of the API lists every path under /v1 of the OpenAPI document', async () => {
    const page = await browser.open(`${gateway.http}/docs`)
    const { paths } = (await (await fetch(`${gateway.http}/openapi.json`)).json()) as { paths: object }
    await shows(page, /HTTP API of Tocsin/)
    const text = await page.text()
    const names = Object.keys(paths).filter((path) => path.startsWith('/v1/'))
    expect(names.length).toBeGreaterThan(12)
    expect(names.filter((path) => !text.includes(path))).toEqual([])
    expect(page.errors).toEqual([])
  }, 60_000)
})
