// What a site may set of the InfluxDB output. The gateway's table of settings gives the keys, defaults and sentences.

import type { Included } from '../../policy/configured-view.ts'

export type InfluxdbVersion = 'v1' | 'v2' | 'v3'

export interface InfluxdbSettings {
  /** Scheme, host, port and, behind a proxy, a path; credentials stand below, never here. */
  readonly url: string
  /** `auto` asks the server at the first delivery. */
  readonly version: InfluxdbVersion | 'auto'
  /** For ACTUAL messages; in v2 the bucket, unless `bucket` is set. */
  readonly database: string
  /** For EXERCISE, TEST and SYSTEM messages, told apart by the tag `status`; never the same as `database`. */
  readonly exerciseDatabase: string
  /** v1 only; absent: the database's default. */
  readonly retentionPolicy?: string
  /** v2 only. */
  readonly org?: string
  readonly bucket?: string
  /** v2 and v3, and v1 in front of which a proxy checks tokens. */
  readonly token?: string
  readonly username?: string
  readonly password?: string
  /** PEM; trusted beside those of Node.js. */
  readonly authorities?: string
  /** An HTTP proxy by which it is asked; credentials may stand in it. */
  readonly proxy?: string
  readonly gzip: boolean
  /** From the first byte sent until the whole answer is here. */
  readonly timeoutMs: number
  /** Lines in one request, at most `batchRowsMax`. */
  readonly batchRows: number
  readonly include: readonly Included[]
  /** v1 only: make the databases when they are absent. */
  readonly manage: boolean
  /** With `manage`: how long the databases keep rows; absent: their retention policies are left alone. */
  readonly keepMs?: number
}

/** InfluxData's advice for all versions; more per request gains nothing and makes a retry dearer. */
export const batchRowsMax = 5_000
/** The same advice in bytes. */
export const batchBytesMax = 10 << 20
