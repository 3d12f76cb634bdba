// /v1/status: how the gateway is and how far its readers are, as AdminService tells it.

import { codec } from '../../proto/wire.ts'
import { type AdminServiceParts, bookmarkStatuses, getStatus } from '../grpc/admin-service.ts'
import { permitCall } from '../grpc/access.ts'
import type { Route } from './route.ts'

const statusCodec = codec('tocsin.v1.GetStatusResponse')
const bookmarksCodec = codec('tocsin.v1.ListBookmarksResponse')

export function statusRoutes(parts: AdminServiceParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/status',
      group: 'Gateway',
      name: 'getStatus',
      about: 'How the gateway is: what came and what became of it, the log, its readers, and what is wrong now.',
      parameters: {},
      answers: [{ status: 200, about: 'Its state.', type: 'application/json', schema: 'Status' }],
      handle(call) {
        permitCall(parts.access, call.principal, 'GetStatus')
        permitCall(parts.access, call.principal, 'ListBookmarks')
        const bookmarks = bookmarksCodec.toJson({ bookmarks: bookmarkStatuses(parts, '') })
        return { json: { ...(statusCodec.toJson(getStatus(parts)) as object), ...(bookmarks as object) } }
      },
    },
  ]
}
