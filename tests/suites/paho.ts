// Runs the interoperability tests of eclipse/paho.mqtt.testing, unchanged, by Debian's Python. They are not part of this project.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

import { runPython } from '../tools/python.ts'
import type { Outcome } from './report.ts'

const script = join(import.meta.dirname, 'paho.py')
const files = { 4: 'client_test.py', 5: 'client_test5.py' } as const
// They sleep for minutes in all, and one of MQTT 5 hangs with many brokers.
const runMsMax = 900_000

const line = z.object({ name: z.string(), passed: z.boolean(), about: z.string() })

export interface PahoRun {
  /** A copy of eclipse/paho.mqtt.testing. */
  readonly folder: string
  readonly port: number
  /** 4, MQTT 3.1.1, when not given. */
  readonly version?: keyof typeof files
  /** A filter that this broker refuses. */
  readonly refusedFilter: string
  /** All when not given. */
  readonly tests?: readonly string[]
}

export async function runPaho({ folder, port, version = 4, refusedFilter, tests = [] }: PahoRun): Promise<Outcome[]> {
  const file = files[version]
  const within = join(folder, 'interoperability')
  const home = existsSync(within) ? within : folder
  if (!existsSync(join(home, file))) throw new Error(`no interoperability/${file} in ${folder}`)
  const args = [home, file, String(port), refusedFilter, ...tests]
  const { code, stdout, stderr } = await runPython(script, args, { timeoutMs: runMsMax })
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${stderr}`)
  return stdout
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => line.parse(JSON.parse(text)))
    .map(({ name, passed, about }) => ({
      name: version === 5 ? `MQTT 5 ${name}` : name,
      ...(passed ? undefined : { miss: about }),
    }))
}
