// The bytes of a message for people: text where it is text, else a dump. Nothing in it reaches the terminal raw.

import { safe } from './terminal.ts'

/** What fits on a few screens; the whole of it is in `--json`. */
const bytesMax = 16_384
const rowBytes = 16

export function payloadText(payload: Uint8Array): string {
  const shown = payload.subarray(0, bytesMax)
  const rest = payload.length > bytesMax ? `\n… and ${payload.length - bytesMax} bytes more` : ''
  const text = textOf(shown, payload.length > bytesMax)
  return (
    (text === undefined
      ? dump(shown)
      : text
          .split(/\r?\n/)
          .map((line) => safe(line, bytesMax))
          .join('\n')) + rest
  )
}

/** Undefined when it is no UTF-8, or holds what no text holds. */
function textOf(bytes: Uint8Array, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut })
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** "00000010  7b 22 …  |{"n":…|" */
function dump(bytes: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < bytes.length; at += rowBytes) {
    const row = [...bytes.subarray(at, at + rowBytes)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    rows.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(rowBytes * 3 - 1)}  |${text}|`)
  }
  return rows.join('\n')
}
