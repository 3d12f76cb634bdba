// The pages for people: /openapi.json and /docs, made from the table of routes, and / with the last events as they come. All is on
// the gateway itself: they work where there is no internet, and load nothing from anywhere.

import { readFileSync } from 'node:fs'
import { version } from '../version.ts'
import { openApiDocument } from './openapi.ts'
import type { Parameter, Reply, Route } from './route.ts'

const pagePolicy = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
const htmlType = 'text/html; charset=utf-8'

/** `routes` are the others; answers with all of them. */
export function withPages(routes: readonly Route[]): readonly Route[] {
  const openApi: Route = {
    method: 'GET',
    path: '/openapi.json',
    group: 'Gateway',
    name: 'getOpenApi',
    about: 'This description, as OpenAPI 3.1.',
    parameters: {},
    answers: [{ status: 200, about: 'The description.', type: 'application/json' }],
    handle: () => ({ json: openApiDocument(all) }),
  }
  const pages = [
    file('/', 'index.html', htmlType),
    file('/page.css', 'page.css', 'text/css; charset=utf-8'),
    file('/page.js', 'page.js', 'text/javascript; charset=utf-8'),
    page('/docs', (): Reply => ({ type: htmlType, headers: pagePolicy, body: docsPage(all) })),
  ]
  const all: readonly Route[] = [...routes, openApi, ...pages]
  return all
}

/** Pages are no part of the API: they stand under no heading. */
const page = (path: string, handle: () => Reply): Route => ({
  method: 'GET',
  path,
  group: '',
  name: `page ${path}`,
  about: 'A page for people.',
  parameters: {},
  answers: [],
  handle,
})

function file(path: string, name: string, type: string): Route {
  const body = readFileSync(new URL(`pages/${name}`, import.meta.url))
  return page(path, () => ({ type, headers: pagePolicy, body }))
}

function docsPage(routes: readonly Route[]): string {
  const groups = Map.groupBy(
    routes.filter(({ group }) => group !== ''),
    ({ group }) => group,
  )
  const sections = [...groups].map(
    ([group, several]) => `<section><h2>${html(group)}</h2>${several.map(routeHtml).join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>HTTP API of Tocsin</title><link rel="stylesheet" href="/page.css"></head><body>
<header><h1>HTTP API of Tocsin ${html(version)}</h1>
<p>For programs on the machine of the gateway itself. The same as <a href="/openapi.json">OpenAPI 3.1</a>; what comes in now is on
<a href="/">the first page</a>.</p></header><main>${sections.join('\n')}</main></body></html>
`
}

function routeHtml({ method, path, name, about, parameters, body, answers }: Route): string {
  const rows = Object.entries(parameters).map(parameterHtml).join('')
  const table = `<table><thead><tr><th scope="col">parameter</th><th scope="col">in</th><th scope="col">what</th></tr></thead><tbody>${rows}</tbody></table>`
  const results = answers.map(({ status, type = '', about: what }) => `<li>${status} ${code(type)} ${html(what)}</li>`)
  return `<article id="${html(name)}"><h3>${code(`${method} ${path}`)}</h3><p>${prose(about)}</p>${rows === '' ? '' : table}${
    body ? `<p>Body: ${prose(body.about)} At most ${body.bytesMax} bytes.</p>` : ''
  }<ul>${results.join('')}</ul></article>`
}

function parameterHtml([name, parameter]: [string, Parameter]): string {
  const { in: where, about, of, required, example } = parameter
  const choices = of ? ` One of ${of.map(code).join(', ')}.` : ''
  const fallback = parameter.default === undefined ? '' : ` Without it ${code(String(parameter.default))}.`
  const shown = example === undefined ? '' : ` Such as ${code(example)}.`
  const must = required ? ' Needed.' : ''
  return `<tr><td>${code(name)}</td><td>${where}</td><td>${prose(about)}${choices}${fallback}${shown}${must}</td></tr>`
}

const code = (text: string): string => (text === '' ? '' : `<code>${html(text)}</code>`)
/** Words between backticks are code. */
const prose = (text: string): string => html(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
