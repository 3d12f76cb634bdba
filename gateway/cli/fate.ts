// Says what became of a message and when, by the id of an event or a frame, or by the topic it was sent on.

import { type Command, UsageError, wholeNumber } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { idOf } from './events.ts'
import { printFate } from './fate-text.ts'
import { safe } from './terminal.ts'

/** As GetFate gives at most. */
const limitMax = 100

export const fate: Command = {
  name: 'fate',
  usage: 'ID | --topic TOPIC [--limit N]',
  about: 'Says what became of a message, and when.',
  options: {
    topic: { value: 'TOPIC', about: 'The newest messages that came on this topic.' },
    limit: { value: 'N', about: 'With --topic: at most so many; default 1.' },
    ...connectionOptions,
  },
  wordsMax: 1,
  examples: [
    ['tocsin fate 0199a4d2-7c1e-7a30-8000-0123456789ab', 'By the id of an event or of a frame.'],
    ['tocsin fate --topic tocsin/in/senml/gauge-7 --limit 5', 'The last five of a device.'],
  ],
  async run(given, terminal) {
    const [word] = given.words
    const topic = given.text('topic')
    if ((word === undefined) === (topic === undefined))
      throw new UsageError('name the message: its ID, or --topic TOPIC')
    const limit = wholeNumber(given, 'limit', 1, limitMax) ?? 1
    const request =
      topic === undefined
        ? { of: 'id' as const, id: idOf(word ?? '') }
        : { of: 'channel' as const, channel: topic, limit }
    const connection = connect(given)
    try {
      const { fates = [] } = await connection.call('EventService/GetFate', request)
      for (const [at, each] of fates.entries()) {
        if (at > 0) terminal.print('')
        printFate(each, terminal)
      }
      if (fates.length > 0) return 0
      terminal.tell(`nothing is known here of ${safe(topic ?? word ?? '')}, or no longer`)
      return 1
    } finally {
      connection.close()
    }
  },
}
