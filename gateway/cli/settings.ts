// Shows what can be set, or checks a file as the gateway would at its start: unknown keys, values, and what is unsafe.

import { existsSync } from 'node:fs'
import { GatewayError } from '../../proto/errors.ts'
import { systemClock } from '../clock.ts'
import { configuredInputs } from '../configured-inputs.ts'
import { configuredLinks } from '../links/link-settings.ts'
import { plaintextDoors } from '../policy/plaintext-doors.ts'
import { readUsers } from '../policy/principals.ts'
import { readRoles } from '../policy/roles.ts'
import { refuseUnsafe } from '../policy/unsafe/unsafe-checks.ts'
import { sampleFile } from '../settings-pages.ts'
import { fileOfSettings, readSettings, settingsFileDefault } from '../settings.ts'
import type { Command } from './command.ts'

export const settings: Command = {
  name: 'settings',
  usage: '[--check [FILE]]',
  about: 'Prints a file with every setting, or checks yours.',
  options: { check: { about: `Checks FILE (default ${settingsFileDefault}) together with the environment.` } },
  wordsMax: 1,
  examples: [
    ['tocsin settings > tocsin.yaml', 'A file to begin with: every setting, its default and what it does.'],
    ['tocsin settings --check tocsin.yaml', 'Says all that is wrong with it at once.'],
  ],
  async run(given, { print }) {
    if (!given.flag('check') && given.words.length === 0) {
      print(sampleFile())
      return 0
    }
    const [file = process.env['TOCSIN_SETTINGS']] = given.words
    const read = readSettings({ file, environment: process.env })
    const checks = [
      () =>
        refuseUnsafe({
          settings: read,
          environment: process.env,
          now: systemClock.now(),
          settingsFile: fileOfSettings(file),
        }),
      () => readUsers(read['mqtt.users']),
      () => readRoles(read.roles),
      () => configuredInputs(read),
      () => configuredLinks(read, process.env),
      () => plaintextDoors(read),
    ]
    const faults = checks.flatMap(faultOf)
    if (faults.length > 0) throw new GatewayError('settings_invalid', faults.join('\n'))
    const what = existsSync(file ?? settingsFileDefault) ? (file ?? settingsFileDefault) : 'what the environment sets'
    print(`${what} is sound, and opens no door to the network that is not protected`)
    return 0
  },
}

function faultOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof GatewayError) return [error.message]
    throw error
  }
}
