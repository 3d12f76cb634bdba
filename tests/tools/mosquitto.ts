// Mosquitto, a broker and clients that we did not write: the other end of every claim about MQTT. The broker listens on a
// free port of 127.0.0.1, keeps nothing, and lets everybody in unless the test's own lines say otherwise.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startChild, type Child } from './child.ts'
import { debian } from './debian.ts'
import { freePort } from './free-port.ts'
import { run, type Outcome, type RunOptions } from './run.ts'
import { tempFolder } from './temp-folder.ts'

export interface Mosquitto extends Child {
  readonly port: number
  readonly url: string
}

export interface MosquittoOptions {
  readonly port?: number
  /** Lines added to the configuration; those about a listener concern the one on `port`. */
  readonly config?: string
}

// A port that was free may be taken before the broker listens on it; that it happens thrice is not chance.
const startsMax = 3

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  for (let start = 1; ; start++) {
    const port = options.port ?? (await freePort())
    const child = startChild(debian.programPath('mosquitto'), ['-c', configFile(port, options.config ?? '')], {
      env: debian.environment(),
      input: '',
    })
    try {
      await child.waitFor(/mosquitto version \S+ running/)
      return Object.assign(child, { port, url: `mqtt://127.0.0.1:${port}` })
    } catch (error) {
      await child.kill()
      const taken = child.stderr.includes('Address already in use')
      if (!taken || options.port !== undefined || start === startsMax) throw error
    }
  }
}

/** Runs mosquitto_pub to its end, e.g. `['-p', String(port), '-t', 'a/b', '-q', '1', '-m', 'text']`, or `-s` with stdin. */
export function mosquittoPub(
  args: readonly string[],
  stdin: string | Uint8Array = '',
  options: RunOptions = {},
): Promise<Outcome> {
  return run(debian.programPath('mosquitto_pub'), [...localHost(args), ...args], {
    env: debian.environment(),
    input: stdin,
    ...options,
  })
}

/**
 * Starts mosquitto_sub. It is subscribed when it says so: give it `-d` and wait for 'Subscribed (mid'. With `-C n` it ends
 * after n messages, with `-W s` after s seconds.
 */
export function mosquittoSub(args: readonly string[]): Child {
  const command = [debian.programPath('mosquitto_sub'), ...localHost(args), ...args]
  // It writes its lines to a pipe only when they fill a block; stdbuf (coreutils) makes it write each one at once.
  return startChild('stdbuf', ['-oL', ...command], { env: debian.environment(), input: '' })
}

/**
 * Runs mosquitto_rr: it subscribes to `-e TOPIC`, publishes as mosquitto_pub does, and ends with the first message it is answered,
 * or after `-W s`.
 */
export function mosquittoRr(args: readonly string[]): Promise<Outcome> {
  return run(debian.programPath('mosquitto_rr'), [...localHost(args), ...args], {
    env: debian.environment(),
  })
}

function localHost(args: readonly string[]): readonly string[] {
  return args.includes('-h') || args.includes('-L') ? [] : ['-h', '127.0.0.1']
}

function configFile(port: number, lines: string): string {
  const path = join(tempFolder('mosquitto'), 'mosquitto.conf')
  // `user root` only tells it not to become the user 'mosquitto', who exists where the package is installed.
  const own = ['user root', 'persistence false', 'log_dest stderr', 'log_type all', `listener ${port} 127.0.0.1`]
  const open = /^\s*allow_anonymous\b/m.test(lines) ? [] : ['allow_anonymous true']
  writeFileSync(path, [...own, ...open, lines, ''].join('\n'))
  return path
}
