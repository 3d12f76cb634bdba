// Makes a backup of the data folder, while the gateway runs or when it is stopped, and reads it back; or only reads one.

import { toNumber } from '../../proto/int64.ts'
import { SystemEventType } from '../../proto/generated/types.ts'
import { nsPerMs } from '../../proto/time.ts'
import { backup as makeBackup, verify } from '../log/backup.ts'
import type { Restored } from '../log/restore.ts'
import { version } from '../version.ts'
import { noteInAudit } from './audit-note.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { dataFolderOptions, existingFolderOf } from './data-folder.ts'
import { bytesText, createProgress } from './progress.ts'
import { counted, type Terminal } from './terminal.ts'
import { stampText } from './time.ts'

export const backup: Command = {
  name: 'backup',
  usage: 'FOLDER [--verify] [options]',
  about: 'Backs the data folder up, also while the gateway runs.',
  options: {
    verify: { about: 'Makes none: reads the backup in FOLDER as a restore would, and says whether it is whole.' },
    ...dataFolderOptions,
  },
  wordsMax: 1,
  examples: [
    ['tocsin backup /mnt/backup/tocsin', 'The first copies all, the next ones into the same folder only what is new.'],
    ['tocsin backup /mnt/backup/tocsin --verify', 'Reads every byte of it.'],
  ],
  async run(given, terminal) {
    const [folder] = given.words
    if (folder === undefined) throw new UsageError('name the folder of the backup')
    if (!given.flag('verify')) await make(folder, given, terminal)
    const found = await withProgress('reading it back', (parts) => verify({ source: folder, ...parts }))
    terminal.print(`${folder} is whole: ${contentText(found)}`)
    return 0
  },
}

async function make(target: string, given: Given, terminal: Terminal): Promise<void> {
  const { print } = terminal
  const { dataDir, settingsFile } = existingFolderOf(given)
  const madeAt = BigInt(Date.now()) * nsPerMs
  const settings = settingsFile === undefined ? {} : { settings: settingsFile }
  const made = await withProgress('backing up', (parts) =>
    makeBackup({ dataDir, target, gatewayVersion: version, madeAt, ...settings, ...parts }),
  ).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error)
    noteInAudit(
      dataDir,
      { action: 'backup', type: SystemEventType.BACKUP_FAILED, outcome: 'failed', object: target, text },
      terminal,
    )
    throw error
  })
  const details = { epoch: made.manifest.epoch, files: String(made.manifest.files.length) }
  noteInAudit(
    dataDir,
    { action: 'backup', type: SystemEventType.BACKUP_MADE, outcome: 'done', object: target, details },
    terminal,
  )
  print(
    `${dataDir} is backed up in ${target}: ${counted(made.copiedFiles, 'file')} copied, ${bytesText(made.copiedBytes)}`,
  )
}

export function contentText({ records, frames, bytes, madeAt, damaged, heads }: Restored): string {
  const at = stampText(BigInt(Date.parse(madeAt)) * nsPerMs)
  const harm = damaged > 0 ? `; ${counted(damaged, 'place')} were damaged in the log already when it was made` : ''
  const reach = `urgent to ${toNumber(heads.urgent)}, routine to ${toNumber(heads.routine)}`
  return `${counted(records, 'record')} (${reach}), ${counted(frames, 'message')}, ${bytesText(bytes)}, of ${at}${harm}`
}

interface LongWork {
  readonly signal: AbortSignal
  readonly progress: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void
}

/** Ctrl-C ends it in order: what was there before is left whole. */
export async function withProgress<Result>(what: string, work: (parts: LongWork) => Promise<Result>): Promise<Result> {
  const over = new AbortController()
  const abort = (): void => over.abort(new UsageError('it was interrupted; what was there before is as it was'))
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  const bar = createProgress(what, bytesText)
  try {
    return await work({ signal: over.signal, progress: ({ doneBytes, totalBytes }) => bar.at(doneBytes, totalBytes) })
  } finally {
    bar.end()
    process.off('SIGINT', abort)
    process.off('SIGTERM', abort)
  }
}
