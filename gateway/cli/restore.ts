// Makes a data folder out of a backup; only into a new or empty folder, so that nothing is ever written over.

import { SystemEventType } from '../../proto/generated/types.ts'
import { restoredAction } from '../audit/entry.ts'
import { restore as restoreBackup } from '../log/backup.ts'
import { noteInAudit } from './audit-note.ts'
import { contentText, withProgress } from './backup.ts'
import { type Command, UsageError } from './command.ts'
import { dataFolderOf, dataFolderOptions } from './data-folder.ts'

export const restore: Command = {
  name: 'restore',
  usage: 'FOLDER [options]',
  about: 'Makes a data folder out of a backup.',
  options: dataFolderOptions,
  wordsMax: 1,
  examples: [['tocsin restore /mnt/backup/tocsin', 'Into data_dir of the settings, which must be empty or not there.']],
  async run(given, terminal) {
    const [source] = given.words
    if (source === undefined) throw new UsageError('name the folder of the backup')
    const { dataDir } = dataFolderOf(given)
    const restored = await withProgress('restoring', (parts) => restoreBackup({ source, dataDir, ...parts }))
    const { madeAt, epoch } = restored
    noteInAudit(
      dataDir,
      {
        action: restoredAction,
        type: SystemEventType.RESTORED,
        outcome: 'done',
        object: source,
        text: 'The audit goes on from a backup: what was written after it was made is not in this chain.',
        details: { backup_made_at: madeAt, epoch: String(epoch) },
      },
      terminal,
    )
    terminal.print(`${dataDir} is restored: ${contentText(restored)}`)
    if (restored.settings !== undefined) terminal.print(`the settings of then are in ${restored.settings}`)
    terminal.print('it begins a new epoch: consoles and partners are told of a gap and go on by time')
    return 0
  },
}
