// `npm run pictures` runs this file: it plays the demonstration in a pseudo-terminal, asks its gateway with the real commands, and
// writes docs/pictures/*.svg. Times and ports differ each time; nothing else should.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAnsi, type Run } from './ansi.ts'
import { record } from './record.ts'
import { svgOf } from './svg.ts'

const home = fileURLToPath(new URL('../../', import.meta.url))
const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const columns = 150
const speed = 240

/** Name of the picture → the command that it shows. */
const commands: Readonly<Record<string, readonly string[]>> = {
  watch: ['tocsin', 'watch', '--from', '2h', '--device', 'w*,b*,Govee*,culvert*', '--count', '14'],
  query: ['tocsin', 'query', 'water_level', '--status', 'exercise', '--device', '70b3*', '--last', '90m', '--plot'],
  status: ['tocsin', 'status'],
}

const demo = record([process.execPath, 'demo/main.ts', '--speed', String(speed), '--keep'], columns, home)
try {
  await demo.said('Ctrl-C ends it')
  const { server, dataDir } = placesOf(demo.text())
  // Where the gateway is, is left out of the pictures: it is another port each time.
  write('demo', `npm run demo -- --keep --speed ${speed}`, excerpt(linesOf(demo.text())))
  for (const [name, [, ...words]] of Object.entries(commands)) {
    const asked = record([process.execPath, 'bin/tocsin', ...words, '--server', server], columns, home)
    await asked.ended
    write(
      name,
      `npx tocsin ${words.map((word) => (/[*?]/.test(word) ? `'${word}'` : word)).join(' ')}`,
      linesOf(asked.text()),
    )
  }
  await demo.stop()
  rmSync(join(home, dataDir), { recursive: true, force: true })
} finally {
  await demo.stop()
}

function placesOf(text: string): { server: string; dataDir: string } {
  const plain = readAnsi(text).map(plainText).join('\n')
  const [, server = ''] = /gRPC (\S+)/.exec(plain) ?? []
  const [, dataDir = ''] = /its data stay in (demo-data\S+)/.exec(plain) ?? []
  if (server === '' || dataDir === '') throw new Error(`the demonstration did not say where it is:\n${plain}`)
  return { server, dataDir }
}

/** The beginning, what happens at the first warning, in the cellar and when a gauge falls silent, and the end. */
function excerpt(lines: readonly Run[][]): Run[][] {
  const lineOf = (words: string): number => lines.findIndex((runs) => plainText(runs).includes(words))
  const parts: [from: number, count: number][] = [
    [0, 8],
    [lineOf('The weather office warns'), 5],
    [lineOf('in the cellar'), 4],
    [lineOf('has said nothing'), 3],
    [lineOf('The dispatcher saw') - 1, lines.length],
  ]
  let at = 0
  return parts.flatMap(([from, count]) => {
    const left = from - at
    at = from + count
    const cut: Run[] = [{ text: `   … ${left} lines …`, style: { dim: true } }]
    return [...(left > 0 ? [cut] : []), ...lines.slice(from, at)]
  })
}

function linesOf(text: string): Run[][] {
  const lines = readAnsi(text)
  while (lines.length > 0 && plainText(lines.at(-1) ?? []).trim() === '') lines.pop()
  return lines
}

function plainText(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join('')
}

function write(name: string, title: string, lines: readonly Run[][]): void {
  writeFileSync(`${folder}${name}.svg`, svgOf({ title, lines, columns }))
  process.stdout.write(`docs/pictures/${name}.svg  ${lines.length} lines\n`)
}
