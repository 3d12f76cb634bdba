// Seals the account for emergencies: makes its code, prints it once for an envelope, and gives the gateway its hash.

import { randomBytes } from 'node:crypto'
import { base32 } from '../people/totp.ts'
import { asPrinted } from '../people/break-glass.ts'
import { hashSecret } from '../policy/secrets.ts'
import { type Command, UsageError } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { safe } from './terminal.ts'

/** 160 bits, 32 letters and digits. */
const codeBytes = 20

export const breakGlass: Command = {
  name: 'break-glass',
  usage: 'seal',
  about: 'Seals the account for the day when nobody who may come in can.',
  options: connectionOptions,
  wordsMax: 1,
  wordOf: () => ['seal'],
  examples: [
    ['tocsin break-glass seal', 'Prints a new code, once; the one before is good for nothing, and its session ends.'],
  ],
  async run(given, terminal) {
    if (given.words[0] !== 'seal') throw new UsageError('write tocsin break-glass seal')
    const connection = connect(given)
    try {
      const code = base32(randomBytes(codeBytes)).replaceAll(/(.{4})(?!$)/g, '$1-')
      const secretHash = await hashSecret(Buffer.from(asPrinted(code)))
      const { principal = '', roles = [] } = await connection.call('AdminService/SealBreakGlass', { secretHash })
      terminal.tell(
        `${safe(principal)} is sealed, with the roles ${safe(roles.join(', '))}. Its code, shown this once:`,
      )
      terminal.print(code)
      terminal.tell('Write it on paper, put that into an envelope, seal it, sign across the seal, and lock it away.')
      terminal.tell(
        'To open: tocsin sign-in break-glass. It works once, for 4 hours, raises an alarm, and is in the audit.',
      )
      return 0
    } finally {
      connection.close()
    }
  },
}
