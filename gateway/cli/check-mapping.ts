// Reads one message with a mapping and shows what becomes of it, without a gateway.

import { check as checkMapping, topicDefault } from './check.ts'
import { type Command, UsageError } from './command.ts'

export const check: Command = {
  name: 'check',
  usage: '--mapping FILE --sample FILE [options]',
  about: 'Shows what a mapping makes of a sample message.',
  options: {
    mapping: { value: 'FILE', about: 'The mapping, YAML: one, a list of them, or `mappings:` with a list.' },
    sample: { value: 'FILE', about: 'A message as the device sends it; - for standard input.' },
    topic: { value: 'TOPIC', about: `The topic it would come on; default ${topicDefault}.` },
    'content-type': { value: 'TYPE', about: 'The media type it would come with.' },
  },
  wordsMax: 0,
  examples: [['tocsin check --mapping tanks.yaml --sample tank-4.json', 'The events, and what is not mapped.']],
  async run(given) {
    const [mapping, sample] = [given.text('mapping'), given.text('sample')]
    if (mapping === undefined || sample === undefined)
      throw new UsageError('--mapping FILE and --sample FILE are needed')
    const options = { mapping, sample, topic: given.text('topic'), contentType: given.text('content-type') }
    return checkMapping(options, process.stdout, process.stderr, BigInt(Date.now()) * 1_000_000n)
  },
}
