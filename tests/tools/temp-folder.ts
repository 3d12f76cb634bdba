// A new folder for temporary files, removed when this process ends (in tests: when the run ends, see run-folder.ts).

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders: string[] = []
process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

export function tempFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tocsin-${name}-`))
  folders.push(folder)
  return folder
}
