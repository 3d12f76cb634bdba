// What a command is, and how its words are read: options by node:util, then checked, with the nearest known name for a wrong one.

import { parseArgs, type ParseArgsConfig } from 'node:util'
import { nearest } from '../nearest.ts'
import type { Terminal } from './terminal.ts'

export interface Command {
  readonly name: string
  /** What stands behind the name, such as "[ID] [options]". */
  readonly usage: string
  /** One line for the list of commands. */
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** More than so many words without a dash are refused. */
  readonly wordsMax: number
  /** What the first of them may be, for shells to offer. */
  readonly wordOf?: Offered
  readonly examples: readonly (readonly [line: string, what: string])[]
  /** Answers the exit code: 0 done, 1 failed. Throws UsageError for 2. */
  run(given: Given, terminal: Terminal): Promise<number>
}

export interface Option {
  /** What stands behind the option, such as "FILE"; absent: nothing, it is a flag. */
  readonly value?: string
  /** It may be given more than once. */
  readonly many?: boolean
  /** What the value may be, for shells to offer: all of it, or only what has a name. */
  readonly of?: Offered
  readonly about: string
}

/** Asked for only when a shell is told: a list may need libraries that the command does not. */
export type Offered = () => readonly string[] | Promise<readonly string[]>

export interface Given {
  readonly words: readonly string[]
  flag(name: string): boolean
  text(name: string): string | undefined
  texts(name: string): readonly string[]
}

/** What was typed cannot be meant: exit code 2. */
export class UsageError extends Error {}

const help: Option = { about: 'Shows this page.' }

export const optionsOf = (command: Command): Readonly<Record<string, Option>> => ({ ...command.options, help })

export function readWords(command: Command, args: readonly string[]): Given {
  const options = optionsOf(command)
  const config: ParseArgsConfig['options'] = {}
  for (const [name, { value, many = false }] of Object.entries(options)) {
    config[name] = { type: value === undefined ? 'boolean' : 'string', multiple: many }
  }
  const read = parseArgs({ args: [...args], options: config, strict: false, allowPositionals: true, tokens: true })
  for (const token of read.tokens) {
    if (token.kind === 'option') checkOption(token.name, token.rawName, token.value, options)
  }
  if (read.positionals.length > command.wordsMax) {
    const surplus = read.positionals[command.wordsMax] ?? ''
    throw new UsageError(`"${surplus}" is one word too many; tocsin help ${command.name} shows how it is used`)
  }
  const values = read.values as Record<string, string | boolean | (string | boolean)[] | undefined>
  const texts = (name: string): string[] => [values[name] ?? []].flat().filter((value) => typeof value === 'string')
  return {
    words: read.positionals,
    flag: (name) => values[name] === true,
    text: (name) => texts(name).at(-1),
    texts: (name) => texts(name).flatMap((value) => value.split(',').filter((part) => part !== '')),
  }
}

function checkOption(name: string, written: string, value: string | undefined, options: Record<string, Option>): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (!option) {
    const near = nearest(name, Object.keys(options))
    throw new UsageError(`${written} is not an option${near ? `; did you mean --${near}?` : ''}`)
  }
  if (option.value === undefined && value !== undefined) throw new UsageError(`${written} takes no value`)
  // `--topic --json` forgets the topic; a value may begin with one dash (`--box -38.2,…`).
  if (option.value !== undefined && (value === undefined || value.startsWith('--')))
    throw new UsageError(`${written} needs a value: ${option.value}`)
}

/** A whole number from `least` to `most`, or a UsageError naming the option. */
export function wholeNumber(given: Given, name: string, least: number, most: number): number | undefined {
  const text = given.text(name)
  if (text === undefined) return undefined
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}; it is "${text}"`)
}
