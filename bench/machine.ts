// What the figures were taken on, in general words: cores, memory, load before, and the versions of the programs.

import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg, release, totalmem } from 'node:os'

import { debian } from '../tests/tools/debian.ts'
import { version } from '../gateway/version.ts'

export function machine(): string {
  const [oneMinute = 0] = loadavg()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const first = `${availableParallelism()} cores, ${memory}, Linux ${release().split('-')[0]}, load average before ${oneMinute.toFixed(1)}`
  return `${first}\nTocsin ${version}, Node.js ${process.version}, mosquitto ${mosquittoVersion()}, InfluxDB ${influxdbVersion()}`
}

function mosquittoVersion(): string {
  return /version (\S+)/.exec(output('mosquitto', ['-h']))?.[1] ?? 'unknown'
}

function influxdbVersion(): string {
  return /InfluxDB v?(\S+)/.exec(output('influxd', ['version']))?.[1] ?? 'unknown'
}

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(debian.programPath(program), args, {
      env: debian.environment(),
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } catch (error) {
    // `mosquitto -h` says its version and ends with an error.
    return String((error as { stdout?: unknown }).stdout ?? '')
  }
}
