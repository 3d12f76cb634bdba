// Plays the story to a real gateway, by MQTT and HTTP as devices do, beside a dispatcher who watches by gRPC. Times of the story are
// mapped so that its hour ends now: nothing is measured in the future.

import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import type { Event, Frame } from '../proto/generated/types.ts'
import { safe, type Terminal } from '../gateway/cli/terminal.ts'
import { clockText, spanText } from '../gateway/cli/time.ts'
import { type Dispatcher, startDispatcher } from './dispatcher.ts'
import { type DemoGateway, startDemoGateway } from './gateway.ts'
import type { Said, TimeOf } from './said.ts'
import { county, story, storyMin } from './story.ts'
import { printSummary, silentDevices } from './summary.ts'

export interface DemoOptions {
  /** Minutes of the story for each minute at the terminal. */
  readonly speed: number
  /** The folder that stays; absent: nothing stays. */
  readonly keepIn?: string
  /** Ends the demonstration. */
  readonly signal: AbortSignal
}

export interface Played {
  readonly events: readonly Event[]
  readonly refusals: readonly Frame[]
  /** When the hour of the story ended. */
  readonly endedAt: Date
}

/** Answers what the dispatcher saw; undefined when it was ended before the end. */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<Played | undefined> {
  const { speed, keepIn, signal } = options
  const gateway = await startDemoGateway(county, keepIn)
  try {
    printStart(gateway, speed, terminal)
    const dispatcher = startDispatcher(gateway.grpc, terminal)
    const clients = new Map<string, MqttClient>()
    try {
      const startedMs = Date.now()
      const minuteMs = 60_000 / speed
      const endedAt = new Date(Math.round((startedMs + storyMin * minuteMs) / 1_000) * 1_000)
      const timeOf: TimeOf = (minute) => new Date(endedAt.getTime() - (storyMin - minute) * 60_000)
      const silenceTold = new Set<string>()
      for (const said of story) {
        await pause(startedMs + said.minute * minuteMs - Date.now(), signal)
        if (signal.aborted) return undefined
        await tellSilence(dispatcher, timeOf(said.minute), silenceTold, terminal)
        if (said.scene !== undefined) printScene(said.scene, timeOf(said.minute), terminal)
        await say(said, timeOf, clients, gateway)
      }
      await pause(endedAt.getTime() - Date.now(), signal)
      if (signal.aborted) return undefined
      await dispatcher.caughtUp()
      const played = { events: dispatcher.seen, refusals: await dispatcher.refusals(), endedAt }
      printSummary(played.events, played.refusals, endedAt, terminal)
      printNext(gateway, keepIn !== undefined, terminal)
      if (keepIn !== undefined) await aborted(signal)
      return played
    } finally {
      dispatcher.close()
      for (const client of clients.values()) await client.endAsync(true)
    }
  } finally {
    await gateway.stop()
  }
}

/** Resolves when the gateway has answered for it: a message is on disk then, or in quarantine. */
async function say(said: Said, timeOf: TimeOf, clients: Map<string, MqttClient>, { mqtt, http }: DemoGateway) {
  const { by, over, to, contentType = '' } = said
  const bytes = said.bytes(timeOf)
  if (over === 'http') {
    const answer = await fetch(`${http}${to}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: bytes,
    })
    if (!answer.ok) throw new Error(`POST ${to} was answered ${answer.status}: ${await answer.text()}`)
    return
  }
  const client = clients.get(by) ?? (await connectAsync(mqtt, { clientId: by, reconnectPeriod: 0 }))
  clients.set(by, client)
  await client.publishAsync(to, typeof bytes === 'string' ? bytes : Buffer.from(bytes), { qos: 1 })
}

function printStart({ mqtt, grpc, http, dataDir }: DemoGateway, speed: number, { print, paint }: Terminal): void {
  print(
    paint(
      'bold',
      `An hour of a flood in ${county}, in ${Math.round((storyMin / speed) * 60)} seconds. It is an exercise.`,
    ),
  )
  print(paint('dim', `MQTT ${mqtt}   gRPC ${grpc}   HTTP ${http}   data ${shortPath(dataDir)}`))
  print(paint('dim', `What a dispatcher sees; the same in another terminal: npx tocsin watch --server ${grpc}`))
}

function printScene(scene: string, time: Date, { print, paint }: Terminal): void {
  const at = clockText(BigInt(time.getTime()) * 1_000_000n).slice(0, 5)
  print(paint('italic', `── ${at}  ${scene}`))
}

/** Said once of each device, as soon as what the dispatcher was given shows it. */
async function tellSilence(dispatcher: Dispatcher, now: Date, told: Set<string>, terminal: Terminal): Promise<void> {
  await dispatcher.caughtUp()
  for (const { device, silentMs, usualMs } of silentDevices(dispatcher.seen, now)) {
    if (told.has(device)) continue
    told.add(device)
    printScene(
      `${safe(device)} has said nothing for ${spanText(silentMs)}; it used to every ${spanText(usualMs)}.`,
      now,
      terminal,
    )
  }
}

function printNext({ mqtt, grpc, http, dataDir }: DemoGateway, isKept: boolean, { print, paint }: Terminal): void {
  print(
    `\n${paint('bold', isKept ? 'The gateway still runs; look at it from another terminal:' : 'Where to look next')}`,
  )
  if (!isKept) {
    print('  npm run demo -- --keep          the same, and the gateway stays for you to ask')
    print('  npm start                       a gateway of your own; README.md says how to bring in a sensor')
    return
  }
  const port = new URL(mqtt).port
  print(`  npx tocsin status --server ${grpc}`)
  print(`  npx tocsin query water_level --status exercise --last 2h --plot --server ${grpc}`)
  print(`  npx tocsin events --kind alert --server ${grpc}`)
  print(`  npx tocsin refusals --raw --server ${grpc}`)
  print(`  npx tocsin fate --topic tocsin/in/senml/culvert-9 --server ${grpc}`)
  print(`  open ${http}/ in a browser, or curl '${http}/v1/events?kind=alert'`)
  print(`  mosquitto_pub -p ${port} -q 1 -t tocsin/in/senml/mine -m '[{"n":"water-level","u":"m","v":2.31}]'`)
  print(paint('dim', `Ctrl-C ends it; its data stay in ${shortPath(dataDir)}`))
}

/** As somebody in this folder would write it. */
function shortPath(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith('..') ? path : below
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(Math.max(ms, 0), undefined, { signal }).catch(() => undefined)

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())))
