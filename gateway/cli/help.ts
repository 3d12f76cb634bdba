// Help, made from the table of commands: the list of all, and the page of one.

import { type Command, optionsOf } from './command.ts'
import { commands } from './commands.ts'
import { pad, type Terminal } from './terminal.ts'

export async function printCommands(terminal: Terminal): Promise<void> {
  const { print, paint } = terminal
  const all = await Promise.all(commands.map((entry) => entry.load()))
  print('Tocsin, an emergency communications and IoT gateway.\n')
  print(`${paint('bold', 'Usage:')} tocsin COMMAND [options]\n`)
  const width = Math.max(...all.map(({ name }) => name.length)) + 2
  for (const { name, about } of all) print(`  ${paint('cyan', pad(name, width))}${about}`)
  print(`  ${paint('cyan', pad('help', width))}Shows this page, or with a command its options and examples.`)
  print(
    '\nIt ends with 0 when it did what was asked, with 1 when it could not, with 2 when it was asked in a way it does not know.',
  )
}

export function printCommand(command: Command, terminal: Terminal): void {
  const { print, paint } = terminal
  const { name, usage, about, examples } = command
  print(`${about}\n`)
  print(`${paint('bold', 'Usage:')} tocsin ${[name, usage].filter((word) => word !== '').join(' ')}\n`)
  const rows = Object.entries(optionsOf(command)).map(
    ([option, { value, many, about: what }]) =>
      [`--${option}${value ? ` ${value}` : ''}`, `${what}${many ? ' Several: with commas.' : ''}`] as const,
  )
  const width = Math.max(...rows.map(([option]) => option.length)) + 2
  for (const [option, what] of rows) {
    for (const [at, line] of wrapped(what, (terminal.width ?? 120) - width - 4).entries()) {
      print(`  ${paint('cyan', pad(at === 0 ? option : '', width))}${line}`)
    }
  }
  if (examples.length === 0) return
  print(`\n${paint('bold', 'Examples:')}`)
  for (const [line, what] of examples) print(`  ${line}\n      ${paint('dim', what)}`)
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > Math.max(columns, 30)) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
