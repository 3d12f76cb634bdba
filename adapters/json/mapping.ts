// What a site declares about a JSON device: which messages, where the device, the time, each measurement and its unit stand. All of
// it is checked before the first message: a misspelt key, an unknown unit or a broken expression is named with its place and
// with what was probably meant.

import { z } from 'zod'
import { nearest, nearestUnit, words } from '../units.ts'
import { type Expression, compileExpression, parsePath, variableNames } from './expression.ts'
import { isZone, patternFault, timeFormats } from '../written-time.ts'

/** Two hundred measurements from one message are a PLC; more are a mistake. */
const measurementsMax = 200
const mappingsMax = 500
// schema: Measurement.quantity and .channel.
const nameLengthMax = 64
const expressionLengthMax = 2_000

const jsonataLimitsDefault = { depthMax: 200, timeMsMax: 50 }

/** `z.strictObject` that says which key was probably meant. */
function keys<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      const known = Object.keys(shape)
      return issue.keys.map((key) => `unknown key "${key}"; did you mean "${nearest(key, known)}"?`).join(', ')
    },
  })
}

/** A path or a JSONata expression, such as `sensors[0].t` or `$sum(rain.mm)`. */
const expressionText = z
  .string()
  .min(1)
  .max(expressionLengthMax)
  .superRefine((text, context) => {
    const fault = expressionFault(text)
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })

function expressionFault(text: string): string | undefined {
  const variable = parsePath(text)?.variable
  if (variable !== undefined && !(variableNames as readonly string[]).includes(variable)) {
    return `"$${variable}" is not known; did you mean "$${nearest(variable, variableNames)}"?`
  }
  const compiled = compileExpression(text, jsonataLimitsDefault)
  return 'evaluate' in compiled
    ? undefined
    : `${compiled.why} (JSONata, at position ${compiled.position} of ${JSON.stringify(text)})`
}

/** A fixed text, or, after "=", an expression: `probe2`, `=name`, `=$topic[1]`. */
const textOrExpression = z
  .string()
  .min(1)
  .max(expressionLengthMax)
  .superRefine((text, context) => {
    const fault = text.startsWith('=') ? expressionFault(text.slice(1)) : undefined
    if (fault) context.addIssue({ code: 'custom', message: fault })
  })

const unit = textOrExpression.superRefine((text, context) => {
  if (text.startsWith('=') || words.has(text)) return
  context.addIssue({ code: 'custom', message: `unknown unit "${text}"; did you mean "${nearestUnit(text)}"?` })
})

const quantity = textOrExpression.superRefine((text, context) => {
  if (text.startsWith('=') || (/^[a-z][a-z0-9_]*$/.test(text) && text.length <= nameLengthMax)) return
  context.addIssue({
    code: 'custom',
    message: `a quantity is lower case with "_", at most ${nameLengthMax} letters: "water_level"`,
  })
})

export const qualities = ['GOOD', 'SUSPECT', 'BAD', 'MISSING', 'ESTIMATED'] as const
export const statuses = ['ACTUAL', 'EXERCISE', 'SYSTEM', 'TEST', 'DRAFT'] as const
export const aggregations = ['INSTANT', 'MEAN', 'MINIMUM', 'MAXIMUM', 'TOTAL', 'COUNT', 'ACCUMULATED'] as const

const wordOrExpression = (allowed: readonly string[]) =>
  textOrExpression.superRefine((text, context) => {
    if (text.startsWith('=') || allowed.includes(text)) return
    context.addIssue({ code: 'custom', message: `"${text}" is none of ${allowed.join(', ')}` })
  })

/** JSONata makes no difference between one element and an array of one, so the two cannot be told apart by the value. */
const eachOrEntries = (one: { each?: string | undefined; entries?: string | undefined }): boolean =>
  one.each === undefined || one.entries === undefined
const notBoth = 'each (of an array) and entries (of an object) exclude one another'

const measurement = keys({
  quantity,
  value: expressionText,
  unit: unit.optional(),
  channel: textOrExpression.optional(),
  quality: wordOrExpression(qualities).optional(),
  aggregation: z.enum(aggregations).optional(),
  /** What to make of the value; left out: as JSON has it. */
  as: z.enum(['number', 'integer', 'flag', 'text']).optional(),
  /** Values by which the device says that it has none, such as −999. */
  missing: z
    .array(z.union([z.number(), z.string()]))
    .max(20)
    .optional(),
  /** A message without it is refused; otherwise it is left out. */
  required: z.boolean().optional(),
  /** One measurement for each element of an array; `$` and `$index` are the element's. */
  each: expressionText.optional(),
  /** One measurement for each entry of an object; `$` is its value, `$key` its name. */
  entries: expressionText.optional(),
}).refine(eachOrEntries, notBoth)

const time = keys({
  path: expressionText,
  format: z.string().superRefine((format, context) => {
    if ((timeFormats as readonly string[]).includes(format)) return
    const fault = format.includes('%') ? patternFault(format) : `did you mean "${nearest(format, timeFormats)}"?`
    if (fault) context.addIssue({ code: 'custom', message: `unknown time format "${format}"; ${fault}` })
  }),
  zone: z
    .string()
    .refine(isZone, { error: (issue) => `"${String(issue.input)}" is no time zone; they look like "Europe/Berlin"` })
    .optional(),
})

const position = keys({
  latitude: expressionText,
  longitude: expressionText,
  altitude_m: expressionText.optional(),
  horizontal_accuracy_m: expressionText.optional(),
  vertical_accuracy_m: expressionText.optional(),
  speed_mps: expressionText.optional(),
  course_deg: expressionText.optional(),
})

const deviceStatus = keys({
  online: expressionText.optional(),
  battery_fraction: expressionText.optional(),
  battery_v: expressionText.optional(),
  battery_low: expressionText.optional(),
  external_power: expressionText.optional(),
  charging: expressionText.optional(),
  rssi_dbm: expressionText.optional(),
  snr_db: expressionText.optional(),
  link_quality: expressionText.optional(),
  temperature_cel: expressionText.optional(),
  tamper: expressionText.optional(),
  uptime_s: expressionText.optional(),
  firmware: expressionText.optional(),
  hardware: expressionText.optional(),
  model: expressionText.optional(),
  display_name: expressionText.optional(),
})

const mapping = keys({
  /** Stands in errors and warnings. */
  name: z.string().min(1).max(64),
  /** MQTT topic filters; left out: every message of the input. */
  topics: z
    .array(z.string().min(1).refine(isFilter, 'no MQTT topic filter: "+" and "#" stand alone, "#" last'))
    .optional(),
  /** Only messages for which this is true. */
  when: expressionText.optional(),
  /** Left out: the gateway takes the device from the topic. */
  device: textOrExpression.optional(),
  subject: textOrExpression.optional(),
  time: time.optional(),
  /** Left out: the site's setting. */
  status: wordOrExpression(statuses).optional(),
  /** One event for each element of an array; `$` and `$index` are the element's, `$root` the message. */
  each: expressionText.optional(),
  /** One event for each entry of an object; `$` is its value, `$key` its name. */
  entries: expressionText.optional(),
  measurements: z.array(measurement).min(1).max(measurementsMax).optional(),
  position: position.optional(),
  device_status: deviceStatus.optional(),
  /** Facts that have no field, by their names. */
  attributes: z.record(z.string().min(1).max(128), expressionText).optional(),
})
  .refine(
    (one) => one.measurements !== undefined || one.position !== undefined || one.device_status !== undefined,
    'a mapping needs measurements, a position or a device_status',
  )
  .refine(eachOrEntries, notBoth)

export const jsonOptions = keys({
  /** The first one that fits a message is used. */
  mappings: z.array(mapping).min(1).max(mappingsMax),
  /** The time box of each JSONata expression. */
  jsonata: keys({
    depth_max: z.number().int().min(10).max(1_000).default(jsonataLimitsDefault.depthMax),
    time_ms_max: z.number().int().min(1).max(1_000).default(jsonataLimitsDefault.timeMsMax),
  }).optional(),
})

export type JsonOptions = z.infer<typeof jsonOptions>
export type Mapping = z.infer<typeof mapping>
export type MeasurementMapping = z.infer<typeof measurement>

function isFilter(filter: string): boolean {
  const levels = filter.split('/')
  return levels.every((level, at) =>
    level.includes('#') ? level === '#' && at === levels.length - 1 : !level.includes('+') || level === '+',
  )
}

/** One line for each fault: where, what, and what to do. */
export function faultsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) => {
    const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
    return `${place.replace(/^\./, '') || 'mappings'}: ${message}`
  })
}

/** Compiled once; the same text is the same expression. */
export function createCompiler(options: JsonOptions): (text: string) => Expression {
  const { depth_max: depthMax, time_ms_max: timeMsMax } = options.jsonata ?? {
    depth_max: jsonataLimitsDefault.depthMax,
    time_ms_max: jsonataLimitsDefault.timeMsMax,
  }
  const compiled = new Map<string, Expression>()
  return (text) => {
    const known = compiled.get(text)
    if (known) return known
    const expression = compileExpression(text, { depthMax, timeMsMax })
    if (!('evaluate' in expression)) throw new TypeError(`${expression.why} in ${JSON.stringify(text)}`)
    compiled.set(text, expression)
    return expression
  }
}
