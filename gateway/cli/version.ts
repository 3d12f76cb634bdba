// Which version this is, and what it runs on.

import { version as number } from '../version.ts'
import type { Command } from './command.ts'

export const version: Command = {
  name: 'version',
  usage: '',
  about: 'Says which version this is, and what it runs on.',
  options: {},
  wordsMax: 0,
  examples: [],
  async run(_given, { print }) {
    print(`tocsin ${number} (schema tocsin.v1, Node ${process.version}, ${process.platform} ${process.arch})`)
    return 0
  },
}
