// Every route of the HTTP API, from what the rest of the house has. Health, readiness and metrics stand in server.ts: they are for
// programs that do not read an API.

import type { AdminServiceParts } from '../grpc/admin-service.ts'
import type { FateParts } from '../grpc/fates.ts'
import { auditRoutes } from './audit.ts'
import { deviceRoutes } from './devices.ts'
import { eventRoutes } from './events.ts'
import { feedRoutes } from './feeds.ts'
import { fateRoutes } from './fates.ts'
import { type IngestParts, ingestRoutes } from './ingest.ts'
import { withPages } from './pages.ts'
import { type MapParts, mapRoutes } from './maps.ts'
import { refusalRoutes } from './refusals.ts'
import type { Route } from './route.ts'
import { type SeriesParts, seriesRoutes } from './series.ts'
import { type SignInParts, signInRoutes } from './sign-in.ts'
import { statusRoutes } from './status.ts'
import { type StreamParts, streamRoutes } from './stream.ts'

export interface ApiParts extends SignInParts, AdminServiceParts, FateParts, StreamParts, MapParts, SeriesParts {
  readonly ingest: Omit<IngestParts, 'clock' | 'access'>
}

export function apiRoutes(parts: ApiParts): readonly Route[] {
  const { log, clock, access, admin, ingest } = parts
  return withPages([
    ...eventRoutes({ log }),
    ...streamRoutes(parts),
    ...mapRoutes(parts),
    ...feedRoutes({ log, clock }),
    ...seriesRoutes(parts),
    ...fateRoutes(parts),
    ...refusalRoutes({ log, access, replay: admin.replay }),
    ...ingestRoutes({ ...ingest, access, clock }),
    ...statusRoutes(parts),
    ...deviceRoutes({ access, room: admin.room }),
    ...auditRoutes({ access, audit: admin.audit }),
    ...signInRoutes(parts),
  ])
}
