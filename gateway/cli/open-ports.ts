// On which ports a process really listens, as Linux tells it: its open sockets, found among those of the machine. Elsewhere nothing is known.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface OpenPort {
  readonly address: string
  readonly port: number
}

/** "0A": TCP_LISTEN in include/net/tcp_states.h. */
const listening = '0A'

/** Undefined: it cannot be told, on another system or for want of rights. */
export function openPorts(pid: number): OpenPort[] | undefined {
  try {
    const own = new Set(
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(pid, fd))?.[1] ?? []),
    )
    return ['tcp', 'tcp6'].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'latin1')
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter((columns) => columns[3] === listening && own.has(columns[9] ?? ''))
        .map(([, place = '']) => placeOf(place)),
    )
  } catch {
    return undefined
  }
}

/** Of the gateway that holds a data folder; undefined: none runs. */
export function pidOf(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDir, 'lock'), 'latin1').split(' ')[0]) || undefined
  } catch {
    return undefined
  }
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    // It was closed meanwhile.
    return ''
  }
}

/** "0100007F:075B": words of four bytes, each with its lowest byte first, and the port. */
function placeOf(text: string): OpenPort {
  const [words = '', port = ''] = text.split(':')
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].toReversed())
  const groups = Array.from({ length: bytes.length / 2 }, (_, at) =>
    ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16),
  )
  const address = bytes.length === 4 ? bytes.join('.') : new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
  return { address, port: Number.parseInt(port, 16) }
}
