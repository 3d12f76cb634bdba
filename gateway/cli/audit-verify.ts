// `tocsin audit verify` and `tocsin audit head`: read the files of the audit, of a gateway that runs or not, and change nothing.

import { join } from 'node:path'
import { rfc3339 } from '../../proto/time.ts'
import { stateFile } from '../log/state.ts'
import type { Anchor } from '../audit/anchors.ts'
import { hex } from '../audit/chain.ts'
import { auditFolder } from '../audit/files.ts'
import { findAnchors } from '../audit/find-anchors.ts'
import { type Fault, type Verified, type VerifyOptions, verifyAudit } from '../audit/verify.ts'
import { type Given, UsageError } from './command.ts'
import { existingFolderOf } from './data-folder.ts'
import { bytesText } from './progress.ts'
import { safe, safeJson, type Terminal } from './terminal.ts'
import { stampText } from './time.ts'

export interface Checked extends Verified {
  /** Heads that were given and are of entries that were removed for their age. */
  readonly uncompared: readonly Anchor[]
  /** state.sqlite says nothing of the audit, or cannot be read. */
  readonly stateSilent: boolean
}

/** The anchors of the data folder, and the heads that were given, against its files. */
export function checkFiles(given: Given, each?: VerifyOptions['each']): Checked {
  const heads = given.texts('head').map(headOf)
  const { dataDir } = existingFolderOf(given)
  const known = findAnchors(dataDir)
  const anchors = [...heads, ...known]
  const found = verifyAudit({ folder: join(dataDir, auditFolder), anchors, ...(each && { each }) })
  return {
    ...found,
    uncompared: heads.filter(({ number }) => number < found.first),
    stateSilent: !known.some(({ from }) => from === stateFile),
  }
}

/** Whether nothing is wrong, and something outside says where the end is. */
export const isSound = ({ faults, anchored, uncompared, entries }: Checked): boolean =>
  faults.length === 0 && uncompared.length === 0 && (anchored.length > 0 || entries === 0)

const faultsShownMax = 20

export async function verifyFiles(given: Given, terminal: Terminal): Promise<number> {
  const { print, tell, paint } = terminal
  const found = checkFiles(given)
  if (given.flag('json')) {
    print(safeJson(verifiedJson(found), 1))
    return isSound(found) ? 0 : 1
  }
  print(rangeText(found))
  const [first] = found.faults
  if (first) {
    print(
      paint(
        ['red', 'bold'],
        `the first that is wrong is entry ${first.number}${placeText(first)}: ${safe(first.what)}`,
      ),
    )
    for (const fault of found.faults.slice(1, faultsShownMax)) {
      print(`  entry ${fault.number}${placeText(fault)}: ${safe(fault.what)}`)
    }
    if (found.faults.length > faultsShownMax) print(`  and ${found.faults.length - faultsShownMax} more`)
  }
  for (const line of remarksOf(found)) tell(line)
  if (isSound(found)) print(paint('green', `whole: every entry is as it was written${anchorText(found)}`))
  return isSound(found) ? 0 : 1
}

export async function printHead(given: Given, terminal: Terminal): Promise<number> {
  const found = checkFiles(given)
  const [first] = found.faults
  if (first) {
    terminal.tell(`not printed, because the audit is not whole: entry ${first.number}: ${safe(first.what)}`)
    return 1
  }
  terminal.print(`${found.head.number}:${hex(found.head.sha256)}`)
  if (found.to !== undefined) {
    terminal.tell(
      `the last entry is of ${stampText(found.to)}; keep this line where nobody who runs the gateway can change it`,
    )
  }
  return 0
}

const given = 'the head that was given'
const isGiven = ({ from }: Anchor): boolean => from === given

const headForm = /^(\d{1,15}):([0-9a-f]{64})$/i

function headOf(text: string): Anchor {
  const [, number, sha256] = headForm.exec(text) ?? []
  if (number === undefined || sha256 === undefined) {
    throw new UsageError(`--head must be a number and a SHA-256, as audit head prints them; it is "${text}"`)
  }
  return { number: Number(number), sha256: Buffer.from(sha256, 'hex'), from: given }
}

const placeText = ({ file }: Fault): string => (file === '' ? '' : ` in ${safe(file)}`)

function rangeText({ entries, files, bytes, first, head, from, to }: Verified): string {
  if (entries === 0) return 'the audit holds no entry'
  const times = from !== undefined && to !== undefined ? `, from ${stampText(from)} to ${stampText(to)}` : ''
  return `${entries} entries, ${first} to ${head.number}${times}, in ${files} ${files === 1 ? 'file' : 'files'} of ${bytesText(bytes)}`
}

function anchorText({ anchored }: Verified): string {
  const kept = anchored.find(isGiven)
  const last = anchored.reduce<Anchor | undefined>(
    (most, each) => (most && most.number >= each.number ? most : each),
    undefined,
  )
  if (!last) return ''
  const whole = `, to entry ${last.number} as ${last.from} has it`
  return kept ? `${whole}, and entry ${kept.number} is the one that was kept` : whole
}

export function* remarksOf({
  anchored,
  entries,
  faults,
  unfinishedBytes,
  restored,
  uncompared,
  stateSilent,
}: Checked): Generator<string> {
  if (unfinishedBytes > 0)
    yield `${unfinishedBytes} bytes at the end are being written, or were left by a crash; the next start cuts them off`
  if (restored.length > 0)
    yield `it goes on from a backup at entry ${restored.join(', ')}; heads that were kept of later entries before that do not fit`
  for (const { number } of uncompared)
    yield `entry ${number} was removed for its age, so that the head that was kept of it says nothing any more`
  if (entries > 0 && stateSilent && anchored.length > 0 && !anchored.some(isGiven)) {
    yield `state.sqlite says nothing of the audit, or cannot be read by you: only what the log was told, at most a minute before the end, was compared`
  }
  if (entries > 0 && anchored.length === 0 && faults.length === 0) {
    yield 'the chain is whole, and nothing outside it says where it ends: whether its end was cut off can be told only with --head N:SHA256'
  }
}

function verifiedJson(found: Checked) {
  const { entries, files, bytes, first, head, from, to, faults, unfinishedBytes, anchored, restored } = found
  return {
    whole: isSound(found),
    entries,
    files,
    bytes,
    first,
    head: { number: head.number, sha256: hex(head.sha256) },
    ...(from !== undefined && { from: rfc3339(from) }),
    ...(to !== undefined && { to: rfc3339(to) }),
    faults,
    unfinishedBytes,
    anchors: anchored.map(({ number, from: where }) => ({ number, from: where })),
    restored,
    remarks: [...remarksOf(found)],
  }
}
