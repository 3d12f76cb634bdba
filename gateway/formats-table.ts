// The table of formats in README.md, made from the adapters and from the first sentence of each one's own page.

import { readFileSync } from 'node:fs'
import { adapters } from '../adapters/index.ts'
import type { Adapter } from '../adapters/adapter.ts'

const begin = '<!-- formats: made by npm run generate -->\n'
const end = '<!-- end of formats -->'

/** The page with its table made anew; throws when it has no place for one. */
export function withFormats(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error('README.md has no marks between which the table of formats stands')
  return page.slice(0, from + begin.length) + formatsTable() + page.slice(to)
}

function formatsTable(): string {
  const rows = [...adapters.values()].map((adapter) => {
    const { name, spec, encode } = adapter
    return `| [${name}](adapters/${name}/README.md) | ${sentenceOf(name)} | ${topicsOf(adapter)} | ${encode ? 'yes' : '–'} | ${spec} |`
  })
  return [
    '<!-- prettier-ignore-start -->',
    '',
    '| adapter | what it reads | on topics | writes | after |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n')
}

function sentenceOf(name: string): string {
  const page = readFileSync(new URL(`../adapters/${name}/README.md`, import.meta.url), 'utf8')
  const [, sentence] = /^## What it is\n\n([\s\S]+?\.)(?=\s)/m.exec(page) ?? []
  if (sentence === undefined) throw new Error(`adapters/${name}/README.md does not say what it is`)
  return sentence.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
}

/** Mappings name topics of their own; a format whose devices have none by convention has ours. */
function topicsOf({ name, topics }: Adapter): string {
  if (name === 'json') return 'yours, see `mappings`'
  return (topics ?? [`tocsin/in/${name}/<device>`]).map((topic) => `\`${topic}\``).join(', ')
}
