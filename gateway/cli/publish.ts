// Publishes a message over MQTT, or events over gRPC, and says what became of it. Secrets come from the environment only, where other
// users of the machine do not see them: MQTT_USERNAME and MQTT_PASSWORD.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'
import { connect as connectMqtt, type IClientOptions, type MqttClient } from 'mqtt'
import { Fate } from '../../proto/generated/types.ts'
import type { FrameFate } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { readSettings } from '../settings.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { printFate } from './fate-text.ts'
import { publishEvents } from './publish-events.ts'
import { safe, type Terminal } from './terminal.ts'
import { spanText } from './time.ts'

export const publish: Command = {
  name: 'publish',
  usage: '--topic TOPIC [--message TEXT | --file FILE] | --events FILE',
  about: 'Sends a message, or events, and says what became of them.',
  options: {
    topic: { value: 'TOPIC', about: 'The MQTT topic.' },
    message: { value: 'TEXT', about: 'What to send; without --message and --file it is read from standard input.' },
    file: { value: 'FILE', about: 'Sends what is in this file, byte for byte.' },
    qos: {
      value: '0|1|2',
      of: () => ['0', '1', '2'],
      about: 'MQTT quality of service; default 1: sent until it is acknowledged.',
    },
    retain: { about: 'New subscribers are given it too.' },
    mqtt: { value: 'URL', about: 'The broker; default: mqtt.listen of the settings here, or mqtt://127.0.0.1:1883.' },
    events: {
      value: 'FILE',
      about:
        'Sends events over gRPC instead: JSON lines or a list, as `tocsin watch --json` writes them; - for standard input.',
    },
    ...connectionOptions,
  },
  wordsMax: 0,
  examples: [
    [`tocsin publish --topic tocsin/in/senml/gauge-7 --message '[{"n":"water-level","u":"m","v":2.31}]'`, 'A reading.'],
    ['tocsin publish --events drill.json', 'Events of our own schema, in batches.'],
  ],
  run(given, terminal) {
    const events = given.text('events')
    if (events !== undefined) return publishEvents(events, given, terminal)
    return publishMessage(given, terminal)
  },
}

const brokerDefault = 'mqtt://127.0.0.1:1883'
/** The gateway acknowledges when the message is on its disk; what takes longer is in trouble. */
const answerTimeoutMs = 10_000
/** As MQTT allows at most, nearly; the broker's own limit is lower. */
const messageBytesMax = 16 << 20
/** A message of QoS 0 is settled a little after it was sent. */
const fateTimeoutMs = 3_000
const fatePollMs = 50

async function publishMessage(given: Given, terminal: Terminal): Promise<number> {
  const topic = given.text('topic')
  if (topic === undefined || topic === '') throw new UsageError('--topic TOPIC is needed')
  if (/[+#\0]/.test(topic)) throw new UsageError('a topic to send to holds no + and no #')
  const qos = (wholeNumber(given, 'qos', 0, 2) ?? 1) as 0 | 1 | 2
  const payload = await payloadOf(given, terminal)
  const url = brokerUrl(given)
  const clientId = `tocsin-publish-${randomBytes(6).toString('hex')}`
  const username = process.env['MQTT_USERNAME']
  const client = await open(url, { clientId, ...keysOf(given), ...secretOf(username) })
  const startedMs = performance.now()
  try {
    await send(client, url, topic, payload, { qos, retain: given.flag('retain') })
  } finally {
    await client.endAsync(false).catch(() => undefined)
  }
  const took = spanText(performance.now() - startedMs)
  const said = qos === 0 ? 'sent; QoS 0 is never acknowledged' : `acknowledged after ${took}`
  terminal.print(`${payload.length} bytes on ${safe(topic)}: ${said}`)
  return tellFate(given, terminal, topic, `mqtt:${username ?? clientId}`)
}

async function payloadOf(given: Given, { tell }: Terminal): Promise<Buffer> {
  const [message, file] = [given.text('message'), given.text('file')]
  if (message !== undefined && file !== undefined) throw new UsageError('--message or --file, not both')
  if (message !== undefined) return Buffer.from(message)
  if (file === undefined && process.stdin.isTTY) tell('reads the message from the keyboard; Ctrl-D ends it')
  const payload = file === undefined ? await buffer(process.stdin) : readFileSync(file)
  if (payload.length <= messageBytesMax) return payload
  throw new UsageError(`a message may have ${messageBytesMax} bytes; this one has ${payload.length}`)
}

function brokerUrl(given: Given): string {
  const url = given.text('mqtt') ?? brokerOfSettings()
  if (/^(mqtts?|wss?):\/\/[^\s@]+$/.test(url)) return url
  const secrets = url.includes('@') ? '; name and secret go into MQTT_USERNAME and MQTT_PASSWORD' : ''
  throw new UsageError(`--mqtt must be a URL such as ${brokerDefault}${secrets}`)
}

function brokerOfSettings(): string {
  try {
    const environment = process.env
    const doors = readSettings({ file: environment['TOCSIN_SETTINGS'], environment })['mqtt.listen']
    const door = doors.find((each) => each.startsWith('mqtt://')) ?? doors[0] ?? brokerDefault
    return door.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//127.0.0.1')
  } catch {
    return brokerDefault
  }
}

function keysOf(given: Given): IClientOptions {
  const [ca, cert, key] = [given.text('ca'), given.text('cert'), given.text('key')]
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  }
}

function secretOf(username: string | undefined): IClientOptions {
  const password = process.env['MQTT_PASSWORD']
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}

/** Resolves when the broker has let us in. One attempt: a person waits. */
function open(url: string, options: IClientOptions): Promise<MqttClient> {
  const client = connectMqtt(url, {
    ...options,
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: answerTimeoutMs,
  })
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      client.end(true)
      reject(new GatewayError('peer_unreachable', connectTrouble(error, url), { cause: error }))
    }
    client.once('error', refuse)
    client.once('close', () => refuse(new Error('the connection was closed')))
    client.once('connect', () => {
      client.removeAllListeners('close')
      client.off('error', refuse)
      // What goes wrong later is told by the publish that it fails.
      client.on('error', () => undefined)
      resolve(client)
    })
  })
}

function connectTrouble(error: Error, url: string): string {
  const where = url.replace(/^\w+:\/\//, '')
  const code = 'code' in error ? error.code : undefined
  if (code === 'ECONNREFUSED')
    return `nothing listens on ${where}; start the gateway with npm start, or name it with --mqtt URL`
  // MQTT 5.0 §3.2.2.2: bad user name or password; not authorized.
  if (code === 134 || code === 135) return `${where} does not let us in; set MQTT_USERNAME and MQTT_PASSWORD`
  return `${where} cannot be reached: ${error.message || String(code)}`
}

async function send(
  client: MqttClient,
  url: string,
  topic: string,
  payload: Buffer,
  options: { qos: 0 | 1 | 2; retain: boolean },
): Promise<void> {
  const where = url.replace(/^\w+:\/\//, '')
  const late = sleep(answerTimeoutMs, 'late' as const, { ref: false })
  const closed = new Promise<'closed'>((resolve) => client.once('close', () => resolve('closed')))
  const outcome = await Promise.race([client.publishAsync(topic, payload, options), late, closed]).catch(
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
  const trouble =
    outcome === 'late'
      ? `${where} has not acknowledged the message in ${answerTimeoutMs / 1_000} s: it is not stored; send it again`
      : outcome === 'closed'
        ? `${where} broke off before it acknowledged the message: it may not be stored; send it again`
        : outcome instanceof Error
          ? `${where} does not take the message: ${outcome.message}`
          : undefined
  if (trouble) throw new GatewayError('peer_refused', trouble)
}

async function tellFate(given: Given, terminal: Terminal, topic: string, sender: string): Promise<number> {
  const connection = connect(given)
  try {
    const until = performance.now() + fateTimeoutMs
    do {
      const { fates = [] } = await connection.call('EventService/GetFate', { of: 'channel', channel: topic, limit: 20 })
      const ours = fates.find((fate: FrameFate) => fate.sender === sender)
      if (ours && ours.fate !== Fate.PENDING) {
        printFate(ours, terminal)
        return ours.fate === Fate.REFUSED || ours.fate === Fate.NOT_TAKEN ? 1 : 0
      }
      await sleep(fatePollMs)
    } while (performance.now() < until)
    terminal.tell('the gateway does not know of it, or does not tell us')
    return 0
  } catch (error) {
    terminal.tell(`what became of it cannot be asked: ${error instanceof Error ? error.message : String(error)}`)
    return 0
  } finally {
    connection.close()
  }
}
