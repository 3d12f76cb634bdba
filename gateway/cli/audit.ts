// The audit: who did what. It is listed by a running gateway, and verified, exported and reported from its files, running or not.

import { type Command, type Given, UsageError } from './command.ts'
import { exportAudit } from './audit-export.ts'
import { listAudit } from './audit-list.ts'
import { reportAudit } from './audit-report.ts'
import { printHead, verifyFiles } from './audit-verify.ts'
import { connectionOptions } from './connection.ts'
import { dataFolderOptions } from './data-folder.ts'
import type { Terminal } from './terminal.ts'

const actions: Readonly<Record<string, (given: Given, terminal: Terminal) => Promise<number>>> = {
  list: listAudit,
  verify: verifyFiles,
  head: printHead,
  export: exportAudit,
  report: reportAudit,
}

export const audit: Command = {
  name: 'audit',
  usage: 'list | verify | head | export FOLDER | report [options]',
  about: 'Shows who did what, and whether that record is whole.',
  options: {
    principal: { value: 'NAME', about: 'With list: only by this one, such as mqtt:gauge-7.' },
    action: { value: 'NAME', many: true, about: 'With list: only these, such as sign_in, list_refusals.' },
    outcome: {
      value: 'NAME',
      many: true,
      of: () => ['done', 'denied', 'failed'],
      about: 'With list: only with these outcomes.',
    },
    address: { value: 'TEXT', about: 'With list: only from addresses that begin with this.' },
    from: { value: 'TIME', about: 'With list, export and report: at or after this time; report: default a week ago.' },
    to: { value: 'TIME', about: 'With list, export and report: before this time.' },
    limit: { value: 'N', about: 'With list: at most so many; default 50.' },
    json: { about: 'With list and verify: JSON; list: one NENA i3 LogEvent in each line.' },
    head: {
      value: 'N:SHA256',
      many: true,
      about: 'With verify: a head that was kept elsewhere, as audit head printed it.',
    },
    html: { about: 'With report: a page for a browser or a mail, instead of text.' },
    'sign-with': { value: 'FILE', about: 'With export: PEM file of a private key; the manifest is signed with it.' },
    ...dataFolderOptions,
    ...connectionOptions,
  },
  wordsMax: 2,
  wordOf: () => Object.keys(actions),
  examples: [
    ['tocsin audit list --outcome denied --from 1d', 'Who was turned away since yesterday, and why.'],
    ['tocsin audit verify', 'Reads all of it, and says the first entry that is missing or changed.'],
    [
      'tocsin audit head',
      'One line for paper or a mail: with it verify --head finds later that a whole chain was written anew.',
    ],
    ['tocsin audit report --html > week.html', 'The page of the week for a supervisor.'],
    ['tocsin audit export /mnt/usb/audit --from 2026-11-01', 'JSON lines and CSV, with a manifest of digests.'],
  ],
  async run(given, terminal) {
    const [name = '', ...rest] = given.words
    const act = actions[name]
    if (!act) throw new UsageError(`say what: audit ${Object.keys(actions).join(', audit ')}`)
    if (name !== 'export' && rest.length > 0) throw new UsageError(`"${rest[0]}" is one word too many`)
    return act(given, terminal)
  },
}
