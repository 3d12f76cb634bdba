// Pages of the audit, newest first, read from its files: entries are given exactly as they lie there, so that whoever gets them can check
// the chain. A page costs a bounded part of the gateway's time, so a selective filter may get a short one with a token to go on from.

import { setImmediate as breathe } from 'node:timers/promises'
import type { AuditEntry, ListAuditRequest } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { joinParts, lengthTag, type Part } from '../grpc/message-bytes.ts'
import type { Disk } from '../log/disk.ts'
import { readWhole } from '../log/segment-file.ts'
import { entryAt, type Head, type Placed, rangeAt } from './chain.ts'
import { auditFiles } from './files.ts'

const pageSizeDefault = 100
const pageSizeMax = 1_000
/** Clients take 4 MB unless told otherwise. */
const pageBytesMax = 2 << 20
/** Entries looked at for one page, and before others get their turn: about a millisecond's worth. */
const scanMax = 50_000
const chunkEntries = 200
const tokenBytes = 8

const entriesTag = lengthTag(1)
const responseCodec = codec('tocsin.v1.ListAuditResponse')

/** An encoded ListAuditResponse. Rejects with GatewayError invalid_argument. */
export async function listAudit(
  { disk, folder, head }: { readonly disk: Disk; readonly folder: string; readonly head: Head },
  request: ListAuditRequest,
): Promise<Buffer> {
  const size = Math.min(request.pageSize || pageSizeDefault, pageSizeMax)
  const before = Math.min(tokenNumber(request.pageToken), head.number + 1)
  const wanted = auditFilter(request)
  const parts: Part[] = []
  let bytes = 0
  let scanned = 0
  let next: number | undefined
  for (const placed of newestFirst(disk, folder, before)) {
    scanned += 1
    if (wanted(placed)) {
      parts.push({ tag: entriesTag, bytes: placed.bytes })
      bytes += placed.bytes.length
    }
    if (parts.length >= size || bytes >= pageBytesMax || scanned >= scanMax) {
      next = placed.number
      break
    }
    if (scanned % chunkEntries === 0) await breathe()
  }
  const rest = responseCodec.encode({
    headNumber: head.number,
    headSha256: head.sha256,
    ...(next !== undefined && next > 1 && { nextPageToken: tokenOf(next) }),
  })
  return joinParts([...parts, { bytes: rest }])
}

/** With numbers below `before`. */
function* newestFirst(disk: Disk, folder: string, before: number): Generator<Placed> {
  for (const file of auditFiles(disk, folder).toReversed()) {
    if (file.first >= before) continue
    const content = readWhole(disk, file.path) ?? Buffer.alloc(0)
    const offsets: number[] = []
    for (let at = 0; ;) {
      const range = rangeAt(content, at)
      if (!range) break
      offsets.push(at)
      at = range.end
    }
    for (const offset of offsets.toReversed()) {
      const placed = entryAt(content, offset)
      if (placed && placed.number < before) yield placed
    }
  }
}

type Asked = Pick<ListAuditRequest, 'principal' | 'actions' | 'from' | 'to' | 'addressPrefix' | 'outcomes'>

function auditFilter(asked: Asked): (placed: { readonly action: string; readonly entry: AuditEntry }) => boolean {
  const { principal = '', actions = [], addressPrefix = '', outcomes = [] } = asked
  const [from, to] = [timestampNs(asked.from), timestampNs(asked.to)]
  return ({ action, entry }) => {
    if (actions.length > 0 && !actions.includes(action)) return false
    if (principal !== '' && entry.principal !== principal) return false
    if (!(entry.address ?? '').startsWith(addressPrefix)) return false
    if (outcomes.length > 0 && !outcomes.some((outcome) => outcome === entry.outcome)) return false
    const at = timestampNs(entry.at) ?? 0n
    return (from === undefined || at >= from) && (to === undefined || at < to)
  }
}

function tokenOf(number: number): Buffer {
  const token = Buffer.alloc(tokenBytes)
  token.writeBigUInt64BE(BigInt(number))
  return token
}

function tokenNumber(token: Uint8Array | undefined): number {
  if (!token?.length) return Number.MAX_SAFE_INTEGER
  const number = token.length === tokenBytes ? Number(Buffer.from(token).readBigUInt64BE()) : 0
  if (number > 0 && Number.isSafeInteger(number)) return number
  throw new GatewayError('invalid_argument', 'page_token is none that this gateway gave: ask for the first page again.')
}
