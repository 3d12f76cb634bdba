// A whole gateway behind sockets in memory: broker, pipeline, log and sessions as they are, the log on a disk that loses power, tears
// and fails, and a state.sqlite that after a crash holds what it held at that moment. It crashes when its power goes or when it is told
// to, and starts again on what was left.

import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createBroker, type Broker } from '../../broker/broker.ts'
import { createAlarms } from '../../gateway/alarms.ts'
import type { Clock } from '../../gateway/clock.ts'
import { createAccounting } from '../../gateway/accounting.ts'
import { createIds } from '../../gateway/ids.ts'
import { createDeviceNotices } from '../../gateway/inputs/device-notices.ts'
import { followFrames, frameMessages } from '../../gateway/inputs/mqtt-messages.ts'
import { mqttEvents, mqttInput } from '../../gateway/inputs/mqtt.ts'
import type { Log } from '../../gateway/log/log.ts'
import { openState, type State, stateFile } from '../../gateway/log/state.ts'
import { createSessionStore } from '../../gateway/mqtt-state/session-store.ts'
import { createPipeline } from '../../gateway/pipeline.ts'
import { createPermissions } from '../../gateway/policy/principals.ts'
import { createRegistry } from '../../gateway/policy/registry.ts'
import { readRoles } from '../../gateway/policy/roles.ts'
import { createRoutes } from '../../gateway/routes.ts'
import { configuredInputs } from '../../gateway/configured-inputs.ts'
import { readSettings } from '../../gateway/settings.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import type { Disk, DiskFile } from '../../gateway/log/disk.ts'
import { createFaultDisk, diskError, type FaultDisk, seededRandom } from './fault-disk.ts'
import { faultFolder, openOn } from './fault-log.ts'
import { createMemoryLink, type MemoryLink } from './memory-link.ts'

export interface GatewayFaults {
  /** After so many calls of the disk on average the power goes, and again after each start; 0: never. */
  readonly powerEach: number
  /** Share of the calls that change something on the disk which fail. */
  readonly diskErrors: number
}

export interface SimulatedGateway {
  /** Opens a connection; one that is over at once while the gateway is down. */
  dial(): Duplex
  /** As kill -9: what was not synced is there all the same. Resolves when the gateway runs again. */
  crash(): Promise<void>
  readonly powerLosses: number
  /** What cannot be: books that do not add up, an error inside. */
  readonly wrong: readonly string[]
  /** Faults begin; until then there are none. */
  storm(): void
  /** No more faults. */
  calm(): void
  stop(): Promise<void>
}

const settings = readSettings({ environment: {} })
const inputs = configuredInputs(settings)
const lookEveryMs = 2
const startedAt = 1_790_000_000_000_000_000n

interface Life {
  readonly log: Log
  readonly broker: Broker
  readonly state: State
  readonly accounting: ReturnType<typeof createAccounting>
  readonly links: Set<MemoryLink>
  /** From now on the disk answers this life no more, and other lives do not see what it does. */
  die(): void
}

export async function startSimulatedGateway(seed: number, faults: GatewayFaults): Promise<SimulatedGateway> {
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  disk.readsWithoutPower = true
  // As fast as the machine's: the log forgets what was sent again after seconds that pass for the clients too.
  const clock: Clock = { now: () => startedAt + process.hrtime.bigint(), monotonic: () => process.hrtime.bigint() }
  const dataDir = faultFolder()
  const ids = createIds((bytes) => bytes.forEach((_, i) => (bytes[i] = random() * 256)))
  const wrong: string[] = []
  let stateFolder = tempFolder('simulated')
  let powerLosses = 0
  let isCalm = true
  let life: Life | undefined
  let changing: Promise<void> | undefined

  async function open(): Promise<Life> {
    const state = openState({ dataDir: stateFolder })
    const mortal = mortalDisk(disk)
    const { log } = await openOn(mortal.disk, dataDir, clock, {}, state)
    const accounting = createAccounting()
    const error = (fields: object, message: string): void => void wrong.push(`${message} ${JSON.stringify(fields)}`)
    const quiet = (): void => {}
    // What cannot be stored is a warning, and is what this is about.
    const logger = { debug: quiet, info: quiet, warn: quiet, error }
    const routes = createRoutes(inputs)
    const { take } = createPipeline({
      routes,
      log,
      ids,
      clock,
      accounting,
      mayPublish: () => undefined,
      isKnown: (id) => log.findEvent(id) !== undefined,
      whyUnread: () => 'no adapter reads it',
      adapterFailed: (adapter, err) => error({ err }, adapter),
    })
    const published = frameMessages(log)
    const notices = createDeviceNotices({
      clock,
      publish: (message) => broker.publish(message),
      isWanted: () => false,
      whyUnread: () => '',
    })
    const broker: Broker = createBroker({
      listeners: [],
      ...mqttInput({
        permissions: createPermissions({
          settings,
          registry: createRegistry(state),
          roles: readRoles([]),
          labelsOf: () => 0,
          devices: { guardOf: () => undefined, strangerOf: () => undefined },
        }),
        take,
        clock,
        notices,
        ids,
        log,
        isWanted: (topic) => broker.isWanted(topic),
        whyUnread: () => 'no adapter reads it',
        routes,
      }),
      sources: [published],
      store: createSessionStore({ state }),
      limits: { unstoredCutMs: 20 },
      log: logger,
      clock,
      onEvent: mqttEvents(
        notices,
        logger,
        clock,
        createAlarms(clock, () => {}),
      ),
    })
    followFrames(log, published, broker)
    await broker.start()
    return { log, broker, state, accounting, links: new Set(), die: mortal.die }
  }

  function arm(): void {
    disk.losePowerAt =
      faults.powerEach > 0 && !isCalm ? disk.calls + Math.ceil(faults.powerEach * 2 * random()) : Infinity
    disk.fault = () => (!isCalm && random() < faults.diskErrors ? diskError('EIO') : undefined)
  }

  /** Again and again, since the power may go while it starts. */
  async function startUp(): Promise<void> {
    while (!life) {
      arm()
      try {
        life = await open()
      } catch (error) {
        const { code } = error as { code?: string }
        if (code !== 'EIO' && code !== 'log_failed') throw error
        if (disk.calls >= disk.losePowerAt) losePower()
      }
    }
  }

  function losePower(): void {
    powerLosses += 1
    disk.restart()
  }

  function fall(isPower: boolean): Promise<void> {
    return (changing ??= (async () => {
      const old = life!
      life = undefined
      for (const link of old.links) link.cut()
      const { received, pending, stored, duplicate, ignored, carried, refused, not_taken } = old.accounting.totals
      const settled = stored + duplicate + ignored + carried + refused + not_taken
      if (received !== settled + pending) wrong.push(`${received} received, ${settled} settled, ${pending} pending`)
      // The dead write no more, and the living begin with a copy of the state as it is now.
      old.die()
      stateFolder = copied(stateFolder)
      if (isPower) losePower()
      else disk.losePowerAt = Infinity
      await old.broker.close()
      await old.log.close().catch(() => {})
      old.state.close()
      await startUp()
      changing = undefined
    })())
  }

  await startUp()
  const watch = setInterval(() => {
    if (life && disk.calls >= disk.losePowerAt) void fall(true)
  }, lookEveryMs)

  return {
    get powerLosses() {
      return powerLosses
    },
    wrong,
    dial() {
      const link = createMemoryLink(random)
      if (!life) link.cut()
      else {
        const { links, broker } = life
        links.add(link)
        link.far.once('close', () => links.delete(link))
        broker.enter(link.far, { address: '127.0.0.1', listener: 'memory' })
      }
      return link.near
    },
    crash: () => fall(false),
    storm() {
      isCalm = false
      arm()
    },
    calm() {
      isCalm = true
      arm()
    },
    async stop() {
      clearInterval(watch)
      await changing
      await life?.broker.close()
      await life?.log.close()
      life?.state.close()
    },
  }
}

/** A process that has ended may still be in the middle of things here; its disk fails it from then on, but for reading. */
function mortalDisk(disk: FaultDisk): { readonly disk: Disk; die(): void } {
  let isDead = false
  const alive = (): void => {
    if (isDead) throw diskError('EIO')
  }
  const fileOf = (file: DiskFile): DiskFile => ({
    ...file,
    write: (source, position) => (alive(), file.write(source, position)),
    sync: async () => (alive(), file.sync()),
    syncNow: () => (alive(), file.syncNow()),
    truncate: (length) => (alive(), file.truncate(length)),
  })
  return {
    disk: {
      ...disk,
      makeFolder: (path) => (alive(), disk.makeFolder(path)),
      open(path, mode) {
        if (mode !== 'read') alive()
        return fileOf(disk.open(path, mode))
      },
      rename: (from, to) => (alive(), disk.rename(from, to)),
      unlink: (path) => (alive(), disk.unlink(path)),
      syncFolder: (path) => (alive(), disk.syncFolder(path)),
    },
    die: () => (isDead = true),
  }
}

/** The write-ahead file is part of it; nothing is written while this runs. */
function copied(folder: string): string {
  const copy = tempFolder('simulated')
  mkdirSync(copy, { recursive: true })
  for (const name of [stateFile, `${stateFile}-wal`]) {
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name))
  }
  return copy
}
