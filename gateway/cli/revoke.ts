// Certificates of the own authority are revoked: a running gateway refuses them, and cuts who came by one, within seconds.

import { SystemEventType } from '../../proto/generated/types.ts'
import { type IssuedEntry, listIssued, loadAuthority, revoke as revokeEntries } from '../ca/folder.ts'
import { noteInAudit } from './audit-note.ts'
import { type Command, UsageError } from './command.ts'
import { dataFolderOptions, existingFolderOf } from './data-folder.ts'
import { counted, safe } from './terminal.ts'

export const revoke: Command = {
  name: 'revoke',
  usage: 'NAME|SERIAL [--reason TEXT]',
  about: 'Revokes all certificates of a principal, or one by its serial.',
  options: {
    reason: { value: 'TEXT', about: 'Why, such as "lost with unit 7"; for the audit.' },
    ...dataFolderOptions,
  },
  wordsMax: 1,
  examples: [
    ['tocsin revoke device:gauge-7 --reason "stolen"', 'All of its certificates; it is cut within seconds.'],
    ['tocsin revoke 5d1c80f2', 'The one whose serial begins so; another one of the same principal goes on.'],
  ],
  async run(given, terminal) {
    const [what] = given.words
    if (what === undefined) throw new UsageError('say what: tocsin revoke NAME, such as device:gauge-7, or SERIAL')
    const { dataDir } = existingFolderOf(given)
    const authority = await loadAuthority(dataDir)
    const chosen = choose(listIssued(dataDir), what)
    const reason = given.text('reason') ?? ''
    await revokeEntries(dataDir, authority, chosen, reason, Date.now())
    for (const { name, serial } of chosen) {
      const details = { serial, ...(reason && { reason }) }
      noteInAudit(
        dataDir,
        { action: 'revoke_certificate', type: SystemEventType.POLICY_CHANGE, outcome: 'done', object: name, details },
        terminal,
      )
      terminal.print(`${safe(name)}  ${serial}  revoked`)
    }
    terminal.tell(
      `${counted(chosen.length, 'certificate')} revoked; a running gateway refuses what is revoked and cuts who came by it within seconds`,
    )
    return 0
  },
}

const serialCharsMin = 8

function choose(issued: readonly IssuedEntry[], what: string): readonly IssuedEntry[] {
  const serial = what.toLowerCase().replaceAll(':', '')
  const isSerial = /^[0-9a-f]+$/.test(serial) && serial.length >= serialCharsMin
  const found = issued.filter((entry) => entry.name === what || (isSerial && entry.serial.startsWith(serial)))
  if (found.length === 0) {
    throw new UsageError(`nothing was issued to ${safe(what)}, and no serial begins so; tocsin ca list shows what was`)
  }
  if (isSerial && found.length > 1)
    throw new UsageError(`${found.length} serials begin with ${serial}: give more of it`)
  const own = found.find(({ name }) => name === 'server' || name === 'command')
  if (own) throw new UsageError(`${own.name} is the gateway’s own: tocsin ca renew makes another`)
  const standing = found.filter(({ revoked_at_ms: at }) => at === undefined)
  if (standing.length === 0) throw new UsageError(`what was issued to ${safe(what)} is revoked already`)
  return standing
}
