// The data folder that a command works on: that of the settings here, unless it is named.

import { existsSync } from 'node:fs'
import { GatewayError } from '../../proto/errors.ts'
import { readSettings, settingsFileDefault } from '../settings.ts'
import type { Given, Option } from './command.ts'

export const dataFolderOptions: Readonly<Record<string, Option>> = {
  'data-dir': { value: 'FOLDER', about: 'The data folder; default: data_dir of the settings.' },
  settings: { value: 'FILE', about: `Settings; default: TOCSIN_SETTINGS, or ${settingsFileDefault} where it exists.` },
}

export interface DataFolder {
  readonly dataDir: string
  /** The settings file, where there is one. */
  readonly settingsFile: string | undefined
}

export function dataFolderOf(given: Given): DataFolder {
  const file = given.text('settings') ?? process.env['TOCSIN_SETTINGS']
  const dataDir = given.text('data-dir') ?? readSettings({ file, environment: process.env }).data_dir
  const settingsFile = file ?? settingsFileDefault
  return { dataDir, settingsFile: existsSync(settingsFile) ? settingsFile : undefined }
}

/** A wrong name must not become an empty folder, and then an empty backup. */
export function existingFolderOf(given: Given): DataFolder {
  const folder = dataFolderOf(given)
  if (existsSync(folder.dataDir)) return folder
  throw new GatewayError('not_found', `there is no data folder ${folder.dataDir}; name it with --data-dir`)
}
