// Lines of a terminal → one SVG picture that needs no font, script or file of its own. Every run of cells is stretched to its columns,
// so that tables stand straight in whatever monospaced font the reader has.

import type { Run, Style } from './ansi.ts'

const cell = { width: 8, height: 18, fontSize: 13.3 }
const margin = 14
const barHeight = 30
const ground = '#16181d'
const text = '#d6d9e0'
const colours = [
  '#16181d',
  '#e5646b',
  '#8fbf6a',
  '#e0b252',
  '#6aa5e8',
  '#c58ae0',
  '#5bbcc4',
  '#d6d9e0',
  '#7a808c',
  '#ff8087',
  '#a8d884',
  '#f5cc70',
  '#8abcf5',
  '#d9a5f0',
  '#7cd3da',
  '#ffffff',
] as const

export interface Picture {
  /** The command as typed. */
  readonly title: string
  readonly lines: readonly (readonly Run[])[]
  readonly columns: number
}

export function svgOf({ title, lines, columns }: Picture): string {
  const width = columns * cell.width + 2 * margin
  const height = lines.length * cell.height + barHeight + 2 * margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${ground}"/>`,
    `<g font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="${cell.fontSize}" fill="${text}">`,
    `<text x="${margin}" y="${barHeight - 9}" fill="${colours[8]}">$ ${escaped(title)}</text>`,
    ...lines.flatMap((runs, row) => lineOf(cropped(runs, columns), barHeight + margin + row * cell.height)),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

function lineOf(runs: readonly Run[], top: number): string[] {
  let column = 0
  return runs.flatMap((run) => {
    const [x, length] = [margin + column * cell.width, [...run.text].length]
    column += length
    const rect =
      run.style.ground === undefined
        ? []
        : [
            `<rect x="${x}" y="${top}" width="${length * cell.width}" height="${cell.height}" fill="${colours[run.style.ground]}"/>`,
          ]
    if (run.text.trim() === '') return rect
    // Blanks at the ends would be dropped; they are only a place to begin.
    const lead = run.text.length - run.text.trimStart().length
    const shown = run.text.trim()
    const at = x + lead * cell.width
    return [
      ...rect,
      `<text x="${at}" y="${top + 13}" textLength="${[...shown].length * cell.width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"${attributesOf(run.style)}>${escaped(shown)}</text>`,
    ]
  })
}

function attributesOf({ bold, dim, italic, colour }: Style): string {
  return [
    bold ? ' font-weight="bold"' : '',
    italic ? ' font-style="italic"' : '',
    colour === undefined ? '' : ` fill="${colours[colour]}"`,
    dim ? ' opacity="0.6"' : '',
  ].join('')
}

/** What a terminal of so many columns would have wrapped ends in "…". */
function cropped(runs: readonly Run[], columns: number): Run[] {
  let left = columns
  const kept: Run[] = []
  for (const run of runs) {
    const characters = [...run.text]
    if (characters.length > left) {
      kept.push({ ...run, text: `${characters.slice(0, Math.max(left - 1, 0)).join('')}…` })
      break
    }
    kept.push(run)
    left -= characters.length
  }
  return kept
}

const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
