// The description of the HTTP API against the API: nothing is left out, it is sound, and answers are what it says; and the pages for
// people, which load nothing from anywhere else.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'

let gateway: GatewayProcess
let document: Document
beforeAll(async () => {
  gateway = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'sqlite' } })
  document = (await (await fetch(`${gateway.http}/openapi.json`)).json()) as Document
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

const schemaForm = z.record(z.string(), z.unknown())
const contentForm = z.record(
  z.string().regex(/^[\w.*+-]+\/[\w.*+-]+$/),
  z.strictObject({ schema: schemaForm.optional() }),
)
const parameterForm = z.strictObject({
  name: z.string().min(1),
  in: z.enum(['path', 'query', 'header']),
  description: z.string().min(1),
  required: z.literal(true).optional(),
  schema: schemaForm,
  style: z.literal('form').optional(),
  explode: z.boolean().optional(),
  example: z.string().optional(),
})
const operationForm = z.strictObject({
  tags: z.array(z.string()).length(1),
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  description: z.string().min(1),
  parameters: z.array(parameterForm).optional(),
  requestBody: z.strictObject({ description: z.string(), required: z.boolean(), content: contentForm }).optional(),
  responses: z.record(
    z.string().regex(/^([2-5]\d\d|default)$/),
    z.strictObject({ description: z.string().min(1), content: contentForm.optional() }),
  ),
})
/** OpenAPI 3.1 §4, as far as it is used. */
const documentForm = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  tags: z.array(z.strictObject({ name: z.string() })),
  paths: z.record(
    z.string().startsWith('/'),
    z.strictObject({ get: operationForm.optional(), post: operationForm.optional() }),
  ),
  components: z.strictObject({ schemas: z.record(z.string(), schemaForm) }),
})
type Document = z.infer<typeof documentForm>

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap((operation) => (operation ? [{ path, operation }] : [])),
  )

describe('the description', () => {
  test('is sound: of the form, with one name for each call, its path parameters and no loose end', () => {
    expect(documentForm.safeParse(document).error).toBeUndefined()
    const names = operations().map(({ operation }) => operation.operationId)
    expect(new Set(names).size).toBe(names.length)
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const given = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect([path, given.map(({ name }) => name).toSorted()]).toEqual([path, inPath.toSorted()])
      expect([path, given.every(({ required }) => required)]).toEqual([path, true])
      expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0])
    }
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    )
    expect(references.length).toBeGreaterThan(20)
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([])
  })

  test('has every path that is registered, but for the pages for people', async () => {
    const { paths } = (await (await fetch(`${gateway.http}/nowhere`)).json()) as { paths: string[] }
    const pages = new Set(['/', '/docs', '/page.css', '/page.js'])
    expect(Object.keys(document.paths).toSorted()).toEqual(paths.filter((path) => !pages.has(path)).toSorted())
    expect(paths).toContain('/v1/ingest/{adapter}/{device}')
  })

  test('says what answers look like', async () => {
    const headers = { 'content-type': 'application/json' }
    const send = (body: string) =>
      fetch(`${gateway.http}/v1/ingest/senml/gauge-1`, { method: 'POST', body, headers }).then((answer) =>
        answer.json(),
      )
    const ask = async (path: string): Promise<unknown> => (await fetch(gateway.http + path)).json()
    const taken = (await send('[{"n":"water-level","u":"m","v":2.31}]')) as { eventIds: string[]; frameId: string }
    const answers: [string, unknown][] = [
      ['Taken', taken],
      ['Taken', await send('rubbish')],
      ['EventPage', await ask('/v1/events')],
      ['Record', await ask(`/v1/events/${taken.eventIds[0]}`)],
      ['Frame', await ask(`/v1/events/${taken.eventIds[0]}/frame`)],
      ['Fates', await ask('/v1/fates?topic=tocsin/in/senml/gauge-1&limit=9')],
      ['Fate', await ask(`/v1/fates/${taken.frameId}`)],
      ['RefusalPage', await ask('/v1/refusals')],
      ['FeatureCollection', await ask('/v1/events.geojson')],
      ['FeatureCollection', await ask('/v1/alerts.geojson')],
      ['SeriesPage', await ask('/v1/series')],
      ['SeriesValues', await ask('/v1/series/water_level')],
      ['AuditPage', await ask('/v1/audit')],
      ['Error', await ask('/v1/events/x')],
    ]
    for (const [name, answer] of answers) {
      const wrong = faultsOf(document.components.schemas[name]!, answer, name)
      expect([name, wrong]).toEqual([name, []])
    }
  })
})

/** What of a value is not as a schema says, or is not said by it at all: JSON Schema, as far as the document uses it. */
function faultsOf(schema: Record<string, unknown>, value: unknown, at: string): string[] {
  const { $ref, type, properties, required, items } = schema as {
    $ref?: string
    type?: string | string[]
    properties?: Record<string, Record<string, unknown>>
    required?: string[]
    items?: Record<string, unknown>
    enum?: unknown[]
    const?: unknown
  }
  if ($ref) return faultsOf(document.components.schemas[$ref.split('/').at(-1)!]!, value, at)
  if (schema['const'] !== undefined) return schema['const'] === value ? [] : [`${at} is not ${String(schema['const'])}`]
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return [`${at} is not one of those there are`]
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const kinds = [type].flat().map((each) => (each === 'integer' ? 'number' : each))
  if (!kinds.includes(kind)) return [`${at} is ${kind}, not ${kinds.join('|')}`]
  if (schema['format'] === 'date-time' && Number.isNaN(Date.parse(String(value)))) return [`${at} is no time`]
  if (Array.isArray(value)) return value.flatMap((each, i) => (items ? faultsOf(items, each, `${at}[${i}]`) : []))
  if (!properties || typeof value !== 'object' || value === null) return []
  const missing = (required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`)
  const wrong = Object.entries(value).flatMap(([name, each]) =>
    properties[name] ? faultsOf(properties[name], each, `${at}.${name}`) : [`${at}.${name} is not described`],
  )
  return [...missing, ...wrong]
}

describe('the pages for people', () => {
  test.each(['/', '/docs', '/page.css', '/page.js'])(
    '%s comes from the gateway and needs nobody else',
    async (path) => {
      const answer = await fetch(gateway.http + path)
      expect(answer.status).toBe(200)
      const policy = answer.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
      const text = await answer.text()
      expect(text).not.toMatch(/https?:\/\/|url\(|@import/)
      // The policy forbids them, so a page that had them would not work.
      expect(text).not.toMatch(/<script>|<style>| on[a-z]+="| style="/)
    },
  )

  test('/docs shows every call, and what a page links to is there', async () => {
    const docs = await (await fetch(`${gateway.http}/docs`)).text()
    for (const { operation } of operations()) {
      if (!['getHealth', 'getReadiness', 'getMetrics'].includes(operation.operationId))
        expect(docs).toContain(`id="${operation.operationId}"`)
    }
    const first = await (await fetch(`${gateway.http}/`)).text()
    const links = [...(docs + first).matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => link!)
    expect(links.length).toBeGreaterThan(8)
    for (const link of new Set(links)) expect([link, (await fetch(gateway.http + link)).status]).toEqual([link, 200])
  })

  test('are for a phone and for a screen reader: a language, a title, a width, headings in order, a status that is spoken', async () => {
    for (const path of ['/', '/docs']) {
      const text = await (await fetch(gateway.http + path)).text()
      expect(text).toMatch(/<html lang="en">/)
      expect(text).toMatch(/<title>[^<]+<\/title>/)
      expect(text).toMatch(/<meta name="viewport" content="width=device-width/)
      const levels = [...text.matchAll(/<h(\d)/g)].map(([, level]) => Number(level))
      expect(levels[0]).toBe(1)
      expect(levels.every((level, i) => i === 0 || level <= levels[i - 1]! + 1)).toBe(true)
    }
    expect(await (await fetch(`${gateway.http}/`)).text()).toContain('role="status"')
  })
})
