// Makes the hash of a secret for mqtt.users, so that the settings never hold the secret. It is read from the keyboard without being
// shown, or from a pipe; never from the command line, where other users of the machine would see it.

import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { hashSecret } from '../policy/secrets.ts'
import { type Command, UsageError } from './command.ts'

/** Shorter ones are guessed, even against argon2id. */
const secretCharsMin = 8
/** As gateway/policy/secrets.ts takes at most. */
const secretBytesMax = 1_024

export const secret: Command = {
  name: 'secret',
  usage: '',
  about: 'Makes the hash of a secret for mqtt.users.',
  options: {},
  wordsMax: 0,
  examples: [
    ['tocsin secret', 'Asks for the secret twice and prints its hash.'],
    ['printf \'%s\' "$SECRET" | tocsin secret', 'The same in a script.'],
  ],
  async run(_given, { print }) {
    print(await askSecret())
    return 0
  },
}

/** The hash of a secret from the keyboard or a pipe. */
export async function askSecret(): Promise<string> {
  const typed = process.stdin.isTTY ? await askTwice() : (await text(process.stdin)).replace(/\r?\n$/, '')
  const bytes = new TextEncoder().encode(typed)
  if (typed.length < secretCharsMin || bytes.length > secretBytesMax) {
    throw new UsageError(`a secret must have ${secretCharsMin} characters or more, and ${secretBytesMax} bytes at most`)
  }
  return hashSecret(bytes)
}

/** Answers to questions, which are not shown while they are typed; from a pipe one line each. */
export async function ask(questions: readonly string[]): Promise<string[]> {
  if (process.stdin.isTTY) return askUnseen(questions)
  return (await text(process.stdin)).split(/\r?\n/).slice(0, questions.length)
}

async function askTwice(): Promise<string> {
  const [first = '', second] = await askUnseen(['secret: ', 'once more: '])
  if (second !== first) throw new UsageError('the two are not the same')
  return first
}

async function askUnseen(questions: readonly string[]): Promise<string[]> {
  // A terminal that shows what is asked, and not what is answered.
  let isQuiet = false
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!isQuiet) process.stderr.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  const askOne = async (question: string): Promise<string> => {
    isQuiet = false
    const answer = lines.question(question)
    isQuiet = true
    const typed = await answer
    process.stderr.write('\n')
    return typed
  }
  try {
    const answers: string[] = []
    for (const question of questions) answers.push(await askOne(question))
    return answers
  } finally {
    lines.close()
  }
}
