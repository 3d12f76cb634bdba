// Reads .cpuprofile files and says where a thread's time went: by function, and by stage of the work, where what libraries and Node
// do counts for the file of ours, or else the package, that asked for it. Sampled by wall clock: shares, not absolute figures.
//
//   node bench/profile.ts FILE.cpuprofile … [--top 25]

import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export interface ProfileSummary {
  readonly sampledMs: number
  readonly idleMs: number
  /** Milliseconds of self time, the most first. */
  readonly functions: readonly (readonly [name: string, ms: number])[]
  readonly stages: readonly (readonly [name: string, ms: number])[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The first that matches the file which asked for the work names its stage. */
const stages: readonly (readonly [stage: string, file: RegExp])[] = [
  ['decode', /^adapters\//],
  ['normalise, validate, permit', /^gateway\/(normalise|validate|policy\/|ids|lane)/],
  ['record header', /^gateway\/record-header/],
  ['encode event', /^proto\//],
  ['route and pipeline', /^gateway\/(pipeline|routes|accounting|inputs\/)/],
  ['log: gather', /^gateway\/log\/(gather|record|wire-bytes|record-header)\.ts/],
  ['log: frames', /^gateway\/log\/(frames|series)/],
  ['log: commit and after', /^gateway\/log\//],
  ['InfluxDB output', /^gateway\/outputs\//],
  ['gRPC output', /^gateway\/grpc\/|^package @grpc/],
  ['broker: ours', /^broker\//],
  ['broker: aedes, mqtt-packet', /^package (aedes|mqtt|bl|readable-stream|fastparallel|fastseries|reusify|retimer)/],
]

export function summarise(path: string): ProfileSummary {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const stageOf = new Map<number, string>()
  // Parents stand before their children.
  for (const node of profile.nodes) {
    const own = fileStage(node.callFrame)
    stageOf.set(node.id, own ?? stageOf.get(node.id) ?? 'Node itself')
    for (const child of node.children ?? []) stageOf.set(child, stageOf.get(node.id)!)
  }
  const byFunction = new Map<string, number>()
  const byStage = new Map<string, number>()
  let sampledMs = 0
  let idleMs = 0
  profile.samples.forEach((id, index) => {
    const ms = (profile.timeDeltas[index] ?? 0) / 1000
    const { callFrame } = nodes.get(id)!
    sampledMs += ms
    if (callFrame.functionName === '(idle)') idleMs += ms
    else {
      add(byFunction, nameOf(callFrame), ms)
      add(byStage, stageOf.get(id)!, ms)
    }
  })
  return { sampledMs, idleMs, functions: descending(byFunction), stages: descending(byStage) }
}

/** Undefined: Node's own code, which works for whoever called it. */
function fileStage({ url, functionName }: ProfileNode['callFrame']): string | undefined {
  if (functionName === '(garbage collector)') return 'garbage collector'
  const file = fileName(url)
  if (file === '' || file.startsWith('node:')) return undefined
  // protobufjs generates code that has no file name of ours; it stays with whoever asked for it.
  if (file.startsWith('package protobufjs') || file.startsWith('package cborg')) return undefined
  return stages.find(([, pattern]) => pattern.test(file))?.[0] ?? file.replace(/^(package [^ ]+).*/, '$1')
}

function fileName(url: string): string {
  if (!url.startsWith('file:')) return url.startsWith('/') ? fileName(`file://${url}`) : url
  const path = relative(`${import.meta.dirname}/..`, fileURLToPath(url))
  const inside = path.lastIndexOf('node_modules/')
  if (inside < 0) return path
  const [scope = '', name = '', ...rest] = path.slice(inside + 'node_modules/'.length).split('/')
  return scope.startsWith('@')
    ? `package ${scope}/${name} ${rest.join('/')}`
    : `package ${scope} ${[name, ...rest].join('/')}`
}

function nameOf({ functionName: name, url, lineNumber }: ProfileNode['callFrame']): string {
  const file = fileName(url)
  return file === '' ? name || '(generated code)' : `${name || '(anonymous)'}  ${file}:${lineNumber + 1}`
}

const add = (map: Map<string, number>, key: string, value: number) => map.set(key, (map.get(key) ?? 0) + value)
const descending = (map: Map<string, number>) => [...map].toSorted(([, a], [, b]) => b - a)

/** Lines for a terminal; with `messages`, also microseconds for each. */
export function profileText(title: string, summary: ProfileSummary, top: number, messages?: number): string {
  const busyMs = summary.sampledMs - summary.idleMs
  const line = ([name, ms]: readonly [string, number]): string => {
    const share = `${((ms / busyMs) * 100).toFixed(1)} %`.padStart(7)
    const each = messages === undefined ? '' : `${((ms * 1000) / messages).toFixed(2)} µs`.padStart(10)
    return `  ${share}${each}  ${name}`
  }
  const head = `${title}: busy ${(busyMs / 1000).toFixed(2)} s of ${(summary.sampledMs / 1000).toFixed(2)} s`
  return [
    head,
    ' by stage',
    ...summary.stages.map(line),
    ' by function',
    ...summary.functions.slice(0, top).map(line),
    '',
  ].join('\n')
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { top: { type: 'string', default: '25' }, messages: { type: 'string' } },
    allowPositionals: true,
  })
  for (const path of positionals) {
    const messages = values.messages === undefined ? undefined : Number(values.messages)
    process.stdout.write(profileText(path, summarise(path), Number(values.top), messages))
  }
}
