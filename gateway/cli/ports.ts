// `tocsin ports`: every flow of the settings, for whoever owns the firewall.

import { type Flow, flowsOf } from '../flows.ts'
import { readSettings } from '../settings.ts'
import { printColumns } from './columns.ts'
import type { Command } from './command.ts'
import { dataFolderOptions } from './data-folder.ts'
import { csvRow } from './series-csv.ts'
import { safe, safeJson, type Terminal } from './terminal.ts'

const { settings: settingsOption } = dataFolderOptions

export const ports: Command = {
  name: 'ports',
  usage: '[options]',
  about: 'Prints every flow in and out, for the firewall.',
  options: {
    all: { about: 'Also what never leaves this machine.' },
    csv: { about: 'As CSV, for a change request.' },
    json: { about: 'As JSON.' },
    settings: settingsOption!,
  },
  wordsMax: 0,
  examples: [
    ['tocsin ports', 'What must be open, in which direction, and why.'],
    ['tocsin ports --csv > flows.csv', 'The same for a spreadsheet.'],
  ],
  async run(given, terminal) {
    const file = given.text('settings') ?? process.env['TOCSIN_SETTINGS']
    const all = flowsOf(readSettings({ file, environment: process.env }), process.env)
    const local = all.filter(({ isLocal }) => isLocal)
    const shown = given.flag('all') ? all : all.filter(({ isLocal }) => !isLocal)
    if (given.flag('json')) terminal.print(safeJson(shown, 1))
    else if (given.flag('csv')) printCsv(shown, terminal)
    else printText(shown, given.flag('all') ? 0 : local.length, terminal)
    return 0
  },
}

const fields = ['direction', 'transport', 'host', 'port', 'protocol', 'security', 'who', 'purpose', 'line'] as const

function printCsv(flows: readonly Flow[], { print }: Terminal): void {
  for (const row of [fields, ...flows.map((each) => fields.map((field) => String(each[field])))])
    print(`${csvRow(row.map((text) => safe(text)))}\r`)
}

function printText(flows: readonly Flow[], hidden: number, terminal: Terminal): void {
  if (flows.length > 0) {
    const columns = fields.map((field) => ({
      head: { line: 'setting', host: 'address', transport: '' }[field as string] ?? field,
      right: field === 'port',
      text: (row: Flow) => safe(field === 'port' && row.port === 0 ? 'any' : String(row[field])),
    }))
    printColumns(flows, columns, terminal)
  } else terminal.print('nothing goes in or out over a network')
  if (hidden > 0) terminal.tell(`${hidden} more never leave this machine; --all shows them`)
}
