// What a terminal was sent → lines of cells with their style. Only colours and the like (SGR, ECMA-48 §8.3.117) are followed; whatever
// else a program may send a terminal is passed over.

export interface Run {
  readonly text: string
  readonly style: Style
}

export interface Style {
  readonly bold?: boolean
  readonly dim?: boolean
  readonly italic?: boolean
  /** 0 to 15; absent: the terminal's own. */
  readonly colour?: number
  readonly ground?: number
}

export function readAnsi(text: string): Run[][] {
  let style: Style = {}
  return text
    .replaceAll('\r', '')
    .split('\n')
    .map((line) => {
      const runs: Run[] = []
      // oxlint-disable-next-line no-control-regex -- control sequences are what it reads
      for (const [, parameters, kind, plain] of line.matchAll(/\u001b\[([0-9;?]*)([@-~])|([^\u001b]+)|\u001b./g)) {
        if (plain !== undefined) runs.push({ text: plain, style })
        else if (kind === 'm') style = (parameters ?? '').split(';').map(Number).reduce(withCode, style)
      }
      return runs
    })
}

function withCode(style: Style, code: number): Style {
  if (code === 0) return {}
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 3) return { ...style, italic: true }
  if (code === 22) return without(style, 'bold', 'dim')
  if (code === 23) return without(style, 'italic')
  if (code >= 30 && code <= 37) return { ...style, colour: code - 30 }
  if (code === 39) return without(style, 'colour')
  if (code >= 40 && code <= 47) return { ...style, ground: code - 40 }
  if (code === 49) return without(style, 'ground')
  if (code >= 90 && code <= 97) return { ...style, colour: code - 82 }
  if (code >= 100 && code <= 107) return { ...style, ground: code - 92 }
  return style
}

function without(style: Style, ...names: (keyof Style)[]): Style {
  return Object.fromEntries(Object.entries(style).filter(([name]) => !names.includes(name as keyof Style)))
}
