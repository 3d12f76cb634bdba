// A disk that fills up under load: nothing acknowledged is lost, the publisher knows within a second, and when there is room again
// the gateway goes on by itself. The disk is a small tmpfs in a mount namespace of the gateway's own.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { canMountSmallDisks, mountSmallDisk } from './faults/small-disk.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { createPublisher } from './gateway/publisher.ts'
import { listAll, numbersOf } from './gateway/reader.ts'
import { tempFolder } from './tools/temp-folder.ts'

const canMount = await canMountSmallDisks()
const why = canMount ? '' : ' (left out: this machine lets no user mount a tmpfs of its own)'

test.skipIf(!canMount)(
  `disk full: 0 acknowledged lost, and it goes on when there is room${why}`,
  { timeout: 120_000 },
  async () => {
    const dataDir = join(tempFolder('full'), 'disk')
    mkdirSync(dataDir)
    await using disk = await mountSmallDisk(dataDir, 24)
    const gateway = await startGatewayProcess({
      dataDir,
      prefix: disk.prefix,
      settings: { LOG_SEGMENT_BYTES: '1MiB' },
    })
    const publisher = createPublisher({ port: gateway.mqttPort, clientId: 'device', window: 20, payload: padded })
    const running = publisher.run()
    await until(() => publisher.acknowledged.size > 500)

    disk.fill()
    // What fits into blocks that are there already may still be acknowledged; then the device is told by being cut off.
    let silentSince = performance.now()
    let last = publisher.acknowledged.size
    for (let i = 0; i < 1_000 && publisher.disconnects === 0; i++) {
      if (publisher.acknowledged.size > last) [last, silentSince] = [publisher.acknowledged.size, performance.now()]
      await sleep(5)
    }
    const toldAfterMs = performance.now() - silentSince
    expect(publisher.disconnects).toBeGreaterThan(0)
    // A second, and what a loaded machine takes to notice it.
    expect(toldAfterMs).toBeLessThan(1_500)
    const ready = await fetch(`${gateway.http}/readyz`)
    expect(ready.status, 'readyz while full').toBe(503)
    expect(await ready.text()).toMatch(/disk/i)

    disk.makeRoom()
    await until(() => publisher.acknowledged.size > last + 500)
    await publisher.finish()
    await running
    const stored = numbersOf(await listAll(gateway.grpc, { kinds: [1] })).get('device') ?? []
    await gateway.stop()
    const unique = new Set(stored)
    expect(
      [...publisher.acknowledged].filter((n) => !unique.has(n)),
      'acknowledged and missing',
    ).toEqual([])
    expect(stored.length - unique.size, 'doubled').toBe(0)
    process.stdout.write(
      `disk full: ${publisher.acknowledged.size} acknowledged, 0 missing, 0 doubled; told after ${toldAfterMs.toFixed(0)} ms\n`,
    )
  },
)

/** Half a kilobyte, so that a small disk is full soon. */
const padded = (n: number): string => `[{"n":"count","u":"count","v":${n}},{"n":"note","vs":"${'x'.repeat(500)}"}]`

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await sleep(50)
  expect(holds()).toBe(true)
}
