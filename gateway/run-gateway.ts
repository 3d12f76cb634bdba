// Reads settings, starts a gateway, and stops it on signals: what `npm start` and `tocsin serve` do.

import { getRandomValues } from 'node:crypto'
import { pino } from 'pino'
import { GatewayError } from '../proto/errors.ts'
import { systemClock } from './clock.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { fileOfSettings, readSettings } from './settings.ts'
import { welcome } from './welcome.ts'

/** Resolves with the exit code when it was told to stop: 0, or 2 for settings that cannot be used, 1 for anything else. */
export async function runGateway(settingsFile = process.env['TOCSIN_SETTINGS']): Promise<number> {
  let gateway: Gateway
  // Heard from the beginning: who is told to stop while it starts stops when it has started.
  const told = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  try {
    const settings = readSettings({ file: settingsFile, environment: process.env })
    const logger = pino({ level: settings['logging.level'], base: null }, pino.destination({ fd: 2, sync: true }))
    gateway = await startGateway({
      settings,
      settingsFile: fileOfSettings(settingsFile),
      environment: process.env,
      clock: systemClock,
      logger,
      fillRandom: (bytes) => void getRandomValues(bytes),
      random: Math.random,
      fatal(error) {
        logger.error(
          { err: error },
          'a promise of the gateway itself is broken; it ends, and its supervisor starts it again',
        )
        process.exit(70)
      },
    })
    process.stdout.write(welcome(gateway.addresses, settings))
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    process.stderr.write(`tocsin cannot start (${error.code}):\n${error.message}\n`)
    return error.code === 'settings_invalid' || error.code === 'unsafe_settings' ? 2 : 1
  }
  await told
  await gateway.stop()
  return 0
}
