// The series that a gateway has, page by page, and what somebody meant who named one that it does not have.

import { GatewayError } from '../../proto/errors.ts'
import type { ListSeriesRequest, Series } from '../../proto/generated/types.ts'
import { nearest } from '../nearest.ts'
import type { Connection } from './connection.ts'
import { safe } from './terminal.ts'

/** More than a person reads, and than one query answers. */
export const seriesMax = 10_000
const pageSize = 1_000
const namedMax = 12

export async function listSeries(
  connection: Connection,
  request: ListSeriesRequest,
  most = seriesMax,
): Promise<{ readonly series: Series[]; readonly isAll: boolean }> {
  const series: Series[] = []
  let pageToken: Uint8Array = new Uint8Array()
  do {
    const page = await connection
      .call('TelemetryService/ListSeries', {
        ...request,
        pageSize: Math.min(pageSize, most - series.length),
        pageToken,
      })
      .catch((error: unknown) => Promise.reject(withSetting(error)))
    series.push(...(page.series ?? []))
    pageToken = page.nextPageToken ?? new Uint8Array()
  } while (pageToken.length > 0 && series.length < most)
  return { series, isAll: pageToken.length === 0 }
}

/** Where no store is set up: the lines to write. */
export function withSetting(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'not_set_up') return error
  const lines = [
    'this gateway keeps no series. Write into its settings file (tocsin.yaml), and restart it:',
    '  telemetry:',
    '    store: auto',
    'or start it with TOCSIN_TELEMETRY_STORE=auto. It then reads in what its log still has.',
  ]
  return new GatewayError('not_set_up', lines.join('\n'))
}

/** Why nothing is there, with the nearest known names. */
export async function unknownSeries(
  connection: Connection,
  quantity: string,
  devices: readonly string[],
): Promise<GatewayError> {
  const { series } = await listSeries(connection, devices.length > 0 ? { quantities: [quantity] } : {})
  if (devices.length > 0 && series.length > 0) {
    const of = devices.map((device) => safe(device, 60)).join(', ')
    return notFound(`no series of ${quantity} is of ${of}`, devices[0]!, [
      ...new Set(series.map(({ device }) => device ?? '')),
    ])
  }
  if (devices.length > 0) return unknownSeries(connection, quantity, [])
  if (series.length === 0)
    return new GatewayError('not_found', 'the store has no series yet; tocsin watch shows what comes in')
  const known = [...new Set(series.map((each) => each.quantity ?? ''))]
  return notFound(`no series has the quantity "${safe(quantity, 60)}"`, quantity.replaceAll(/[ -]/g, '_'), known)
}

function notFound(what: string, word: string, known: readonly string[]): GatewayError {
  const near = nearest(word, known)
  const more = known.length > namedMax ? `, and ${known.length - namedMax} more (tocsin series)` : ''
  const listed = known.slice(0, namedMax).map((name) => safe(name, 60))
  const hint = near === undefined ? `there are ${listed.join(', ')}${more}` : `did you mean ${safe(near, 60)}?`
  return new GatewayError('not_found', `${what}; ${hint}`)
}
