// Runs a command in a pseudo-terminal, as a person at a terminal would see it. script(1) of util-linux makes the terminal: every Debian
// has it.

import { spawn } from 'node:child_process'

export interface Recording {
  /** Everything that it wrote so far. */
  text(): string
  /** Resolves when it has written `words`; throws when it ends first. */
  said(words: string): Promise<void>
  /** As Ctrl-C, then until it has ended. */
  stop(): Promise<void>
  readonly ended: Promise<void>
}

const rows = 60
/** A command that waits for what does not come is ended. */
const runMsMax = 90_000

export function record(command: readonly string[], columns: number, cwd: string): Recording {
  const inner = `stty cols ${columns} rows ${rows}; exec ${command.map(quoted).join(' ')}`
  const { NO_COLOR: _none, FORCE_COLOR: _forced, ...environment } = process.env
  const child = spawn('script', ['-qfec', inner, '/dev/null'], {
    cwd,
    env: { ...environment, TERM: 'xterm-256color', TZ: 'UTC', LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  let isOver = false
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  }).finally(() => (isOver = true))
  const late = setTimeout(() => child.kill('SIGTERM'), runMsMax)
  void ended.finally(() => clearTimeout(late))
  return {
    text: () => text,
    async said(words) {
      while (!text.includes(words)) {
        if (isOver) throw new Error(`${command.join(' ')} ended before it said "${words}":\n${text}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async stop() {
      if (!isOver) child.stdin.write('\u0003')
      await ended
    },
    ended,
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
