// Reads mosquitto's packet sequences (test/broker/data/*.json of its source): groups of cases, each a list of packets to send and
// to expect. The data is mosquitto's and not part of this project; a file that is not of this form is named, with the case.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export type Version = 3 | 4 | 5

export interface Sequence {
  /** Group and name: also the client identifier under which it is played. */
  readonly name: string
  readonly file: string
  readonly version: Version
  /** Begins with a CONNECT and CONNACK that are not among its steps. */
  readonly connects: boolean
  /** The broker is to close the connection in the end; otherwise it is to answer a PINGREQ. */
  readonly endsClosed: boolean
  readonly steps: readonly Step[]
}

export type Step =
  | { readonly does: 'send' | 'receive'; readonly bytes: Buffer; readonly about: string }
  | { readonly does: 'subscribe' | 'unsubscribe'; readonly topic: string; readonly qos: 0 | 1 | 2 }
  | {
      /** By another client, which waits until it is acknowledged. */
      readonly does: 'publish'
      readonly topic: string
      readonly qos: 0 | 1 | 2
      readonly retain: boolean
      readonly payload: string
    }

const about = z.string().default('')
const qos = z.union([z.literal(0), z.literal(1), z.literal(2)])
const topic = z.string()
const message = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['send', 'recv']), payload: z.string(), comment: about }),
  // `publish` is what releases before 2.1 call it.
  z.object({
    type: z.enum(['external_publish', 'publish']),
    topic,
    qos,
    payload: z.string(),
    retain: z.boolean().default(false),
  }),
  z.object({ type: z.enum(['subscribe', 'unsubscribe']), topic, qos: qos.default(0) }),
])
const own = {
  ver: z.union([z.literal(3), z.literal(4), z.literal(5)]).optional(),
  connect: z.boolean().optional(),
  expect_disconnect: z.boolean().optional(),
}
const test = z.object({ ...own, name: z.string(), msgs: z.array(message) })
const group = z.object({ ...own, group: z.string(), disable: z.boolean().default(false), tests: z.array(test) })
type Group = z.infer<typeof group>

const dataFolder = 'test/broker/data'

/** In the order in which mosquitto plays them. `folder` is a copy of mosquitto's source, or of its data folder alone. */
export function readSequences(folder: string): Sequence[] {
  const within = join(folder, dataFolder)
  const data = existsSync(within) ? within : folder
  const files = globSync('*.json', { cwd: data }).toSorted()
  if (files.length === 0) throw new Error(`no packet sequences in ${folder}: neither ${dataFolder}/*.json nor *.json`)
  return files.flatMap((file) => readFile(join(data, file), file))
}

function readFile(path: string, file: string): Sequence[] {
  const read = z.array(group).safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (!read.success) throw new Error(`${file} is not of the form of packet sequences: ${z.prettifyError(read.error)}`)
  return read.data.filter(({ disable }) => !disable).flatMap((each) => sequencesOf(each, file))
}

function sequencesOf(whole: Group, file: string): Sequence[] {
  return whole.tests.map((each) => {
    const name = `${whole.group} ${each.name}`
    return {
      name,
      file,
      version: each.ver ?? whole.ver ?? 4,
      connects: each.connect ?? whole.connect ?? true,
      endsClosed: each.expect_disconnect ?? whole.expect_disconnect ?? true,
      steps: each.msgs.map((step) => stepOf(step, name)),
    }
  })
}

function stepOf(given: z.infer<typeof message>, name: string): Step {
  switch (given.type) {
    case 'send':
    case 'recv':
      return {
        does: given.type === 'send' ? 'send' : 'receive',
        bytes: packetBytes(given.payload, name),
        about: given.comment,
      }
    case 'subscribe':
    case 'unsubscribe':
      return { does: given.type, topic: given.topic, qos: given.qos }
    default:
      return {
        does: 'publish',
        topic: given.topic,
        qos: given.qos,
        retain: given.retain,
        payload: given.payload,
      }
  }
}

// 82 r6 m1234 s1 'p' 01
// │  │  │     │  │   └ hexadecimal, any number of bytes
// │  │  │     │  └ text
// │  │  │     └ 16 bit: H, or k, m, s where it is a keep alive, a packet identifier, a length of text
// │  │  └ as s
// │  └ variable byte integer: v, or r where it is a remaining length; also ones that the standard does not allow
// └ hexadecimal                                                             i is 8 bit, L is 32 bit
export function packetBytes(text: string, name: string): Buffer {
  return Buffer.concat((text.match(/'.*?'(?=\s|$)|\S+/g) ?? []).map((word) => wordBytes(word, name)))
}

function wordBytes(word: string, name: string): Buffer {
  if (word.startsWith("'") && word.endsWith("'") && word.length > 1) return Buffer.from(word.slice(1, -1))
  if (/^([0-9a-f]{2})+$/i.test(word)) return Buffer.from(word, 'hex')
  const [, kind = '', digits = ''] = /^([iHkmsLvr])(\d+)$/.exec(word) ?? []
  const value = Number(digits)
  if (kind === 'v' || kind === 'r') return variableInteger(value)
  const size = kind === 'i' ? 1 : kind === 'L' ? 4 : 2
  if (kind === '' || value >= 2 ** (8 * size)) throw new Error(`${name}: "${word}" is no part of a packet`)
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}

function variableInteger(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}
