// What a terminal was sent becomes a picture: colours, columns, and nothing that a picture may not hold.

import { expect, test } from 'vitest'
import { readAnsi } from '../demo/pictures/ansi.ts'
import { svgOf } from '../demo/pictures/svg.ts'

test('colours, weights and their ends are read; other control sequences are passed over', () => {
  expect(readAnsi('a\u001b[1;31mb\u001b[22mc\u001b[39m\r\n\u001b[2K\u001b[30;43m d \u001b[0me\u001b[94mf')).toEqual([
    [
      { text: 'a', style: {} },
      { text: 'b', style: { bold: true, colour: 1 } },
      { text: 'c', style: { colour: 1 } },
    ],
    [
      { text: ' d ', style: { colour: 0, ground: 3 } },
      { text: 'e', style: {} },
      { text: 'f', style: { colour: 12 } },
    ],
  ])
})

test('a run stands in its columns, with its ground behind it, and is escaped', () => {
  const svg = svgOf({ title: 'x', columns: 20, lines: readAnsi('<a>&  \u001b[43m b\u001b[0m') })
  // 14 of margin and 8 for each column; blanks at the ends are only a place to begin.
  expect(svg).toContain(
    '<text x="14" y="57" textLength="32" lengthAdjust="spacingAndGlyphs" xml:space="preserve">&lt;a&gt;&amp;</text>',
  )
  expect(svg).toContain('<rect x="62" y="44" width="16" height="18" fill="#e0b252"/>')
  expect(svg).toMatch(/<text x="70" [^>]*textLength="8"[^>]*>b<\/text>/)
})

test('a line that is too long says so', () => {
  const svg = svgOf({ title: 'x', columns: 5, lines: readAnsi('123456789') })
  expect(svg).toContain('>1234…</text>')
})
