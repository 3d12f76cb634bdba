// A real InfluxDB 1.6 on a free port of 127.0.0.1, and its own command-line client, so that what we wrote is read back by
// a program that is not ours. It can be stopped or killed and started again on the same port and folder.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startChild, type Child } from './child.ts'
import { debian } from './debian.ts'
import { freePort } from './free-port.ts'
import { run } from './run.ts'
import { tempFolder } from './temp-folder.ts'

export interface Influxdb extends Child {
  readonly url: string
  readonly port: number
  readonly dataDir: string
  /** Runs a statement by InfluxDB's own client. Times are nanoseconds; integers beyond 2^53 come as bigint. */
  query(sql: string, db?: string): Promise<readonly Series[]>
}

export interface Series {
  readonly name?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: readonly (readonly Value[])[]
}

export type Value = string | number | bigint | boolean | null

export interface InfluxdbOptions {
  /** As of an earlier run, to come back where its clients look for it. */
  readonly port?: number
  readonly dataDir?: string
  /** Lines added to the section [http], e.g. `auth-enabled = true`. */
  readonly http?: string
  /** Lines added to the section [data], e.g. `max-series-per-database = 10`. */
  readonly data?: string
  /** How often it looks for what is older than its policies keep; its own default is 30 minutes. */
  readonly retentionCheck?: string
}

const startTimeoutMs = 15_000
const startsMax = 3

export async function startInfluxdb(options: InfluxdbOptions = {}): Promise<Influxdb> {
  const dataDir = options.dataDir ?? tempFolder('influxdb')
  for (let start = 1; ; start++) {
    const port = options.port ?? (await freePort())
    const child = startChild(debian.programPath('influxd'), ['run', '-config', configFile(dataDir, port, options)], {
      env: debian.environment({ HOME: dataDir }),
      input: '',
    })
    try {
      // Written once it listens; an answer on the port alone could come from another process that has it.
      await child.waitFor(/Listening on HTTP/, startTimeoutMs)
      const url = `http://127.0.0.1:${port}`
      return Object.assign(child, { url, port, dataDir, query: (sql: string, db?: string) => query(port, sql, db) })
    } catch (error) {
      await child.kill()
      const taken = child.stderr.includes('address already in use')
      if (!taken || options.port !== undefined || start === startsMax) throw error
    }
  }
}

async function query(port: number, sql: string, db?: string): Promise<readonly Series[]> {
  const where = ['-host', '127.0.0.1', '-port', String(port), ...(db === undefined ? [] : ['-database', db])]
  const how = ['-format', 'json', '-precision', 'ns', '-execute', sql]
  const { code, stdout, stderr } = await run(debian.programPath('influx'), [...where, ...how], {
    env: debian.environment({ HOME: tempFolder('influx') }),
  })
  if (code !== 0) throw new Error(`influx: ${stderr}${stdout}`)
  if (stdout.trim() === '') return []
  const answer = JSON.parse(stdout, exactNumber) as { results: { series?: Series[]; error?: string }[] }
  const error = answer.results.find((result) => result.error !== undefined)?.error
  if (error !== undefined) throw new Error(`influx: ${error}`)
  return answer.results.flatMap((result) => result.series ?? [])
}

function exactNumber(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isWhole = typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source)
  return isWhole && !Number.isSafeInteger(value) ? BigInt(source) : value
}

function configFile(
  dataDir: string,
  port: number,
  { http = '', data = '', retentionCheck = '30m' }: InfluxdbOptions,
): string {
  const path = join(dataDir, 'influxdb.conf')
  const config = `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "${dataDir}/meta"
[data]
dir = "${dataDir}/data"
wal-dir = "${dataDir}/wal"
index-version = "tsi1"
query-log-enabled = false
${data}
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
${http}
[monitor]
store-enabled = false
[subscriber]
enabled = false
[continuous_queries]
enabled = false
[retention]
check-interval = "${retentionCheck}"
`
  writeFileSync(path, config)
  return path
}
