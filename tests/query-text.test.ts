// What `tocsin query` writes: plots, sparklines, tables and CSV, from answers as the gateway gives them, without a gateway.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { braillePlot, type PlotFrame, type PlotLine } from '../gateway/cli/braille-plot.ts'
import { timeTicks, valueAxis } from '../gateway/cli/plot-axes.ts'
import { answerOf, namesOf, type Range } from '../gateway/cli/series-answer.ts'
import { csvRow, valuesCsv } from '../gateway/cli/series-csv.ts'
import { printPlot, printTable } from '../gateway/cli/series-table.ts'
import { missingText, windowFor } from '../gateway/cli/silence.ts'
import { sparkline } from '../gateway/cli/sparkline.ts'
import type { Terminal } from '../gateway/cli/terminal.ts'
import { MessageStatus, Quality, SeriesAggregate } from '../proto/generated/types.ts'
import type { QuerySeriesResponse, Series, SeriesPoint } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'

/** 2026-11-22T12:00:00Z. */
const noonMs = 1_795_348_800_000
const minuteMs = 60_000
const timeOf = (ms: number) => timestamp(BigInt(ms) * 1_000_000n)
const plain = (_style: unknown, text: string): string => text
const reading = (minute: number, number: number, rest: Partial<SeriesPoint> = {}): SeriesPoint =>
  ({ at: timeOf(noonMs + minute * minuteMs), value: 'number', number, quality: Quality.GOOD, ...rest }) as SeriesPoint
const gauge: Series = {
  quantity: 'water_level',
  device: 'gauge-7',
  unit: 'm',
  messageStatus: MessageStatus.ACTUAL,
  firstAt: timeOf(noonMs),
}

function shown(print: (terminal: Terminal) => void, paint: Terminal['paint'] = plain): string {
  const lines: string[] = []
  print({
    print: (line) => void lines.push(line),
    tell: () => {},
    paint,
    width: undefined,
    whenFull: () => {},
  })
  return lines.join('\n')
}

interface Case {
  readonly points?: SeriesPoint[]
  readonly range?: Partial<Range>
  readonly askedMs?: number
  readonly lastMs?: number
  readonly response?: Partial<QuerySeriesResponse>
  readonly others?: Series[]
}

/** One gauge, asked for from noon for an hour, at the end of that hour. */
function answer({ points = [], range = {}, askedMs = noonMs + 60 * minuteMs, lastMs, response, others = [] }: Case) {
  const series: Series = { ...gauge, ...(lastMs !== undefined && { lastAt: timeOf(lastMs) }) }
  return answerOf(
    { series: points.length > 0 ? [{ series: gauge, points }] : [], completeUntil: timeOf(askedMs), ...response },
    {
      quantity: 'water_level',
      range: { fromMs: noonMs, toMs: noonMs + 60 * minuteMs, ...range },
      askedMs,
      listed: [...(lastMs === undefined ? [] : [series]), ...others],
    },
  )
}

describe('a plot', () => {
  const frame: PlotFrame = { fromMs: 0, toMs: 80, columns: 43, rows: 2, unit: '' }
  // One digit and two for the axis leave 40 columns, 80 dots: a dot is a millisecond.
  const draw = (dots: PlotLine['dots'], joinMs: number): string[] =>
    braillePlot([{ dots, joinMs, style: 'cyan' }], frame, plain)
  const dotsIn = (line: string): number =>
    [...line].reduce((sum, character) => {
      const bits = (character.codePointAt(0) ?? 0) - 0x28_00
      return sum + (bits > 0 && bits < 0x1_00 ? bits.toString(2).replaceAll('0', '').length : 0)
    }, 0)

  test('puts the greatest at the top and the least at the bottom, each in its own dot', () => {
    const lines = draw([[0, 0], [79, 1]], 0) // prettier-ignore
    // The lowest dot of the left column is bit 7 (⡀), the highest of the right one bit 4 (⠈).
    expect(lines[0]).toBe(`1 ┤${' '.repeat(39)}⠈`)
    expect(lines[1]).toBe('0 ┤⡀')
  })

  test('joins neighbours, and never crosses what is further apart', () => {
    const joined = draw([[0, 1], [20, 1], [60, 1], [79, 0]], 20) // prettier-ignore
    expect(dotsIn(joined[0]!)).toBeGreaterThan(21 + 2)
    expect(joined[0]!.slice(3 + 11, 3 + 30).trim()).toBe('')
    expect(joined[0]!.slice(3, 3 + 10)).toBe('⠉'.repeat(10))
  })

  test('is as wide as it was asked to be, whatever the values are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 79 }), fc.double({ noNaN: true })), { maxLength: 50 }),
        fc.integer({ min: 30, max: 200 }),
        (dots, columns) => {
          const finite = dots.filter(([, value]) => Number.isFinite(value)).toSorted(([a], [b]) => a - b)
          const lines = braillePlot([{ dots: finite, joinMs: 20, style: 'cyan' }], { ...frame, columns }, plain)
          expect(Math.max(...lines.map((line) => line.length))).toBe(columns)
        },
      ),
    )
  })

  test('gives each line its colour, and leaves out paint where there is none', () => {
    const two: PlotLine[] = [
      { dots: [[0, 0]], joinMs: 0, style: 'cyan' },
      { dots: [[79, 1]], joinMs: 0, style: 'red' },
    ]
    const lines = braillePlot(two, frame, (style, text) => `<${String(style)}>${text}`)
    expect(lines[0]).toContain('<red>⠈')
    expect(lines[1]).toContain('<cyan>⡀')
  })
})

describe('axes', () => {
  test('have round numbers around all values', () => {
    expect(valueAxis([1.27, 2.83], 5).ticks.map(({ text }) => text)).toEqual(['1.0', '1.5', '2.0', '2.5', '3.0'])
    expect(valueAxis([-3, 12], 4).ticks.map(({ text }) => text)).toEqual(['-5', '0', '5', '10', '15'])
    expect(valueAxis([101_310, 101_342], 4).ticks.map(({ text }) => text)).toEqual(
      ['101310', '101320', '101330', '101340', '101350'],
    ) // prettier-ignore
    const level = valueAxis([2, 2], 4)
    expect(level.least).toBeLessThan(2)
    expect(level.greatest).toBeGreaterThan(2)
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e200, max: 1e200 }), { minLength: 1 }), (values) => {
        const { least, greatest, ticks } = valueAxis(values, 6)
        const room = (greatest - least) * 1e-6
        expect(least - room).toBeLessThanOrEqual(Math.min(...values))
        expect(greatest + room).toBeGreaterThanOrEqual(Math.max(...values))
        expect(ticks.length).toBeLessThanOrEqual(8)
      }),
    )
  })

  test('have round times of this machine, and the date where a day begins', () => {
    const from = new Date(2026, 10, 22, 22, 7).getTime()
    const ticks = timeTicks(from, from + 4 * 60 * minuteMs, 5)
    expect(ticks.map(({ text }) => text)).toEqual(['23:00', '11-23', '01:00', '02:00'])
    const seconds = timeTicks(from, from + 20_000, 5)
    expect(seconds.map(({ text }) => text)).toEqual(['22:07:00', '22:07:05', '22:07:10', '22:07:15'])
  })
})

describe('a sparkline', () => {
  const range = { fromMs: 0, toMs: 8 }
  test('rises as the values do', () => {
    expect(
      sparkline(
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n, n] as const),
        range,
        8,
      ),
    ).toBe('▁▂▃▄▅▆▇█')
  })
  test('is blank where there is no value, and level in the middle', () => {
    expect(sparkline([[0, 5], [1, 5], [6, 5]], range, 8)).toBe('▅▅    ▅ ') // prettier-ignore
    expect(sparkline([], range, 4)).toBe('    ')
  })
})

describe('the table', () => {
  test('shows values with unit, time and doubts, their bounds and the last one', () => {
    const points = [reading(0, 2.31), reading(1, 2.5), reading(2, -40, { quality: Quality.SUSPECT })]
    const text = shown((terminal) =>
      printTable(answer({ points, askedMs: noonMs + 3 * minuteMs, lastMs: noonMs + 2 * minuteMs }), terminal),
    )
    expect(text).toMatch(/^ {2}\d{4}-\d\d-\d\d \d\d:00:00 +2\.31 +m$/m)
    expect(text).toMatch(/:02:00 +-40 +m +suspect$/m)
    expect(text).toMatch(/gauge-7 +3 +-40 m +2\.5 m +-40 m .*1 min ago/)
    expect(text).toMatch(/\(UTC([+−]\d\d:\d\d)?\)/)
  })

  test('a bad value is shown and marked, and is no bound', () => {
    const points = [reading(0, 2), reading(1, 999, { quality: Quality.BAD }), reading(2, 3)]
    const text = shown((terminal) => printTable(answer({ points }), terminal))
    expect(text).toMatch(/999 +m +bad$/m)
    expect(text).toMatch(/gauge-7 +3 +2 m +3 m +3 m/)
  })

  test('an empty window is told as a gap, with its length', () => {
    const windowMs = 5 * minuteMs
    const points = [reading(0, 1, { count: 5 }), reading(5, 2, { count: 4 }), reading(20, 3, { count: 1 })]
    const text = shown((terminal) =>
      printTable(answer({ points, range: { windowMs, aggregate: SeriesAggregate.MAXIMUM } }), terminal),
    )
    expect(text).toContain('largest of every 5 min')
    expect(text.match(/no value for .*/g)).toEqual(['no value for 10 min'])
    expect(text).toMatch(/2 +m +4\n.*no value for 10 min\n.*3 +m +1$/m)
  })

  test('an exercise is shouted, and no text of a device acts on the terminal', () => {
    const series = { ...gauge, device: 'g\u001b[2J', messageStatus: MessageStatus.EXERCISE }
    const response = {
      series: [{ series, points: [{ at: timeOf(noonMs), value: 'text', text: '\u0007ok' } as const] }],
    }
    const text = shown((terminal) => printTable(answer({ response }), terminal))
    expect(text).toContain(' EXERCISE ')
    expect(text).toContain('“␇ok”')
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })
})

describe('the plot of an answer', () => {
  const two = {
    series: [
      { series: gauge, points: [reading(0, 1), reading(1, 2), reading(2, 3)] },
      { series: { ...gauge, device: 'gauge-8' }, points: [reading(0, 2), reading(1, 2), reading(2, 2)] },
    ],
  }
  const plots = (text: string): number => text.split('└').length - 1

  test('draws series of one unit together in colours, and apart where there are none', () => {
    const drawn = answer({ response: two })
    expect(plots(shown((terminal) => printPlot(drawn, terminal, 80)))).toBe(2)
    const coloured = (style: unknown, text: string): string => `<${String(style)}>${text}`
    expect(plots(shown((terminal) => printPlot(drawn, terminal, 80), coloured))).toBe(1)
  })

  test('never puts metres and feet on one axis', () => {
    const mixed = { series: [two.series[0]!, { ...two.series[1]!, series: { ...gauge, unit: '[ft_i]' } }] }
    const coloured = (style: unknown, text: string): string => `<${String(style)}>${text}`
    expect(plots(shown((terminal) => printPlot(answer({ response: mixed }), terminal, 80), coloured))).toBe(2)
  })

  test('says what it cannot draw', () => {
    const words = {
      series: [{ series: gauge, points: [{ at: timeOf(noonMs), value: 'text', text: 'open' } as const] }],
    }
    const text = shown((terminal) => printPlot(answer({ response: words }), terminal, 80))
    expect(text).toContain('nothing that can be drawn: gauge-7')
  })
})

describe('what is missing is said', () => {
  const everyMinute = [0, 1, 2, 3].map((minute) => reading(minute, 2))

  test('a series that fell silent, by its own habit', () => {
    const lastMs = noonMs + 3 * minuteMs
    expect(missingText(answer({ points: everyMinute, lastMs }))[0]).toMatch(/^gauge-7: SILENT for 57 min; .* of /)
    expect(missingText(answer({ points: everyMinute, lastMs, askedMs: lastMs + 2 * minuteMs }))).toEqual([])
    // Six times an hour is the habit of this one.
    const seldom = [0, 10, 20, 30, 40].map((minute) => reading(minute, 2))
    expect(missingText(answer({ points: seldom, lastMs: noonMs + 40 * minuteMs }))).toEqual([])
  })

  test('a window hides no silence', () => {
    const windowMs = 10 * minuteMs
    const points = [0, 10, 20, 30].map((minute) => reading(minute, 2, { count: 10 }))
    const lastMs = noonMs + 39 * minuteMs
    expect(missingText(answer({ points, lastMs, range: { windowMs } }))[0]).toContain('SILENT for 21 min')
  })

  test('a series with nothing in the range, and since when', () => {
    const dead = { ...gauge, device: 'gauge-9', lastAt: timeOf(noonMs - 2 * 86_400_000) }
    expect(missingText(answer({ points: everyMinute, others: [dead], askedMs: noonMs + 4 * minuteMs }))).toEqual([
      expect.stringMatching(/^gauge-9: SILENT in all of this range; .* \(2 d 4? ?.*ago\)$/),
    ])
    const hidden = { ...gauge, device: 'gauge-9', lastAt: timeOf(noonMs + 1) }
    expect(missingText(answer({ others: [hidden] }))[0]).toContain('--include-bad')
  })

  test('a store that is behind, only where it matters', () => {
    const behind = { completeUntil: timeOf(noonMs + 50 * minuteMs) }
    expect(missingText(answer({ response: behind })).join()).toContain('of the last 10 min values may still be missing')
    expect(missingText(answer({ response: behind, range: { toMs: noonMs + 20 * minuteMs } }))).toEqual([])
  })

  test('an answer that was cut, and what to ask instead', () => {
    const cut = { series: [{ series: gauge, points: everyMinute, truncated: true }], truncated: true }
    const texts = missingText(answer({ response: cut })).join('\n')
    expect(texts).toContain('gauge-7: TRUNCATED, it has more than these 4 values')
    expect(texts).toContain('--window 5s')
    expect(missingText(answer({ response: { truncated: true } })).join()).toContain('--max-series')
    expect([windowFor(3_600_000), windowFor(86_400_000), windowFor(30 * 86_400_000)]).toEqual(['5s', '5m', '1h'])
  })
})

describe('names', () => {
  test('are as short as they can be, and tell what differs', () => {
    expect(namesOf([gauge, { ...gauge, device: 'gauge-8', index: 2 }])).toEqual(['gauge-7', 'gauge-8 #2'])
    expect(namesOf([gauge, { ...gauge, unit: '[ft_i]' }])).toEqual(['gauge-7 (m)', 'gauge-7 ([ft_i])'])
  })
})

describe('CSV', () => {
  test('has a header, times in UTC and every digit', () => {
    const points = [reading(0, 0.1 + 0.2), reading(1, 2, { quality: Quality.SUSPECT })]
    const rows = [...valuesCsv({ series: [{ series: gauge, points }] }, {})]
    expect(rows).toEqual([
      'time,value,quality,quantity,device,index,subject,jurisdiction,owner,device_class,unit,status',
      '2026-11-22T12:00:00Z,0.30000000000000004,good,water_level,gauge-7,,,,,,m,actual',
      '2026-11-22T12:01:00Z,2,suspect,water_level,gauge-7,,,,,,m,actual',
    ])
  })

  test('of windows says how many values each has', () => {
    const points = [reading(0, 7, { count: 7 })]
    const range = { windowMs: 3_600_000, aggregate: SeriesAggregate.COUNT }
    expect([...valuesCsv({ series: [{ series: gauge, points }] }, range)][1]).toBe(
      '2026-11-22T12:00:00Z,7,good,7,water_level,gauge-7,,,,,,1,actual',
    )
  })

  test('comes back as it was from a reader of RFC 4180', () => {
    expect(csvRow(['a,b', 'say "x"', 'two\r\nlines', 'plain'])).toBe('"a,b","say ""x""","two\r\nlines",plain')
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\r', '\n') }), { minLength: 1 }),
        (row) => {
          expect(readRow(csvRow(row))).toEqual(row)
        },
      ),
    )
  })
})

/** One record by the grammar of RFC 4180 §2. */
function readRow(text: string): string[] {
  return [...`,${text}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
}
