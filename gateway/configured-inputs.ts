// Which adapters read which channels: those of the settings first, then every adapter on its own conventional topics and on
// `tocsin/in/<adapter>/<device>`. Checked whole before the gateway starts.

import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { Adapter } from '../adapters/adapter.ts'
import { adapters } from '../adapters/index.ts'
import { faultsOf } from '../adapters/json/mapping.ts'
import { GatewayError } from '../proto/errors.ts'
import { Label, MessageStatus } from '../proto/generated/types.ts'
import { nearest } from './nearest.ts'
import type { Site } from './normalise.ts'
import { type Input, ingestRoot, programChannel } from './routes.ts'
import type { Settings } from './settings.ts'

type LabelName = Exclude<keyof typeof Label, 'UNSPECIFIED'>

const statusNames = ['ACTUAL', 'EXERCISE', 'SYSTEM', 'TEST'] as const
const labelNames = Object.keys(Label).filter((name) => name !== 'UNSPECIFIED') as LabelName[]

export const approvalForm = z.strictObject({
  officer: z.string().trim().min(3, 'names the officer who approved it').max(200),
  date: z.iso.date('is the day of the approval, such as 2026-11-25'),
})

const inputForm = z.strictObject({
  name: z.string().min(1).max(64),
  adapter: z.string(),
  topics: z.array(z.string().min(1)).min(1),
  jurisdiction: z.string().optional(),
  owner: z.string().optional(),
  message_status: z.enum(statusNames).optional(),
  labels: z.array(z.enum(labelNames)).optional(),
  approved_by: approvalForm.optional(),
  options: z.unknown().optional(),
})
type InputForm = z.infer<typeof inputForm>

export function siteOf(settings: Settings): Site {
  return {
    gateway: settings['gateway.name'],
    jurisdiction: settings['gateway.jurisdiction'],
    owner: settings['gateway.owner'],
    messageStatus: MessageStatus[settings['gateway.message_status']],
    labels: [Label.OPS],
  }
}

/** Throws GatewayError settings_invalid naming every fault. */
export function configuredInputs(settings: Settings): Input[] {
  const faults: string[] = []
  const site = siteOf(settings)
  const inputs = [
    ...declaredInputs(settings['inputs'], site, faults),
    ...mappedInputs(settings['mappings'], site, faults),
    ...builtInInputs(site),
  ]
  if (faults.length > 0) throw new GatewayError('settings_invalid', faults.join('\n'))
  return inputs
}

function declaredInputs(tree: unknown, site: Site, faults: string[]): Input[] {
  const read = z.array(inputForm).safeParse(tree ?? [])
  if (!read.success) {
    for (const issue of read.error.issues) faults.push(`inputs.${issue.path.join('.')}: ${issue.message}`)
    return []
  }
  return read.data.flatMap((form) => {
    const adapter = adapters.get(form.adapter)
    if (!adapter) {
      faults.push(`inputs.${form.name}: there is no adapter "${form.adapter}"${didYouMean(form.adapter)}`)
      return []
    }
    const options = checkedOptions(adapter, form.options, `inputs.${form.name}.options`, faults)
    const { name, topics, approved_by } = form
    const approvedBy = approved_by && { approvedBy: approved_by }
    return [{ name, adapter, topics, options, site: siteFor(form, site), ...approvedBy }]
  })
}

function didYouMean(name: string): string {
  const near = nearest(name, adapters.keys())
  return near ? `; did you mean ${near}?` : `; there are ${[...adapters.keys()].join(', ')}`
}

const siteFor = (form: InputForm, site: Site): Site => ({
  ...site,
  ...(form.jurisdiction === undefined ? undefined : { jurisdiction: form.jurisdiction }),
  ...(form.owner === undefined ? undefined : { owner: form.owner }),
  ...(form.message_status === undefined ? undefined : { messageStatus: MessageStatus[form.message_status] }),
  ...(form.labels === undefined ? undefined : { labels: form.labels.map((label) => Label[label]) }),
})

/** All mappings of the setting `mappings` make one input, on the topics that they name. */
function mappedInputs(tree: unknown, site: Site, faults: string[]): Input[] {
  if (tree === undefined || tree === null) return []
  const adapter = adapters.get('json')
  if (!adapter) return []
  if (!Array.isArray(tree)) {
    faults.push('mappings: must be a list of mappings, or of {file: PATH}')
    return []
  }
  const mappings = tree.flatMap((entry: unknown, i) =>
    isFileEntry(entry) ? readMappings(entry.file, i, faults) : [entry],
  )
  const options = checkedOptions(adapter, { mappings }, 'mappings', faults) as
    { mappings: { topics?: string[] }[] } | undefined
  if (!options) return []
  const topics = options.mappings.flatMap((mapping) => mapping.topics ?? [])
  return [{ name: 'mappings', adapter, topics: [...topics, `${ingestRoot}/json/#`], options, site }]
}

const isFileEntry = (entry: unknown): entry is { file: string } =>
  typeof entry === 'object' && entry !== null && 'file' in entry && typeof entry.file === 'string'

/** A file holds one mapping, a list of them, or `mappings:` with a list, as `tocsin check` takes it. */
function readMappings(file: string, index: number, faults: string[]): unknown[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    faults.push(
      `mappings[${index}]: ${file} cannot be read (${error instanceof Error ? error.message : String(error)})`,
    )
    return []
  }
  const document = parseDocument(text)
  for (const error of document.errors) faults.push(`${file}: ${error.message}`)
  const tree: unknown = document.errors.length > 0 ? [] : document.toJS({ maxAliasCount: 0 })
  if (Array.isArray(tree)) return tree
  if (typeof tree === 'object' && tree !== null && 'mappings' in tree && Array.isArray(tree.mappings))
    return tree.mappings
  return [tree]
}

function checkedOptions(adapter: Adapter, options: unknown, where: string, faults: string[]): unknown {
  if (!adapter.options) {
    if (options !== undefined) faults.push(`${where}: the adapter ${adapter.name} has no options`)
    return undefined
  }
  const read = adapter.options.safeParse(options ?? {})
  if (read.success) return read.data
  for (const fault of faultsOf(read.error)) faults.push(where === 'mappings' ? fault : `${where}.${fault}`)
  return undefined
}

/** Adapters that need options (json) have no input until the settings give them. */
function builtInInputs(site: Site): Input[] {
  return [...adapters.values()].flatMap((adapter) => {
    if (!adapter.decoder) return []
    const options = adapter.options?.safeParse({})
    if (options && !options.success) return []
    const topics = [`${ingestRoot}/${adapter.name}/#`, ...(adapter.topics ?? [])]
    if (adapter.name === 'tocsin') topics.push(programChannel)
    return [{ name: adapter.name, adapter, topics, options: options?.data, site }]
  })
}
