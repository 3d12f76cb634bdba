// /v1/audit: who did what, newest first, in the words of NENA i3 LogEvent.

import type { ListAuditRequest } from '../../proto/generated/types.ts'
import { AuditOutcome } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { logEventOf } from '../audit/log-event.ts'
import { hex } from '../audit/chain.ts'
import { type Access, permitCall } from '../grpc/access.ts'
import type { AuditPages } from '../grpc/admin-service.ts'
import { type Given, tokenText } from './given.ts'
import type { Route } from './route.ts'

const pageCodec = codec('tocsin.v1.ListAuditResponse')
const outcomes = { done: AuditOutcome.DONE, denied: AuditOutcome.DENIED, failed: AuditOutcome.FAILED } as const

export function auditRoutes({
  access,
  audit,
}: {
  readonly access: Access
  readonly audit: AuditPages
}): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/audit',
      group: 'Gateway',
      name: 'listAudit',
      about:
        'Who did what, when, from where, and whether it was done; newest first, as NENA i3 LogEvents. A selective filter may give a short page with a next one.',
      parameters: {
        principal: { in: 'query', kind: 'text', about: 'Only by this one, such as mqtt:gauge-7.' },
        action: { in: 'query', kind: 'texts', about: 'Only these, such as sign_in, get_event.' },
        outcome: { in: 'query', kind: 'names', of: Object.keys(outcomes), about: 'Only with these outcomes.' },
        address: { in: 'query', kind: 'text', about: 'Only from addresses that begin with this.' },
        from: { in: 'query', kind: 'time', about: 'At or after this time.', example: '1d' },
        to: { in: 'query', kind: 'time', about: 'Before this time.' },
        limit: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many.' },
        page: { in: 'query', kind: 'token', about: '`nextPage` of the page before, with the same other parameters.' },
      },
      answers: [{ status: 200, about: 'A page.', type: 'application/json', schema: 'AuditPage' }],
      async handle(call) {
        permitCall(access, call.principal, 'ListAudit')
        const page = pageCodec.decode(await audit.list(requestOf(call.given)))
        const { entries = [], nextPageToken } = page
        return {
          json: {
            entries: entries.map(logEventOf),
            ...(nextPageToken?.length && { nextPage: tokenText(nextPageToken) }),
            headNumber: toNumber(page.headNumber),
            headSha256: hex(page.headSha256),
          },
        }
      },
    },
  ]
}

function requestOf(given: Given): ListAuditRequest {
  const [from, to, page] = [given.time('from'), given.time('to'), given.token('page')]
  return {
    principal: given.text('principal') ?? '',
    actions: [...given.texts('action')],
    outcomes: given.texts('outcome').map((name) => outcomes[name as keyof typeof outcomes]),
    addressPrefix: given.text('address') ?? '',
    ...(from !== undefined && { from: timestamp(from) }),
    ...(to !== undefined && { to: timestamp(to) }),
    pageSize: given.count('limit') ?? 0,
    ...(page && { pageToken: page }),
  }
}
