// The weekly page: what a supervisor should look at once a week. Who came in, who was turned away, who was given labelled data, what those
// who run the gateway did, what was changed, what was wrong, and whether the audit itself is whole.

import { SystemEventType } from '../../proto/generated/types.ts'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestampNs } from '../../proto/time.ts'
import { labelsBeyond } from '../policy/configured-view.ts'
import { outcomeWord } from './log-event.ts'

/** A table of the page. */
export interface Section {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Rows that are left out. */
  readonly more: number
  /** What is said when there is no row. */
  readonly none: string
}

export interface Report {
  readonly entries: number
  readonly sections: readonly Section[]
}

export interface ReportBuilder {
  add(entry: AuditEntry): void
  /** `stamp` writes a time for people. */
  build(stamp: (ns: bigint) => string): Report
}

const rowsMax = 100
/** What is kept of each kind while it is read; somebody who makes more rows than this does not make us larger. */
const groupsMax = 20_000
const listedMax = 5_000
const readLabels = labelsBeyond

interface Group {
  readonly cells: readonly string[]
  count: number
  last: bigint
  labels: number[]
}

export function createReport(): ReportBuilder {
  const groups = { signIns: newGroups(), denied: newGroups(), reads: newGroups(), administered: newGroups() }
  /** By name, the newest entry and what came in all. */
  const exceptions = new Map<string, { entry: AuditEntry; sums: number[] }>()
  const lists: Record<'changes' | 'alarms' | 'own', AuditEntry[]> = { changes: [], alarms: [], own: [] }
  const listed = { changes: 0, alarms: 0, own: 0 }
  let entries = 0

  function list(name: keyof typeof lists, entry: AuditEntry): void {
    listed[name] += 1
    if (lists[name].length < listedMax) lists[name].push(entry)
  }

  function add(entry: AuditEntry): void {
    entries += 1
    const { action = '', type, principal = '', address = '' } = entry
    const outcome = outcomeWord(entry.outcome)
    const detail = (name: string): string => detailOf(entry, name)
    if (action === 'plaintext_exception') return note(entry, detail)
    if (outcome === 'denied') {
      const who = principal || (detail('name_given') && `as ${detail('name_given')}`) || 'nobody known'
      return count(groups.denied, [who, hostOf(address), action, entry.text ?? ''], entry)
    }
    if (action.startsWith('alarm_')) return list('alarms', entry)
    if (action.startsWith('audit_') || ownActions.has(action)) return list('own', entry)
    if (changingTypes.has(type ?? 0)) return list('changes', entry)
    if (action === 'sign_in') return count(groups.signIns, [principal, hostOf(address)], entry)
    const labels = readLabels.map((label) => Number(detail(label)) || 0)
    if (labels.some((each) => each > 0)) count(groups.reads, [principal, hostOf(address), action], entry, labels)
    if (type === SystemEventType.ADMINISTERED)
      count(groups.administered, [principal, hostOf(address), action, outcome], entry)
  }

  /** Its counts begin anew with each start, and are told once a day: what is less than before is of a new start. */
  function note(entry: AuditEntry, detail: (name: string) => string): void {
    const { object = '' } = entry
    const known = exceptions.get(object)
    if (!known && exceptions.size >= rowsMax) return
    const counts = exceptionCounts.map((name) => Number(detail(name)) || 0)
    const before = known ? exceptionCounts.map((name) => Number(detailOf(known.entry, name)) || 0) : counts
    const sums = counts.map((now, at) => (known?.sums[at] ?? 0) + (now >= before[at]! ? now - before[at]! : now))
    exceptions.set(object, { entry, sums })
  }

  return {
    add,
    build(stamp) {
      const line = (entry: AuditEntry): string[] => [
        stamp(timestampNs(entry.at) ?? 0n),
        entry.principal ?? '',
        entry.action ?? '',
        outcomeWord(entry.outcome),
        whatOf(entry),
      ]
      const listing = (title: string, name: keyof typeof lists, none: string): Section => ({
        title,
        head: ['when', 'who', 'what', 'outcome', ''],
        rows: lists[name].slice(-rowsMax).map(line),
        more: Math.max(listed[name] - rowsMax, 0),
        none,
      })
      const table = (title: string, head: readonly string[], all: Groups, none: string): Section => {
        const sorted = [...all.values()].toSorted((a, b) => b.count - a.count)
        return {
          title,
          head: [...head, 'times', 'last'],
          rows: sorted
            .slice(0, rowsMax)
            .map(({ cells, labels, count: times, last }) => [
              ...cells,
              ...labels.map(String),
              String(times),
              stamp(last),
            ]),
          more: Math.max(sorted.length - rowsMax, 0),
          none,
        }
      }
      return {
        entries,
        sections: [
          table('Turned away', ['who', 'from', 'what', 'why'], groups.denied, 'Nobody was turned away.'),
          table(
            'Given labelled data',
            ['who', 'from', 'by', ...readLabels],
            groups.reads,
            'Nobody was given data with the labels PII, PHI or CJI.',
          ),
          {
            title: 'Exceptions: MQTT in plain text, UNVERIFIED',
            head: ['name', 'where', 'for', 'until', 'approved by', 'why', ...exceptionCounts.map(inWords)],
            rows: [...exceptions].map(([name, { entry, sums }]) => [
              name,
              ...['listen', 'only_from', 'until', 'officer'].map((fact) => detailOf(entry, fact)),
              entry.text ?? '',
              ...sums.map(String),
            ]),
            more: 0,
            none: 'There are none.',
          },
          listing('Changes', 'changes', 'Nothing was changed.'),
          table(
            'What those who run the gateway did',
            ['who', 'from', 'what', 'outcome'],
            groups.administered,
            'Nobody used a right of those who run the gateway.',
          ),
          table('Signed in', ['who', 'from'], groups.signIns, 'Nobody signed in.'),
          listing('Alarms', 'alarms', 'No alarm was raised.'),
          listing('Starts and stops, and the audit itself', 'own', 'Nothing.'),
        ],
      }
    },
  }
}

const exceptionCounts = ['connections', 'messages', 'turned_away'] as const
const inWords = (name: string): string => name.replace('_', ' ')
const detailOf = ({ details = [] }: AuditEntry, name: string): string =>
  details.find((each) => each.name === name)?.value ?? ''

type Groups = Map<string, Group>
const newGroups = (): Groups => new Map()

function count(groups: Groups, cells: readonly string[], entry: AuditEntry, labels: readonly number[] = []): void {
  const key = JSON.stringify(cells)
  let group = groups.get(key)
  if (!group) {
    if (groups.size >= groupsMax)
      return count(
        groups,
        cells.map(() => 'others'),
        entry,
        labels,
      )
    groups.set(key, (group = { cells, count: 0, last: 0n, labels: labels.map(() => 0) }))
  }
  group.count += toNumber(entry.count) || 1
  const at = timestampNs(entry.at) ?? 0n
  if (at > group.last) group.last = at
  for (const [index, label] of labels.entries()) group.labels[index]! += label
}

const ownActions: ReadonlySet<string> = new Set(['start', 'stop', 'note_unreadable'])

const changingTypes: ReadonlySet<number> = new Set<number>([
  SystemEventType.POLICY_CHANGE,
  SystemEventType.SETTINGS_CHANGED,
  SystemEventType.REFUSALS_REPLAYED,
  SystemEventType.PAYLOAD_REMOVED,
  SystemEventType.BACKUP_MADE,
  SystemEventType.BACKUP_FAILED,
  SystemEventType.RESTORED,
])

function whatOf({ object, text, details = [] }: AuditEntry): string {
  const facts = details.map(({ name = '', value = '' }) => `${name} ${value}`).join('; ')
  return [object, text, facts].filter((part) => part).join(' · ')
}

const hostOf = (address: string): string => address.replace(/^\[?(.*?)\]?:\d+$/, '$1')
