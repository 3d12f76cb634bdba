// What somebody may see and do: the sum of his roles, narrowed by what is said of him alone. The one form that every door's decision
// is made from.

import type { Box, EventKind, MessageStatus } from '../../proto/generated/types.ts'
import type { Included } from './configured-view.ts'

/** A call of AdminService or ActionService by its name, such as "ListRefusals"; "Publish" is EventService's. */
export type CallName = string

export interface Rights {
  /** Whether events may be read at all. */
  readonly reads: boolean
  /** What may be seen beyond PUBLIC and, with `ops`, OPS. */
  readonly include: ReadonlySet<Included>
  /** OPS, and what states no label. */
  readonly ops: boolean
  /** Frames as they were received, as far as their labels allow. */
  readonly frames: boolean
  /** Only of these; absent: of any. */
  readonly only: Narrowing
  readonly calls: ReadonlySet<CallName>
}

/** Each absent: not narrowed. */
export interface Narrowing {
  readonly kinds?: readonly EventKind[]
  readonly messageStatuses?: readonly MessageStatus[]
  readonly jurisdictions?: readonly string[]
  /** FQDNs of agencies. */
  readonly owners?: readonly string[]
  readonly areas?: readonly Box[]
}

export const nothing: Rights = {
  reads: false,
  include: new Set(),
  ops: false,
  frames: false,
  only: {},
  calls: new Set(),
}

/** Everything, for whoever is on the machine of the gateway itself. */
export const everything: Rights = {
  reads: true,
  include: new Set(['PII', 'PHI', 'CJI', 'law_enforcement_position']),
  ops: true,
  frames: true,
  only: {},
  calls: { has: () => true } as unknown as ReadonlySet<CallName>,
}
