// Rules about the code itself, so that nobody has to say them in review.

import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const mayImport: Record<string, readonly string[]> = {
  proto: ['proto'],
  adapters: ['adapters', 'proto'],
  broker: ['broker', 'proto'],
  gateway: ['gateway', 'adapters', 'broker', 'proto'],
}
const banned: readonly [RegExp, string, RegExp?][] = [
  [/\bconsole\./, 'use the logger passed in'],
  [/\bDate\.now\(|new Date\(\)/, 'use the clock passed in', /^gateway\/(clock\.ts|cli\/)/],
  [/\bMath\.random\(/, 'use the random source passed in', /^gateway\/(run-gateway)\.ts|^gateway\/cli\//],
  [/\b(TODO|FIXME|XXX)\b/, 'finish it before it lands'],
  [/:\s*any\b|\bas any\b|<any>/, 'say what it is, or unknown'],
]
const files = globSync('{proto,adapters,broker,gateway}/**/*.ts', { exclude: ['proto/generated/**'] })

test('rooms import only downwards', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !mayImport[roomOf(file)]?.includes(roomOf(target)))
      .map((target) => `${file} imports ${target}`),
  )
  expect(files.length).toBeGreaterThan(20)
  expect(wrong).toEqual([])
})

test('adapters touch no clock, network, disk or randomness', () => {
  // JSONata answers by promises only; its engine reads the library's own source, once, to run it in a context of its own.
  const excepted = 'adapters/json/jsonata-engine.ts'
  const adapters = files.filter((file) => roomOf(file) === 'adapters' && file !== excepted)
  // A digest of bytes is arithmetic; the rest of node:crypto is not.
  const withoutDigest = (file: string): string => read(file).replace("import { hash } from 'node:crypto'", '')
  expect(adapters.filter((file) => /from 'node:(?!util'|buffer'|zlib')/.test(withoutDigest(file)))).toEqual([])
  expect(adapters.filter((file) => /\bsetTimeout\(|\bsetInterval\(|\bfetch\(/.test(read(file)))).toEqual([])
})

test('banned words come with their replacement', () => {
  const wrong = files.flatMap((file) =>
    banned
      .filter(([word, , except]) => !except?.test(file) && word.test(code(file)))
      .map(([word, instead]) => `${file}: ${word} (${instead})`),
  )
  expect(wrong).toEqual([])
})

test('every file opens with a sentence about itself', () => {
  expect(files.filter((file) => !read(file).startsWith('// '))).toEqual([])
})

test('no file of code is longer than 450 lines', () => {
  const all = [...files, ...globSync('{tests,bench}/**/*.ts', { exclude: ['**/node_modules/**'] })]
  expect(all.filter((file) => read(file).split('\n').length > 450)).toEqual([])
})

test('no file is called after nothing', () => {
  expect(files.filter((file) => /(^|\/)(utils?|helpers?|manager|data|info|misc|common)\.ts$/.test(file))).toEqual([])
})

test('the project names no registry and no path of a developer machine', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean)
  // Built from pieces, so that this file does not name them itself.
  const words = [
    ['registry', 'npmjs'].join('.'),
    ['deb', 'debian'].join('.'),
    ['/work', 'main'].join('/'),
    ['/work', 'shared'].join('/'),
  ]
  const wrong = tracked
    .filter((file) => /\.(ts|js|json|md|sh|yaml|yml|proto|py)$|^\.ci\/|^bin\//.test(file))
    .filter((file) => words.some((word) => read(file).includes(word)))
  expect(wrong).toEqual([])
})

const read = (file: string): string => readFileSync(file, 'utf8')
/** Without comments, where words may be spoken of. */
const code = (file: string): string => read(file).replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
const roomOf = (file: string): string => file.split('/')[0] ?? ''
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/^(?:import|export|\}).*from '(\.[^']+)'/gm)].map((found) =>
    join(dirname(file), found[1] ?? ''),
  )
