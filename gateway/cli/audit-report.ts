// `tocsin audit report`: the page of the week for a supervisor, as text or HTML.

import { timestampNs } from '../../proto/time.ts'
import { reportHtml } from '../audit/report-html.ts'
import { createReport, type Section } from '../audit/report.ts'
import { checkFiles, type Checked, isSound, remarksOf } from './audit-verify.ts'
import { printColumns } from './columns.ts'
import { type Given, UsageError } from './command.ts'
import { safe, type Terminal } from './terminal.ts'
import { parseTime, stampText, zoneText } from './time.ts'

const fromDefault = '7d'

export async function reportAudit(given: Given, terminal: Terminal): Promise<number> {
  const from = parseTime(given.text('from') ?? fromDefault, 'from')
  const to = parseTime(given.text('to') ?? '0s', 'to')
  if (from >= to) throw new UsageError('--from must be before --to')
  const builder = createReport()
  const found = checkFiles(given, ({ entry }) => {
    const at = timestampNs(entry.at) ?? 0n
    if (at >= from && at < to) builder.add(entry)
  })
  const report = builder.build(stampText)
  const title = `The audit from ${stampText(from)} to ${stampText(to)} (${zoneText(to)})`
  const state = [stateOf(found), ...[...remarksOf(found)].map((text) => ({ text: sentence(text), isBad: false }))]
  if (given.flag('html')) terminal.print(reportHtml({ title, state, report }))
  else {
    terminal.print(terminal.paint('bold', title))
    for (const { text, isBad } of state) terminal.print(terminal.paint(isBad ? ['red', 'bold'] : 'green', safe(text)))
    for (const section of report.sections) printSection(section, terminal)
  }
  return isSound(found) ? 0 : 1
}

function stateOf(found: Checked): { text: string; isBad: boolean } {
  const [first] = found.faults
  if (first) {
    const text = `The audit is not as it was written. The first that is wrong is entry ${first.number}: ${first.what}.`
    return { text, isBad: true }
  }
  const text = `The audit is whole: ${found.entries} entries, ${found.first} to ${found.head.number}, each as it was written.`
  return { text, isBad: false }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function printSection({ title, head, rows, more, none }: Section, terminal: Terminal): void {
  terminal.print(`\n${terminal.paint('bold', title)}`)
  if (rows.length === 0) return terminal.print(`  ${none}`)
  const columns = head.map((name, at) => ({ head: name, text: (row: readonly string[]) => safe(row[at] ?? '', 200) }))
  printColumns(rows, columns, terminal)
  if (more > 0) terminal.print(`  ${more} more`)
}
