// The person at the other end: what is printed for them, in colour where they can see it. Text that came from a device never
// reaches the terminal raw: control characters could move the cursor, forge lines, or run what a terminal lets them.

import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

export interface Terminal {
  /** The result of the command, to standard output. */
  print(line: string): void
  /** What is said beside it, to standard error. */
  tell(line: string): void
  /** Colours for standard output, where it is a terminal and NO_COLOR is not set. */
  paint(style: Style, text: string): string
  /** Columns of standard output; undefined when it is no terminal. */
  readonly width: number | undefined
  /** Calls `pause` when a pipe takes no more, and `resume` when it does. */
  whenFull(pause: () => void, resume: () => void): void
}

export function createTerminal(output: NodeJS.WriteStream, errors: NodeJS.WriteStream): Terminal {
  let isFull = false
  let pauseSource = (): void => {}
  return {
    print(line) {
      if (!output.write(`${line}\n`) && !isFull) {
        isFull = true
        pauseSource()
      }
    },
    tell: (line) => void errors.write(`${line}\n`),
    paint: (style, text) => styleText(style, text, { stream: output, validateStream: true }),
    get width() {
      return output.isTTY ? output.columns || undefined : undefined
    },
    whenFull(pause, resume) {
      pauseSource = pause
      output.on('drain', () => {
        isFull = false
        resume()
      })
    },
  }
}

// C0, DEL, C1; marks that turn the direction of text; line and paragraph separators; invisible ones and language tags.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** The same text with every character shown that a terminal would act on, and cut to `charsMax`. */
export function safe(text: string, charsMax = 2_000): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
  return cut.toWellFormed().replace(unsafe, shown)
}

/** Control pictures for C0 (␛), code points for the rest. */
function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7f ? '␡' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

/** JSON that means the same, with every such character escaped; programs read it back as it was. */
export function safeJson(value: unknown, indent?: number): string {
  const escaped = (character: string): string =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join('')
  // The line ends of indentation are ours; those inside texts are escaped by JSON itself.
  return JSON.stringify(value, undefined, indent)
    .split('\n')
    .map((line) => line.replace(unsafe, escaped))
    .join('\n')
}

/** Pads to a width in columns; wide characters of East Asian scripts and emoji count as two. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - columnsOf(text), 0))
}

const wide = /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u

export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += /\p{Mn}/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return columns
}

/** "1 event", "2 events". */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`
