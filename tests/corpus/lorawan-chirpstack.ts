// Uplinks of ChirpStack from ThingsBoard's data converters: payload*.json as the server sent it, result*.json with what ThingsBoard makes
// of it, and thirty of them in protobuf. ThingsBoard reads the raw bytes with a codec for each device; what only such a codec can tell
// is counted apart, and the rest (device, time, names, frame, radio) is compared value by value.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Decoded, Frame } from '../../adapters/adapter.ts'
import { chirpstack as adapter } from '../../adapters/chirpstack/codec.ts'
import type { DeviceStatus, Event } from '../../proto/generated/types.ts'
import { parseRfc3339, timestampNs } from '../../proto/time.ts'
import { readableOutcome } from '../adapters/readable.ts'
import { type CorpusReader, type FormatReport, count, createReport } from './report.ts'

export const lorawanChirpstack: CorpusReader = { format: 'lorawan-chirpstack', read }

interface Apart {
  values: number
  samples: number
  unkept: number
}

const receivedAt = 1_750_000_000_000_000_000n

function read(folder: string): FormatReport {
  const report = createReport('lorawan-chirpstack')
  const home = join(folder, 'thingsboard__data-converters')
  const apart: Apart = { values: 0, samples: 0, unkept: 0 }
  for (const file of globSync('VENDORS/*/*/ChirpStack/**/payload*.json', { cwd: home }).toSorted()) {
    readUplink(report, home, file, apart)
  }
  const twins = join(home, 'protobuf_uplinks.json')
  if (existsSync(twins)) readTwins(report, JSON.parse(readFileSync(twins, 'utf8')) as Twin[])
  report.notes.push(
    `${apart.values} expected values in ${apart.samples} samples come of the raw bytes by a device's codec, and are not compared`,
    `${apart.unkept} expected values (bandwidth, code rate, empty tags) have no place in the event; they stay in the frame`,
    'every sample was heard by one gateway, so that the strongest of several is shown by fixtures only',
  )
  return report
}

interface Uplink {
  readonly data?: string
  readonly devEUI?: string
  readonly deviceInfo?: { readonly devEui: string }
}
interface Telemetry {
  readonly ts?: string | number
  readonly values: Readonly<Record<string, unknown>>
}
interface Expected {
  readonly deviceName: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly telemetry: Telemetry | readonly Telemetry[]
}

function decode(frame: Pick<Frame, 'bytes' | 'channel'>): Decoded {
  return adapter.decoder!(undefined).decode({ ...frame, receivedAt })
}

function readUplink(report: FormatReport, home: string, file: string, apart: Apart): void {
  const bytes = Uint8Array.from(readFileSync(join(home, file)))
  const uplink = JSON.parse(Buffer.from(bytes).toString()) as Uplink
  const eui = uplink.deviceInfo?.devEui ?? Buffer.from(uplink.devEUI ?? '', 'base64').toString('hex')
  const decoded = decode({ bytes, channel: `application/corpus/device/${eui}/event/up` })
  count(report, decoded)
  if (decoded.outcome !== 'events') {
    report.refusals.push({ file, what: `${decoded.outcome}: ${decoded.why}` })
    return
  }
  const result = JSON.parse(readFileSync(join(home, file.replace('payload', 'result')), 'utf8')) as Expected
  const list = Array.isArray(result.telemetry) ? (result.telemetry as Telemetry[]) : [result.telemetry as Telemetry]
  const facts = factsOf(decoded.events)
  const wrong = rawBytesFault(decoded.events, uplink)
  let [decodedValues, values] = [0, 0]
  const compare = (scope: Facts, name: string, expected: unknown): void => {
    const ours = Object.hasOwn(scope, name) ? scope[name] : undefined
    if (unkept.has(name)) apart.unkept++
    else if (!ours) decodedValues++
    else {
      values++
      if (!isSame(ours(), expected)) wrong.push(`${name} is ${String(ours())}, expected ${String(expected)}`)
    }
  }
  for (const [name, expected] of Object.entries(result.attributes)) compare(facts.attributes, name, expected)
  for (const [at, { ts, values: telemetry }] of list.entries()) {
    // A second entry has a time that the device wrote into its bytes.
    if (ts !== undefined) compare(at === 0 ? facts.telemetry : {}, 'ts', ts)
    for (const [name, expected] of Object.entries(telemetry)) compare(facts.telemetry, name, expected)
  }
  if (namesOf(decoded.events).includes(result.deviceName)) values++
  else decodedValues++
  apart.values += decodedValues
  if (decodedValues > 0) apart.samples++
  settle(report, file, values, wrong)
}

const unkept: ReadonlySet<string> = new Set(['bandwidth', 'codeRate', 'tags'])

function settle(report: FormatReport, file: string, values: number, wrong: readonly string[]): void {
  report.expected++
  report.values += values
  if (wrong.length === 0) report.agree++
  else report.disagreements.push({ file, what: wrong.join('; ') })
}

type Facts = Readonly<Record<string, () => unknown>>

/** Under the names of ThingsBoard's converters, of which each vendor has its own; `frequency` in telemetry is a sensor's. */
function factsOf(events: readonly Event[]): { attributes: Facts; telemetry: Facts } {
  const [first] = events
  const attribute = (name: string) => (): string => first?.attributes?.find((one) => one.name === name)?.value ?? ''
  const status = statusOf(events)
  const best = status.receptions?.[0]
  const eui = (): unknown => first?.origin?.device
  return {
    attributes: {
      eui,
      devEui: eui,
      lora_dev_eui: eui,
      devAddr: attribute('dev_addr'),
      fPort: attribute('f_port'),
      deviceClassEnabled: () => attribute('device_class_enabled')() || 'CLASS_A',
      applicationId: attribute('application_id'),
      applicationName: attribute('application_name'),
      tenantId: attribute('tenant_id'),
      tenantName: attribute('tenant_name'),
      deviceProfileId: attribute('device_profile_id'),
      deviceProfileName: attribute('device_profile_name'),
      frequency: () => best?.frequencyHz,
      spreadingFactor: () => best?.spreadingFactor,
    },
    telemetry: {
      ts: () => timestampNs(first?.observedAt),
      fPort: attribute('f_port'),
      fCnt: attribute('f_cnt'),
      dr: attribute('dr'),
      confirmed: () => attribute('confirmed')() || 'false',
      lora_frame_port: attribute('f_port'),
      lora_frame_counter: attribute('f_cnt'),
      lora_frequency: () => best?.frequencyHz,
      lora_spreading_factor: () => best?.spreadingFactor,
      lora_rssi: () => status.rssiDbm,
      lora_snr: () => status.snrDb,
    },
  }
}

const statusOf = (events: readonly Event[]): DeviceStatus => {
  const found = events.find((event) => event.body === 'deviceStatus')
  return found?.body === 'deviceStatus' ? found.deviceStatus : {}
}

/** Texts without regard to case, numbers as numbers; times in milliseconds, or as RFC 3339. */
function isSame(ours: unknown, expected: unknown): boolean {
  if (typeof ours === 'bigint') {
    return typeof expected === 'number'
      ? ours / 1_000_000n === BigInt(expected)
      : ours === parseRfc3339(String(expected))
  }
  return String(ours).toLowerCase() === String(expected).toLowerCase()
}

/** ThingsBoard's device is the server's, with or without the EUI; Decentlab's is a number out of the payload. */
function namesOf(events: readonly Event[]): string[] {
  const name = statusOf(events).displayName ?? ''
  return [name, `${name} ${events[0]?.origin?.device ?? ''}`]
}

/** Without a decoded object the bytes must be there, whole. */
function rawBytesFault(events: readonly Event[], { data = '' }: Uplink): string[] {
  const [first] = events
  const [measurement] = (first?.body === 'observation' ? first.observation.measurements : undefined) ?? []
  if (measurement?.quantity !== 'payload') return []
  // One sample writes its base64 without padding.
  const isWhole = measurement.value === 'blob' && Buffer.from(data, 'base64').equals(measurement.blob)
  return isWhole ? [] : ['the payload is not the bytes of `data`']
}

interface Twin {
  readonly id: string
  readonly topic: string
  readonly bytes_b64: string
  readonly expected: unknown
}

/** The events of the bytes must be those of the JSON that they were made from. */
function readTwins(report: FormatReport, twins: readonly Twin[]): void {
  for (const { id, topic, bytes_b64: base64, expected } of twins) {
    const file = `protobuf_uplinks.json ${id}`
    const ours = decode({ bytes: Uint8Array.from(Buffer.from(base64, 'base64')), channel: topic })
    const theirs = decode({ bytes: Uint8Array.from(Buffer.from(JSON.stringify(expected))), channel: topic })
    count(report, ours)
    if (ours.outcome !== 'events') report.refusals.push({ file, what: `${ours.outcome}: ${ours.why}` })
    const isEqual = isDeepStrictEqual(readableOutcome(ours), readableOutcome(theirs))
    settle(report, file, 1, isEqual ? [] : ['protobuf and JSON give other events'])
  }
}
