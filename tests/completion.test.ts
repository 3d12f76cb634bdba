// Completion as a shell does it: a real bash reads the script and is asked what it would offer; zsh and fish, where this machine has
// them, at least read theirs.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { commands } from '../gateway/cli/commands.ts'
import { nodePath, projectHome } from './gateway/process.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const folder = tempFolder('completion')
const scriptOf = (shell: string): string => join(folder, `tocsin.${shell}`)

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await run(nodePath, ['bin/tocsin', 'completion', shell], { cwd: projectHome })
    expect(code).toBe(0)
    writeFileSync(scriptOf(shell), stdout)
  }
}, 60_000)

describe('in bash', () => {
  /** The last word is the one that is being typed. */
  function offered(...words: string[]): string[] {
    const ask = `source "$1"; shift; COMP_WORDS=(tocsin "$@"); COMP_CWORD=$#; _tocsin; printf '%s\n' "\${COMPREPLY[@]}"`
    const args = ['--norc', '--noprofile', '-uc', ask, 'bash', scriptOf('bash'), ...words]
    return execFileSync('bash', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .split('\n')
      .filter(Boolean)
  }

  test('every command of the table is offered, and help', () => {
    expect(offered('').toSorted()).toEqual([...commands.map(({ name }) => name), 'help'].toSorted())
    expect(offered('re')).toEqual(['refusals', 'revoke', 'restore'])
    expect(offered('help', 'sta')).toEqual(['status'])
  })

  test('so are the options of a command, and only its own', () => {
    expect(offered('fate', '--')).toEqual([
      '--topic',
      '--limit',
      '--server',
      '--ca',
      '--cert',
      '--key',
      '--token',
      '--help',
    ])
    expect(offered('refusals', '--dr')).toEqual(['--dry-run'])
    expect(offered('version', '--')).toEqual(['--help'])
  })

  test('values that have names are, each behind its comma, with a space or an equals sign', () => {
    expect(offered('events', '--kind', 'al')).toEqual(['alarm', 'alert'])
    expect(offered('watch', '--kind', 'alert,inc')).toEqual(['alert,incident'])
    expect(offered('events', '--lane', '=', 'u')).toEqual(['urgent'])
    expect(offered('events', '--lane', '=')).toEqual(['urgent', 'routine'])
    expect(offered('watch', '--adapter', '').toSorted()).toEqual([...adapters.keys()].toSorted())
    expect(offered('refusals', '--reason', 'ch')).toEqual(['checksum'])
    expect(offered('hold', '')).toEqual(['add', 'list', 'release'])
    expect(offered('completion', 'f')).toEqual(['fish'])
  })

  test('a value without names is left to the person', () => {
    expect(offered('events', '--subject', '')).toEqual([])
    expect(offered('status', '--server', '')).toEqual([])
  })

  test('a word that is no command has nothing behind it', () => expect(offered('nonsense', '--')).toEqual([]))
})

describe.each(['zsh', 'fish'])('in %s', (shell) => {
  const isHere = ((): boolean => {
    try {
      execFileSync(shell, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()

  test.skipIf(!isHere)(`the script can be read${isHere ? '' : ' (left out: it is not on this machine)'}`, () => {
    expect(() => execFileSync(shell, ['-n', scriptOf(shell)], { stdio: 'pipe' })).not.toThrow()
  })
})

test('a shell that is not known is said not to be', async () => {
  const { code, stderr } = await run(nodePath, ['bin/tocsin', 'completion', 'tcsh'], { cwd: projectHome })
  expect([code, stderr]).toEqual([2, 'tocsin: name the shell: bash, zsh, fish\n'])
})
