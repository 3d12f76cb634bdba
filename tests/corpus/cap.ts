// The CAP corpus: alerts of a dozen countries. Expected values are those of an independent decoder, of the same alert as JSON, and of the
// map that its publisher drew of it. Every alert that is read is also written and read again, and must come out equal.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cap } from '../../adapters/cap/codec.ts'
import type { Decoded } from '../../adapters/adapter.ts'
import { type Places, createPlaces } from '../../gateway/places/places.ts'
import { parseRfc3339 } from '../../proto/time.ts'
import { encodeEvent } from '../../proto/generated/encode.ts'
import type { Event } from '../../proto/generated/types.ts'
import { alertFacts, alertswissFacts, mowFacts, polygonKey, referenceFacts } from './cap-facts.ts'
import { type CorpusReader, type FormatReport, count, createReport } from './report.ts'

/** When the corpora were gathered; only the judgement of a sender's clock depends on it. */
const receivedAt = parseRfc3339('2026-11-22T12:00:00Z')!

/** Refusals that are right, by a piece of their reason. */
const rightRefusals: readonly (readonly [RegExp, string])[] = [
  [/DOCTYPE/, 'the file is an attack with an external entity (xee)'],
  [/a feed of/, 'a feed is no alert; feeds are opened by the input that fetches them'],
  [/EDXL-DE envelope with [1-9]/, 'an envelope is told apart, with the number of alerts in it'],
]

/** Differences that are right, by the file and the fact. */
const rightDifferences: readonly (readonly [file: RegExp, fact: RegExp, why: string])[] = [
  [/gdacs-cap_1023542/, /polygon/, 'the polygon has brackets among its numbers and is left out, with a warning'],
  [/\/canada(_signed)?\.cap/, /^code\[[12]\]/, 'cap-ts keeps the first code only; CAP 1.2 §3.2.1 has any number'],
  [/iso8859-1/, /headline|description|areaDesc/, 'cap-ts read the bytes as UTF-8, and the file says ISO-8859-1'],
]

export const capReader: CorpusReader = { format: 'cap', read: readCap }

/** The same adapter over EDXL-DE: nothing in it may be taken for an alert. */
export const edxlDeReader: CorpusReader = {
  format: 'edxl-de',
  read(folder) {
    const report = createReport('edxl-de')
    for (const file of globSync('**/*.edxlde', { cwd: folder }).toSorted()) readFile(report, folder, file)
    return report
  },
}

function readCap(folder: string): FormatReport {
  const report = createReport('cap')
  const differences = new Set<string>()
  const references = referencesOf(folder)
  const places = createPlaces()
  const placed = new Map<string, number>()
  let written = 0
  let equal = 0
  const pattern = '{google__,KDE__,sahana__}*/**/*.{cap,xml,atom,rss}'
  for (const file of globSync(pattern, { cwd: folder }).toSorted()) {
    const decoded = readFile(report, folder, file)
    if (decoded.outcome !== 'events') continue
    const event = decoded.events[0]!
    const { by } = places.place(event)
    placed.set(by, (placed.get(by) ?? 0) + 1)
    const trip = roundTrip(event)
    written += 1
    if (trip === 'equal') equal += 1
    else report.notes.push(`${basename(file)}: not equal after encode and decode: ${trip}`)
    for (const expected of expectedOf(folder, file, references))
      for (const name of compare(report, file, event, expected)) differences.add(`${file} ${expected.from} ${name}`)
    comparePlaces(report, folder, file, event, places)
  }
  report.notes.push(`values that agree: ${report.values - differences.size} of ${report.values}`)
  report.notes.push(`decode, encode, decode: ${equal} of ${written} equal`)
  report.notes.push(`placed: ${[...placed].map(([by, n]) => `${by} ${n}`).join(', ')}`)
  return report
}

function readFile(report: FormatReport, folder: string, file: string): Decoded {
  const bytes = Uint8Array.from(readFileSync(join(folder, file)))
  const decoded = cap.decoder!(undefined).decode({ bytes, receivedAt, channel: 'tocsin/in/cap/corpus' })
  count(report, decoded)
  if (decoded.outcome === 'refused') {
    const explained = rightRefusals.find(([form]) => form.test(decoded.why))?.[1]
    report.refusals.push({ file: basename(file), what: decoded.why, ...(explained !== undefined && { explained }) })
  }
  return decoded
}

/** Equal, or why not; what the encoder says it lost is not compared. */
function roundTrip(event: Event): string {
  const encoded = cap.encode!([event], undefined)
  if (encoded.outcome !== 'bytes') return `not written: ${encoded.why}`
  const again = cap.decoder!(undefined).decode({ bytes: encoded.bytes, receivedAt, channel: 'tocsin/in/cap/corpus' })
  if (again.outcome !== 'events') return again.why
  const lost = encoded.lost.filter((name) => name !== 'flags')
  if (lost.length > 0) return `lost ${lost.join(', ')}`
  // The encoder has no clock, and cannot say that another's was wrong.
  const bare = (each: Event): Uint8Array => encodeEvent(Object.assign({}, each, { flags: [] }) as Event)
  return Buffer.compare(bare(event), bare(again.events[0]!)) === 0 ? 'equal' : 'another event'
}

interface Expected {
  readonly from: string
  readonly facts: ReadonlyMap<string, string>
  /** Compared with the facts of these names only. */
  readonly partly: boolean
}

function referencesOf(folder: string): ReadonlyMap<string, unknown> {
  const path = join(folder, '_reference_decode/cap_ts.json')
  const rows = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { file: string; expected?: unknown }[])
    : []
  return new Map(rows.flatMap(({ file, expected }) => (expected === undefined ? [] : [[file, expected] as const])))
}

function expectedOf(folder: string, file: string, references: ReadonlyMap<string, unknown>): Expected[] {
  const reference = references.get(file)
  const json = join(folder, file.replace(/\.xml$/, '.json'))
  const pair: unknown =
    json !== join(folder, file) && existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined
  const pairFacts = basename(file).startsWith('alertswiss') ? alertswissFacts : mowFacts
  return [
    ...(reference === undefined ? [] : [{ from: 'cap_ts', facts: referenceFacts(reference), partly: false }]),
    ...(pair === undefined ? [] : [{ from: 'json', facts: pairFacts(pair), partly: true }]),
  ]
}

/** The names of what differs. */
function compare(report: FormatReport, file: string, event: Event, { from, facts, partly }: Expected): string[] {
  const found = alertFacts(event)
  const names = new Set([...facts.keys(), ...(partly ? [] : found.keys())])
  const differing = [...names].filter((name) => facts.get(name) !== found.get(name))
  report.expected++
  report.values += names.size
  if (differing.length === 0) {
    report.agree++
    return []
  }
  const whys = differing.map((name) => rightDifferences.find(([of, fact]) => of.test(file) && fact.test(name))?.[2])
  const explained = whys.every((why) => why !== undefined) ? [...new Set(whys)].join('; ') : undefined
  const shown = differing.slice(0, 3).map((name) => `${name}: ${short(found.get(name))} for ${short(facts.get(name))}`)
  const what = `${from}: ${differing.length} of ${names.size} values: ${shown.join(', ')}`
  report.disagreements.push({ file: basename(file), what, ...(explained !== undefined && { explained }) })
  return differing
}

const short = (text: string | undefined): string => JSON.stringify(text?.slice(0, 60) ?? null)

/** The publisher's own map of the same alert. */
function comparePlaces(report: FormatReport, folder: string, file: string, event: Event, places: Places): void {
  const path = join(folder, file.replace(/\.xml$/, '.geojson'))
  if (path === join(folder, file) || !existsSync(path)) return
  const { features } = JSON.parse(readFileSync(path, 'utf8')) as {
    features: { geometry: { coordinates: number[][][] } }[]
  }
  const { geometry } = places.place(event)
  const polygons =
    geometry?.type === 'MultiPolygon'
      ? geometry.coordinates
      : geometry?.type === 'Polygon'
        ? [geometry.coordinates]
        : []
  const found = polygons.map((rings) => polygonKey(rings[0] ?? [])).toSorted()
  const expected = features.map((each) => polygonKey(each.geometry.coordinates[0] as [number, number][])).toSorted()
  report.expected++
  report.values += expected.length
  const missing = expected.filter((key) => !found.includes(key)).length
  if (missing === 0 && found.length === expected.length) report.agree++
  else
    report.disagreements.push({
      file: basename(file),
      what: `geojson: ${missing} of ${expected.length} polygons are not found, ${found.length} are there`,
    })
}
