// Prints what a shell needs to complete the words of `tocsin`: commands, options and the values that have names. It is made from the
// table of commands, so that it is never behind; load it anew after an update.

import { type Command, optionsOf, UsageError } from './command.ts'
import { bashScript, fishScript, type Offer, type OfferedOption, zshScript } from './completion-scripts.ts'
import { commands } from './commands.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
type Shell = keyof typeof scripts
const shells = Object.keys(scripts) as Shell[]

export const completion: Command = {
  name: 'completion',
  usage: 'bash | zsh | fish',
  about: 'Prints what a shell needs to complete commands, options and their values.',
  options: {},
  wordsMax: 1,
  wordOf: () => shells,
  examples: [
    ['eval "$(tocsin completion bash)"', 'In ~/.bashrc; with an alias such as alias tocsin="npx tocsin" as well.'],
    ['eval "$(tocsin completion zsh)"', 'In ~/.zshrc, behind compinit.'],
    ['tocsin completion fish > ~/.config/fish/completions/tocsin.fish', 'Once, and after each update.'],
  ],
  async run(given, terminal) {
    const shell = shells.find((each) => each === given.words[0])
    if (!shell) throw new UsageError(`name the shell: ${shells.join(', ')}`)
    const all = await Promise.all(commands.map(async (entry) => offerOf(await entry.load())))
    const names = all.map(({ name }) => name)
    terminal.print(
      scripts[shell]([...all, { name: 'help', about: 'Shows how a command is used.', words: names, options: [] }]),
    )
    return 0
  },
}

async function offerOf(command: Command): Promise<Offer> {
  const { name, about } = command
  const options = Object.entries(optionsOf(command)).map(async ([option, { value, many, about: what, of }]) => {
    const offered: OfferedOption = {
      name: option,
      about: what,
      values: of ? await of() : [],
      isMany: many ?? false,
      takes: value === undefined ? 'nothing' : value === 'FILE' || value === 'FOLDER' ? 'file' : 'value',
    }
    return offered
  })
  const words = command.wordOf ? await command.wordOf() : []
  return { name, about, words, options: await Promise.all(options) }
}
