// Runs the gateway in this terminal; the same as npm start.

import type { Command } from './command.ts'

export const serve: Command = {
  name: 'serve',
  usage: '[--settings FILE]',
  about: 'Runs the gateway.',
  options: {
    settings: { value: 'FILE', about: 'Settings; default: TOCSIN_SETTINGS, or tocsin.yaml where it exists.' },
  },
  wordsMax: 0,
  examples: [['tocsin serve', 'Listens on this machine only, and keeps its data in ./data.']],
  async run(given) {
    const { runGateway } = await import('../run-gateway.ts')
    return runGateway(given.text('settings') ?? process.env['TOCSIN_SETTINGS'])
  },
}
