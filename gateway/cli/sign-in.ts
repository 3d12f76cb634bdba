// Comes in as a person, for a shift: secret and code are read from the keyboard without being shown, or from a pipe, and what the gateway
// gives for them is kept where only this user can read it.

import type { WhoAmIResponse } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import { type Command, UsageError } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { keepSession, keptSession } from './kept-sessions.ts'
import { ask } from './secret.ts'
import { safe } from './terminal.ts'
import { stampText } from './time.ts'

export const signIn: Command = {
  name: 'sign-in',
  usage: 'NAME',
  about: 'Signs a person in for a shift; the other commands are done as this person then.',
  options: {
    position: { value: 'TEXT', about: 'Where you sit, for the audit; the certificate of the position says it itself.' },
    ...connectionOptions,
  },
  wordsMax: 1,
  examples: [
    ['tocsin sign-in anna', 'Asks for the secret and the code of the authenticator app.'],
    [
      'tocsin sign-in anna --ca ca.pem --cert fire-2.pem --key fire-2.key',
      'At a position: the session is good there only.',
    ],
    ['tocsin sign-in break-glass', 'With the code of the sealed envelope; everybody hears of it.'],
  ],
  async run(given, terminal) {
    const [name] = given.words
    if (name === undefined) throw new UsageError('say who: tocsin sign-in NAME, such as anna')
    const isSealed = /^(person:)?break-glass$/.test(name)
    const [secret = '', totpCode = ''] = await ask(
      isSealed ? ['code of the envelope: '] : ['secret: ', 'code of the app (Enter: none): '],
    )
    const connection = connect(given, { withoutSession: true })
    try {
      const position = given.text('position') ?? ''
      const answer = await connection.call('SignInService/SignIn', {
        name,
        secret,
        totpCode: totpCode.replaceAll(' ', ''),
        position,
      })
      const endsAt = timestampNs(answer.endsAt) ?? 0n
      const principal = answer.principal ?? ''
      keepSession(connection.server, { token: answer.token ?? '', principal, endsAtMs: Number(endsAt / 1_000_000n) })
      const where = answer.position ? ` at ${safe(answer.position)}` : ''
      terminal.tell(`${safe(principal)} is signed in${where} until ${stampText(endsAt)}`)
      return 0
    } finally {
      connection.close()
    }
  },
}

export const signOut: Command = {
  name: 'sign-out',
  usage: '',
  about: 'Ends the session of this keyboard.',
  options: connectionOptions,
  wordsMax: 0,
  examples: [['tocsin sign-out', 'Its token is good for nothing then, wherever it is.']],
  async run(given, terminal) {
    const connection = connect(given)
    try {
      const kept = keptSession(connection.server)
      if (!kept) throw new UsageError(`nobody is signed in at ${connection.server} from here`)
      // Forgotten here whatever the gateway says: it may be gone, or have ended it already.
      keepSession(connection.server, undefined)
      await connection.call('SignInService/SignOut', {})
      terminal.tell(`${safe(kept.principal)} is signed out`)
      return 0
    } finally {
      connection.close()
    }
  },
}

export const whoami: Command = {
  name: 'whoami',
  usage: '',
  about: 'Shows who the gateway takes you for, and what you may.',
  options: connectionOptions,
  wordsMax: 0,
  examples: [['tocsin whoami', 'By the session, the token or the certificate that the other commands would use.']],
  async run(given, { print }) {
    const connection = connect(given)
    try {
      for (const line of linesOf(await connection.call('SignInService/WhoAmI', {}))) print(line)
      return 0
    } finally {
      connection.close()
    }
  },
}

const labelNames = ['', 'PUBLIC', 'OPS', 'PII', 'PHI', 'CJI'] as const

function linesOf({ principal = '', position, endsAt, labels = [], calls = [], mayAll }: WhoAmIResponse): string[] {
  const until = timestampNs(endsAt)
  return [
    `${safe(principal)}${position ? ` at ${safe(position)}` : ''}${until === undefined ? '' : ` until ${stampText(until)}`}`,
    `  sees  ${labels.map((label) => labelNames[label] ?? String(label)).join(' ') || 'nothing'}`,
    `  does  ${mayAll ? 'everything' : safe(calls.join(' ')) || 'nothing'}`,
  ]
}
