// A real file system that forgets what was not synced (dsrhaslab/lazyfs, by FUSE), where TOCSIN_LAZYFS names its program: power loss
// for any program, also those that are not ours.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '../tools/child.ts'
import { tempFolder } from '../tools/temp-folder.ts'

export interface LazyFs extends AsyncDisposable {
  /** Where programs keep what must survive. */
  readonly folder: string
  /** Everything that was not synced is gone; for when those who had files open are dead. */
  losePower(): Promise<void>
}

const setting = 'TOCSIN_LAZYFS'
const answerMsMax = 10_000

/** Undefined: it is here and works. */
export async function whyNoLazyFs(): Promise<string | undefined> {
  const program = process.env[setting]
  if (!program) return `${setting} is not set; it is to name the program of dsrhaslab/lazyfs`
  if (!existsSync(program)) return `${setting} names ${program}, which is not there`
  if (!existsSync('/dev/fuse')) return 'this machine has no /dev/fuse'
  try {
    const lazy = await mountLazyFs()
    await lazy[Symbol.asyncDispose]()
    return undefined
  } catch (error) {
    return `LazyFS could not be mounted: ${(error as Error).message.split('\n')[0]}`
  }
}

/** It fails now and then by itself when it starts. */
const startsMax = 3

export async function mountLazyFs(): Promise<LazyFs> {
  for (let start = 1; ; start++) {
    try {
      return await mountOnce()
    } catch (error) {
      if (start === startsMax) throw error
    }
  }
}

async function mountOnce(): Promise<LazyFs> {
  const home = tempFolder('lazyfs')
  const [folder, store, config] = [join(home, 'mounted'), join(home, 'store'), join(home, 'lazyfs.toml')]
  const [commands, completed] = [join(home, 'commands'), join(home, 'completed')]
  mkdirSync(folder)
  mkdirSync(store)
  const lines = [
    '[faults]',
    `fifo_path="${commands}"`,
    `fifo_path_completed="${completed}"`,
    '[cache]',
    'apply_eviction=false',
    '[cache.simple]',
    'custom_size="256mb"',
    'blocks_per_page=1',
    '[filesystem]',
    'log_all_operations=false',
    'logfile=""',
    '',
  ]
  writeFileSync(config, lines.join('\n'))
  const options = ['-o', 'modules=subdir', '-o', `subdir=${store}`, '-f']
  const program = startChild(process.env[setting]!, [folder, '--config-path', config, ...options], { input: '' })
  const isMounted = (): boolean => execFileSync('mount', { encoding: 'utf8' }).includes(` on ${folder} `)
  for (let ms = 0; !isMounted(); ms += 50) {
    if (!program.running || ms > 10_000) {
      await program.kill()
      throw new Error(`it did not mount: ${program.stderr}${program.stdout}`)
    }
    await sleep(50)
  }
  return {
    folder,
    async losePower() {
      // Opened for both ways, so that opening waits for nobody.
      await using ask = await open(commands, 'r+')
      await using answer = await open(completed, 'r+')
      await ask.write('lazyfs::clear-cache\n')
      const late = setTimeout(() => void answer.write('nothing'), answerMsMax)
      const { buffer, bytesRead } = await answer.read(Buffer.alloc(200)).finally(() => clearTimeout(late))
      const said = buffer.toString('latin1', 0, bytesRead)
      if (!said.includes('clear-cache')) throw new Error(`LazyFS answered ${said}: ${program.stdout.slice(-500)}`)
    },
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', folder])
      await program.stop()
    },
  }
}
