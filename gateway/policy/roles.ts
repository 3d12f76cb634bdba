// The roles there are: what each adds to what somebody may see and do. A site may define its own beside them.

import { z } from 'zod'
import { EventKind, MessageStatus } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { includable, type Included } from './configured-view.ts'
import type { CallName, Narrowing, Rights } from './rights.ts'

/** What each role adds. Nobody has a right that no role of his has. */
export interface Role {
  readonly about: string
  readonly reads: boolean
  readonly include: readonly Included[]
  readonly ops: boolean
  readonly frames: boolean
  readonly calls: readonly CallName[]
}

export const actions = [
  'Acknowledge',
  'Comment',
  'LinkEvents',
  'ProposeIncident',
  'SendMessage',
  'RequestCommand',
] as const satisfies readonly CallName[]

/** Of AdminService; those of the second list change something. */
export const adminReads = [
  'GetStatus',
  'ListInputs',
  'ListBookmarks',
  'ListRefusals',
  'ListDevices',
  'ListWaiting',
] as const
export const adminChanges = [
  'ReplayRefusals',
  'AdmitDevice',
  'BlockDevice',
  'Backup',
  'ListPrincipals',
  'PutPrincipal',
  'RemovePrincipal',
  'UnlockPrincipal',
  'SealBreakGlass',
  'ListAgreements',
] as const

const reading = { reads: true, include: [], ops: true, frames: false, calls: [] } as const
const acting = ['Acknowledge', 'Comment', 'LinkEvents', 'ProposeIncident', 'SendMessage'] as const

export const builtinRoles: Readonly<Record<string, Role>> = {
  public: {
    ...reading,
    ops: false,
    about: 'Reads what is labelled PUBLIC: a display in a lobby, a page for citizens.',
  },
  observer: { ...reading, about: 'Reads PUBLIC and OPS, does nothing.' },
  dispatcher: {
    ...reading,
    include: ['PII', 'law_enforcement_position'],
    calls: acting,
    about:
      'A dispatch position: reads PUBLIC, OPS and PII and where law-enforcement units are; acknowledges, comments, sends text.',
  },
  medical: {
    ...reading,
    include: ['PII', 'PHI'],
    about: 'Adds PHI: emergency medical dispatch and their supervisors.',
  },
  law_enforcement: {
    ...reading,
    include: ['PII', 'CJI', 'law_enforcement_position'],
    about: 'Adds CJI: people whom the agency has vetted as the CJIS Security Policy asks.',
  },
  records: {
    ...reading,
    include: ['PII', 'PHI', 'CJI', 'law_enforcement_position'],
    frames: true,
    about: 'Reads everything, messages as received too: records requests and after-action reviews.',
  },
  publisher: {
    reads: false,
    include: [],
    ops: false,
    frames: false,
    calls: ['Publish'],
    about: 'A program that gives events: publishes over gRPC and HTTP.',
  },
  commander: { ...reading, calls: ['RequestCommand'], about: 'May ask for and approve commands to devices.' },
  operator: {
    ...reading,
    frames: true,
    calls: [...adminReads, ...adminChanges, 'Publish'],
    about: 'Runs the gateway: its state, the quarantine, devices, principals, backups. Reads PUBLIC and OPS.',
  },
  auditor: {
    ...reading,
    reads: false,
    ops: false,
    calls: ['GetStatus', 'ListAudit', 'ListPrincipals', 'ListAgreements'],
    about: 'Reads the audit.',
  },
}

const upper = (names: readonly string[]) => z.enum(names.map((name) => name.toUpperCase()) as [string, ...string[]])
const known = <Values extends Readonly<Record<string, number>>>(values: Values) =>
  upper(Object.keys(values)).transform((name) => values[name] as Values[keyof Values])

const rolesForm = z.array(
  z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'is small letters, digits and _, such as "water_board"'),
    about: z.string().default(''),
    reads: z.boolean().default(true),
    include: z.array(z.enum(includable)).default([]),
    ops: z.boolean().default(true),
    frames: z.boolean().default(false),
    calls: z.array(z.enum([...actions, ...adminReads, ...adminChanges, 'ListAudit', 'Publish'])).default([]),
  }),
)

/** Of the settings, beside those that are built in. Throws GatewayError settings_invalid with the key. */
export function readRoles(tree: unknown): ReadonlyMap<string, Role> {
  const read = rolesForm.safeParse(tree ?? [])
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `roles.${issue.path.join('.')}: ${issue.message}`)
    throw new GatewayError('settings_invalid', faults.join('\n'))
  }
  const roles = new Map(Object.entries(builtinRoles))
  for (const { name, ...role } of read.data) {
    if (Object.hasOwn(builtinRoles, name)) {
      throw new GatewayError('settings_invalid', `roles: ${name} is built in; give yours another name`)
    }
    roles.set(name, role)
  }
  return roles
}

export const narrowingForm = z.strictObject({
  kinds: z.array(known(EventKind)).optional(),
  message_statuses: z.array(known(MessageStatus)).optional(),
  jurisdictions: z.array(z.string().min(1)).optional(),
  owners: z.array(z.string().min(1)).optional(),
  areas: z
    .array(z.tuple([z.number(), z.number(), z.number(), z.number()], 'is west,south,east,north in degrees'))
    .optional(),
})

/** The sum of the roles, narrowed. A role that is not known adds nothing. */
export function rightsOf(names: readonly string[], only: Narrowing, roles: ReadonlyMap<string, Role>): Rights {
  const held = names.flatMap((name) => roles.get(name) ?? [])
  return {
    reads: held.some(({ reads }) => reads),
    include: new Set(held.flatMap(({ include }) => include)),
    ops: held.some(({ ops }) => ops),
    frames: held.some(({ frames }) => frames),
    only,
    calls: new Set(held.flatMap(({ calls }) => calls)),
  }
}
