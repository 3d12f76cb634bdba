// `tocsin audit export FOLDER`: the entries for somebody else, as NENA i3 LogEvents in JSON lines and as CSV for a spreadsheet, with a
// manifest of digests that is signed when a key is given. Every line has the entry's own bytes, so that the chain can be checked from it.

import { createHash, createPrivateKey, hash, sign } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { nsPerMs, rfc3339, timestampNs } from '../../proto/time.ts'
import { digestOf, hex, type Placed } from '../audit/chain.ts'
import { type LogEvent, logEventOf } from '../audit/log-event.ts'
import { version } from '../version.ts'
import { checkFiles, isSound, remarksOf } from './audit-verify.ts'
import { type Given, UsageError } from './command.ts'
import { csvRow } from './series-csv.ts'
import { safe, type Terminal } from './terminal.ts'
import { parseTime } from './time.ts'

const csvHead = [
  'number', 'timestamp', 'logEventType', 'action', 'outcome', 'agencyAgentId', 'ipAddressPort', 'object', 'text', 'count', 'since',
  'details', 'elementId', 'agencyId', 'sha256', 'previousSha256',
] // prettier-ignore

export async function exportAudit(given: Given, terminal: Terminal): Promise<number> {
  const [, folder] = given.words
  if (folder === undefined) throw new UsageError('name the folder to export to')
  const keyFile = given.text('sign-with')
  const key = keyFile === undefined ? undefined : createPrivateKey(readFileSync(keyFile))
  const [from, to] = (['from', 'to'] as const).map((name) => {
    const text = given.text(name)
    return text === undefined ? undefined : parseTime(text, name)
  })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (readdirSync(folder).length > 0)
    throw new GatewayError('invalid_argument', `${folder} is not empty; name a new folder`)
  const lines = createOutput(folder, 'audit.jsonl')
  const table = createOutput(folder, 'audit.csv')
  table.write(`${csvRow(csvHead)}\r\n`)
  let entries = 0
  const found = checkFiles(given, (placed) => {
    const at = timestampNs(placed.entry.at) ?? 0n
    if ((from !== undefined && at < from) || (to !== undefined && at >= to)) return
    entries += 1
    const event = logEventOf(placed.entry)
    lines.write(`${lineOf(event, placed)}\n`)
    table.write(`${csvRow(rowOf(event, placed).map(asText))}\r\n`)
  })
  const manifest = {
    format: 1,
    madeAt: rfc3339(BigInt(Date.now()) * nsPerMs),
    gatewayVersion: version,
    entries,
    ...(from !== undefined && { from: rfc3339(from) }),
    ...(to !== undefined && { to: rfc3339(to) }),
    audit: {
      whole: isSound(found),
      first: found.first,
      head: found.head.number,
      headSha256: hex(found.head.sha256),
      faults: found.faults.slice(0, faultsMax),
      remarks: [...remarksOf(found)],
    },
    files: [lines.end(), table.end()],
  }
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`)
  writeFile(folder, 'manifest.json', bytes)
  if (key) {
    // Ed25519 and Ed448 take no digest of their own (RFC 8410).
    const digest = key.asymmetricKeyType?.startsWith('ed') ? null : 'sha256'
    writeFile(folder, 'manifest.json.sig', sign(digest, bytes, key))
  }
  terminal.print(
    `${entries} entries are in ${safe(folder)}: audit.jsonl, audit.csv, manifest.json${key ? ', manifest.json.sig' : ''}`,
  )
  terminal.print(`SHA-256 of manifest.json: ${hash('sha256', bytes)}`)
  if (!isSound(found))
    terminal.tell('the audit is not whole: tocsin audit verify says what is wrong; the manifest says so too')
  return isSound(found) ? 0 : 1
}

const faultsMax = 100

function lineOf(event: LogEvent, { bytes }: Placed): string {
  const extension = { ...event.extension, sha256: hex(digestOf(bytes)), entry: bytes.toString('base64') }
  return JSON.stringify({ ...event, extension })
}

const rowOf = (event: LogEvent, { bytes }: Placed): string[] => [
  event.clientAssignedIdentifier,
  event.timestamp,
  event.logEventType,
  event.extension.action,
  event.extension.outcome,
  event.agencyAgentId ?? '',
  event.ipAddressPort ?? '',
  event.extension.object ?? '',
  event.extension.text ?? '',
  event.extension.count === undefined ? '' : String(event.extension.count),
  event.extension.since ?? '',
  event.extension.details ? JSON.stringify(event.extension.details) : '',
  event.elementId,
  event.agencyId,
  hex(digestOf(bytes)),
  event.extension.previousSha256,
]

/** A spreadsheet would take a name that begins so for a formula. */
const asText = (field: string): string => (/^[=+\-@\t\r]/.test(field) ? `'${field}` : field)

const pieceBytes = 1 << 20

/** Written in pieces; its digest is of all of it. */
function createOutput(folder: string, name: string) {
  const file = openSync(join(folder, name), 'wx', 0o600)
  const digest = createHash('sha256')
  let size = 0
  let gathered: string[] = []
  let length = 0
  function flush(): void {
    const bytes = Buffer.from(gathered.join(''))
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
    digest.update(bytes)
    size += bytes.length
    gathered = []
    length = 0
  }
  return {
    write(text: string): void {
      gathered.push(text)
      length += text.length
      if (length >= pieceBytes) flush()
    },
    end() {
      flush()
      fsyncSync(file)
      closeSync(file)
      return { name, size, sha256: digest.digest('hex') }
    },
  }
}

function writeFile(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name)
  if (existsSync(path)) throw new GatewayError('invalid_argument', `${path} is there already`)
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
