// The scripts that shells run to complete a word, one function for each shell: data in, text out. Values that may be several are
// completed behind each comma.

export interface Offer {
  readonly name: string
  readonly about: string
  /** What its first word may be. */
  readonly words: readonly string[]
  readonly options: readonly OfferedOption[]
}

export interface OfferedOption {
  readonly name: string
  readonly about: string
  /** Empty: anything. */
  readonly values: readonly string[]
  readonly isMany: boolean
  readonly takes: 'nothing' | 'value' | 'file'
}

/** Words stand in single quotes; they are names of ours and hold none. */
const quoted = (words: readonly string[]): string => `'${words.join(' ')}'`
const optionNames = ({ options }: Offer): string[] => options.map(({ name }) => `--${name}`)

/** "events --kind | watch --kind", in the order in which they are: the same values are written once. */
function grouped(offers: readonly Offer[], pattern: (command: string, option: string) => string) {
  const byValues = new Map<string, { option: OfferedOption; patterns: string[] }>()
  for (const { name, options } of offers) {
    for (const option of options) {
      if (option.takes === 'nothing') continue
      const key = `${option.takes} ${option.isMany} ${option.values.join(' ')}`
      const group = byValues.get(key) ?? { option, patterns: [] }
      group.patterns.push(pattern(name, `--${option.name}`))
      byValues.set(key, group)
    }
  }
  return [...byValues.values()]
}

export function bashScript(offers: readonly Offer[]): string {
  const values = grouped(offers, (command, option) => `'${command} ${option}'`).map(({ option, patterns }) => {
    const act =
      option.takes === 'file'
        ? 'compopt -o default 2>/dev/null; return'
        : option.values.length === 0
          ? 'return'
          : `words=${quoted(option.values)}${option.isMany ? '; many=1' : ''}`
    return `    ${patterns.join(' | ')}) ${act} ;;`
  })
  const names = offers.map((offer) => {
    const free = `[[ $current != -* && $COMP_CWORD -eq 2 ]]`
    const words = offer.words.length > 0 ? `; ${free} && words=${quoted(offer.words)}` : ''
    return `        ${offer.name}) words=${quoted(optionNames(offer))}${words} ;;`
  })
  return `# bash completion of tocsin: eval "$(tocsin completion bash)"
_tocsin() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words= many= prefix=
  COMPREPLY=()
  # bash takes "--kind=alert" apart.
  [[ $current == = ]] && current=
  [[ $before == = ]] && before=\${COMP_WORDS[COMP_CWORD-2]}
  if [[ $COMP_CWORD -eq 1 ]]; then
    words=${quoted(offers.map(({ name }) => name))}
  else
    case "\${COMP_WORDS[1]} $before" in
${values.join('\n')}
    *)
      case "\${COMP_WORDS[1]}" in
${names.join('\n')}
      esac
      ;;
    esac
  fi
  # Several values with commas: the last one is completed.
  if [[ -n $many && $current == *,* ]]; then
    prefix=\${current%,*},
    current=\${current##*,}
  fi
  COMPREPLY=($(compgen -P "$prefix" -W "$words" -- "$current"))
}
complete -F _tocsin tocsin`
}

/** Inside single quotes. */
const zshText = (text: string): string => text.replaceAll("'", `'\\''`)
const zshEntry = (name: string, about: string): string => `'${name.replaceAll(':', '\\:')}:${zshText(about)}'`

export function zshScript(offers: readonly Offer[]): string {
  const values = grouped(offers, (command, option) => `'${command} ${option}'`).map(({ option, patterns }) => {
    const act =
      option.takes === 'file'
        ? '_files'
        : option.values.length === 0
          ? ':'
          : `${option.isMany ? `compset -P '*,'; ` : ''}compadd -- ${option.values.join(' ')}`
    return `    (${patterns.join('|')}) ${act}; return ;;`
  })
  const names = offers.map(({ name, options, words }) => {
    const described = options.map((option) => zshEntry(`--${option.name}`, option.about)).join(' ')
    const first = words.length > 0 ? `(( CURRENT == 3 )) && compadd -- ${words.join(' ')}; ` : ''
    return `    (${name}) ${first}offered=(${described}) ;;`
  })
  return `#compdef tocsin
# zsh completion of tocsin: eval "$(tocsin completion zsh)"
_tocsin() {
  local -a offered
  if (( CURRENT == 2 )); then
    offered=(${offers.map(({ name, about }) => zshEntry(name, about)).join(' ')})
    _describe command offered
    return
  fi
  case "$words[2] $words[CURRENT-1]" in
${values.join('\n')}
  esac
  case $words[2] in
${names.join('\n')}
  esac
  _describe -o option offered
}
compdef _tocsin tocsin`
}

const fishText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", `\\'`)}'`

export function fishScript(offers: readonly Offer[]): string {
  const lines = [
    '# fish completion of tocsin: tocsin completion fish > ~/.config/fish/completions/tocsin.fish',
    'complete -c tocsin -f',
  ]
  for (const { name, about, words, options } of offers) {
    lines.push(`complete -c tocsin -n __fish_use_subcommand -a ${name} -d ${fishText(about)}`)
    const seen = `-n '__fish_seen_subcommand_from ${name}'`
    if (words.length > 0) {
      const first = `-n '__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq 2'`
      lines.push(`complete -c tocsin ${first} -a ${quoted(words)}`)
    }
    for (const option of options) lines.push(fishOption(seen, option))
  }
  return lines.join('\n')
}

function fishOption(seen: string, { name, about, values, isMany, takes }: OfferedOption): string {
  // "alert,inc" is offered "alert,incident": what stands before the last comma stays.
  const several = `(set -l before (string match -r ".*," -- (commandline -ct)); for value in ${values.join(' ')}; echo "$before$value"; end)`
  const offered = isMany ? `'${several}'` : quoted(values)
  const takesText =
    takes === 'nothing' ? '' : takes === 'file' ? ' -r -F' : values.length > 0 ? ` -x -a ${offered}` : ' -x'
  return `complete -c tocsin ${seen} -l ${name}${takesText} -d ${fishText(about)}`
}
