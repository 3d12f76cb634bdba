// docs/quantities.md, made from the registry and from the words that each dialect uses for a quantity.

import { dialects } from '../adapters/dialects.ts'
import { quantityFamilies } from '../adapters/quantities.ts'
import type { Quantity } from '../adapters/quantity.ts'

export function quantitiesPage(): string {
  return [
    '# Quantities',
    '',
    'Made from the registry in `adapters/quantities.ts` by `npm run generate`; a test fails when it was forgotten.',
    '',
    'Every measurement has a quantity, a name such as `water_level`, and a value in the unit given here, which is SI but for degrees',
    'Celsius and percent. What the source wrote stands beside it where it was converted. A value outside the range, which is what is',
    'physically possible or what any instrument can show, is kept as it is; its quality becomes `BAD` where the source did not judge',
    'it itself. Masses in a volume (µg/m³) and shares (ppm, ppb) do not convert into each other without more facts: a value keeps the',
    'unit it came in.',
    '',
    'A quantity that is not here passes under its own name and is counted: `tocsin status` lists the names, the metric',
    '`tocsin_unknown_quantities_total` counts the measurements by adapter. "Words" are understood in every format that leaves its',
    'sensors without fixed names (SenML, JSON without a `quantity` of its own); the columns of a format are what its own words mean.',
    '',
    ...Object.entries(quantityFamilies).flatMap(([family, rows]) => familyTable(family, rows)),
  ].join('\n')
}

function familyTable(family: string, rows: Readonly<Record<string, Quantity>>): string[] {
  const names = Object.keys(rows)
  // Only the dialects that have a word of the family.
  const columns = [...dialects].filter(([, words]) => names.some((name) => wordsFor(words, name).length > 0))
  const head = ['quantity', 'unit', 'range', 'what it is', 'words', ...columns.map(([dialect]) => dialect)]
  return [
    `## ${family.replaceAll('_', ' ')}`,
    '',
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...Object.entries(rows).map(([name, row]) => {
      const theirs = columns.map(([, words]) => listed(wordsFor(words, name)))
      return `| ${[`\`${name}\``, row.unit === '' ? '–' : `\`${row.unit}\``, rangeText(row), row.about, listed(row.words), ...theirs].join(' | ')} |`
    }),
    '',
  ]
}

const wordsFor = (words: Readonly<Record<string, string>>, name: string): string[] =>
  Object.keys(words).filter((word) => words[word] === name)

const listed = (words: readonly string[]): string =>
  words.length === 0 ? '–' : words.map((word) => `\`${word}\``).join(', ')

function rangeText({ unit, min, max }: Quantity): string {
  if (unit === '') return min === 0 && max === 1 ? 'yes or no' : 'any'
  if (min === -Infinity && max === Infinity) return 'any'
  if (max === Infinity) return `≥ ${numberText(min)}`
  return `${numberText(min)} to ${numberText(max)}`
}

const plainMax = 1e6
const numberText = (value: number): string =>
  (Math.abs(value) > plainMax ? value.toExponential() : String(value)).replace('e+', 'e').replace('-', '−')
