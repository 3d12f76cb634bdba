// AdminService, as far as this gateway has what it tells of: its state, the readers and how far they lag, the quarantine and its
// replay, the audit. Policy decides for each call; with no settings, only a caller on loopback gets in.

import { Lane as WireLane } from '../../proto/generated/types.ts'
import type {
  AdmitDeviceRequest,
  BlockDeviceRequest,
  BookmarkStatus,
  GetStatusResponse,
  LaneStatus,
  ListAuditRequest,
  ListBookmarksRequest,
  ListPrincipalsRequest,
  ListRefusalsRequest,
  ListWaitingRequest,
  PutPrincipalRequest,
  RemovePrincipalRequest,
  ReplayRefusalsRequest,
  SealBreakGlassRequest,
  UnlockPrincipalRequest,
} from '../../proto/generated/types.ts'
import { uint64 } from '../../proto/int64.ts'
import { duration, timestamp } from '../../proto/time.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import type { Clock } from '../clock.ts'
import { lanes, type Bookmark, type Lane, type LanePosition, type Log, type StoredRecord } from '../log/log.ts'
import { permitCall, type Access } from './access.ts'
import type { Replay } from '../replay.ts'
import { listPrincipals, type Principals, putPrincipal, removePrincipal, unlockPrincipal } from './principals.ts'
import { listRefusals, replayRefusals } from './refusals.ts'
import type { Context, Registrar } from './registrar.ts'
import { admitDevice, blockDevice, listWaiting, type Room } from './waiting.ts'

/** What the rest of the house knows and this folder does not. */
export interface AdminParts {
  /** Everything but `epoch`, `lanes` and `now`, which are filled in here. */
  status(): GetStatusResponse
  /** Readers that run now, by the name of their bookmark. `problem` is what the last failure said. */
  readers(): readonly { readonly name: string; readonly lag: LanePosition; readonly problem?: string }[]
  readonly replay: Replay
  readonly principals: Principals
  readonly room: Room
  readonly audit: AuditPages
}

/** An encoded ListAuditResponse. */
export interface AuditPages {
  list(request: ListAuditRequest): Promise<Buffer>
}

export interface AdminServiceParts {
  readonly log: Log
  readonly clock: Clock
  readonly access: Access
  readonly admin: AdminParts
}

export function addAdminService(registrar: Registrar, parts: AdminServiceParts): void {
  const service = serviceDefinition('tocsin.v1.AdminService')

  const permit = (call: string, { principal }: Context): void => permitCall(parts.access, principal, call)

  registrar.unary([service, 'GetStatus'], (_request, context) => {
    permit('GetStatus', context)
    return getStatus(parts)
  })
  registrar.unary<ListBookmarksRequest>([service, 'ListBookmarks'], (request, context) => {
    permit('ListBookmarks', context)
    return { bookmarks: bookmarkStatuses(parts, request.namePrefix ?? '') }
  })
  registrar.unary<ListRefusalsRequest>([service, 'ListRefusals'], (request, context) => {
    permit('ListRefusals', context)
    return listRefusals(parts.log, request, context.view)
  })
  registrar.unary<ListAuditRequest>([service, 'ListAudit'], (request, context) => {
    permit('ListAudit', context)
    return parts.admin.audit.list(request)
  })
  registrar.serverStream<ReplayRefusalsRequest>([service, 'ReplayRefusals'], (call, context) => {
    permit('ReplayRefusals', context)
    replayRefusals(parts.log, call, parts.admin.replay, (error) => registrar.fail(call, error))
  })
  registrar.unary<ListWaitingRequest>([service, 'ListWaiting'], (request, context) => {
    permit('ListWaiting', context)
    return listWaiting(parts.admin.room, request, context.view)
  })
  registrar.unary<AdmitDeviceRequest>([service, 'AdmitDevice'], (request, context) => {
    permit('AdmitDevice', context)
    return admitDevice(parts.admin.room, request)
  })
  registrar.unary<BlockDeviceRequest>([service, 'BlockDevice'], (request, context) => {
    permit('BlockDevice', context)
    return blockDevice(parts.admin.room, request)
  })
  registrar.unary<ListPrincipalsRequest>([service, 'ListPrincipals'], (request, context) => {
    permit('ListPrincipals', context)
    return listPrincipals(parts.admin.principals, request)
  })
  registrar.unary<PutPrincipalRequest>([service, 'PutPrincipal'], (request, context) => {
    permit('PutPrincipal', context)
    return putPrincipal(parts.admin.principals, request, parts.clock)
  })
  registrar.unary<RemovePrincipalRequest>([service, 'RemovePrincipal'], (request, context) => {
    permit('RemovePrincipal', context)
    removePrincipal(parts.admin.principals, request)
    return {}
  })
  registrar.unary<UnlockPrincipalRequest>([service, 'UnlockPrincipal'], (request, context) => {
    permit('UnlockPrincipal', context)
    unlockPrincipal(parts.admin.principals, request)
    return {}
  })
  registrar.unary<SealBreakGlassRequest>([service, 'SealBreakGlass'], (request, context) => {
    permit('SealBreakGlass', context)
    return parts.admin.principals.breakGlass.seal(request)
  })
}

const wireLane: Readonly<Record<Lane, WireLane>> = { urgent: WireLane.URGENT, routine: WireLane.ROUTINE }

export function getStatus({ log, clock, admin }: AdminServiceParts): GetStatusResponse {
  return {
    ...admin.status(),
    now: timestamp(clock.now()),
    epoch: uint64(log.epoch),
    lanes: lanes.map((lane) => laneStatus(log, lane)),
  }
}

function laneStatus(log: Log, lane: Lane): LaneStatus {
  const oldest = firstAfter(log, lane, log.oldest[lane] - 1)
  const newest = oldest && firstAfter(log, lane, log.head[lane] - 1)
  return {
    lane: wireLane[lane],
    head: log.head[lane],
    oldest: log.oldest[lane],
    ...(oldest && { oldestAt: timestamp(oldest.loggedAt) }),
    ...(newest && { newestAt: timestamp(newest.loggedAt) }),
  }
}

const firstAfter = (log: Log, lane: Lane, after: number): StoredRecord | undefined =>
  log.read(lane, after, { records: 1, bytes: 1 })?.records[0]

export function bookmarkStatuses({ log, clock, admin }: AdminServiceParts, prefix: string): BookmarkStatus[] {
  const running = new Map(admin.readers().map((reader) => [reader.name, reader]))
  const now = clock.now()
  const statuses: BookmarkStatus[] = []
  for (const { name, bookmark, pins, savedAt } of log.bookmarks.list()) {
    if (!name.startsWith(prefix)) continue
    const status: BookmarkStatus = {
      reader: name,
      urgent: bookmark.urgent,
      routine: bookmark.routine,
      urgentLag: log.head.urgent - bookmark.urgent,
      routineLag: log.head.routine - bookmark.routine,
      movedAt: timestamp(savedAt),
      holds: pins,
      problem: running.get(name)?.problem ?? '',
      connected: running.has(name),
    }
    const waitingSince = oldestWaiting(log, bookmark)
    if (waitingSince !== undefined) status.lagAge = duration(now - waitingSince)
    statuses.push(status)
  }
  // One that has delivered nothing yet has no bookmark.
  const known = new Set(statuses.map(({ reader }) => reader))
  for (const { name, lag, problem = '' } of running.values()) {
    if (known.has(name) || !name.startsWith(prefix)) continue
    const { urgent, routine } = log.head
    statuses.push({
      reader: name,
      urgent: urgent - lag.urgent,
      routine: routine - lag.routine,
      urgentLag: lag.urgent,
      routineLag: lag.routine,
      problem,
      connected: true,
    })
  }
  return statuses.toSorted((a, b) => ((a.reader ?? '') < (b.reader ?? '') ? -1 : 1))
}

function oldestWaiting(log: Log, bookmark: Bookmark): bigint | undefined {
  const times = lanes.flatMap((lane) => firstAfter(log, lane, bookmark[lane])?.loggedAt ?? [])
  return times.length > 0 ? times.reduce((least, time) => (time < least ? time : least)) : undefined
}
