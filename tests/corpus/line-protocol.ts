// InfluxDB line protocol, as far as the expected files of the corpora use it: rows of tags and fields with an optional time.

export interface Line {
  readonly measurement: string
  readonly tags: ReadonlyMap<string, string>
  /** Numbers as they are written, without the letter of their type; texts without their quotes. */
  readonly fields: ReadonlyMap<string, string>
  readonly time: string | undefined
}

export function parseLines(text: string): Line[] {
  return text.split(/\r?\n/).flatMap((line) => (line.trim() === '' || line.startsWith('#') ? [] : [parseLine(line)]))
}

function parseLine(line: string): Line {
  const [head = '', body = '', time] = split(line, ' ')
  const [measurement = '', ...tags] = split(head, ',')
  return {
    measurement: plain(measurement),
    tags: new Map(tags.map((pair) => pairOf(pair, plain))),
    fields: new Map(split(body, ',').map((pair) => pairOf(pair, fieldText))),
    time,
  }
}

/** Splits where the separator is neither escaped nor quoted. */
function split(text: string, separator: string): string[] {
  const parts = ['']
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? ''
    if (letter === '\\') parts[parts.length - 1] += letter + (text[++at] ?? '')
    else if (letter === separator && !isQuoted) parts.push('')
    else {
      if (letter === '"') isQuoted = !isQuoted
      parts[parts.length - 1] += letter
    }
  }
  return parts
}

function pairOf(pair: string, read: (text: string) => string): [string, string] {
  const [key = '', ...value] = split(pair, '=')
  return [plain(key), read(value.join('='))]
}

const plain = (text: string): string => text.replaceAll(/\\(.)/g, '$1')
const fieldText = (text: string): string =>
  text.startsWith('"') ? plain(text.slice(1, -1)) : text.replace(/(?<=\d)[iu]$/, '')
