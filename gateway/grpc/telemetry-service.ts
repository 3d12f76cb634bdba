// TelemetryService: series of measured values, from the telemetry store. Who may not read an event sees no series made of it.

import type { ListSeriesRequest, QuerySeriesRequest } from '../../proto/generated/types.ts'
import { EventKind, Label } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import type { MayRead, TelemetryStore } from '../telemetry/store.ts'
import type { View } from './access.ts'
import type { Registrar } from './registrar.ts'

export function addTelemetryService(registrar: Registrar, { telemetry }: { telemetry?: TelemetryStore }): void {
  const service = serviceDefinition('tocsin.v1.TelemetryService')
  const store = (): TelemetryStore => storeSetUp(telemetry)

  registrar.unary<QuerySeriesRequest>([service, 'QuerySeries'], async (request, { view }) =>
    store().querySeriesBytes(request, mayReadOf(view)),
  )
  registrar.unary<ListSeriesRequest>([service, 'ListSeries'], async (request, { view }) =>
    store().listSeries(request, mayReadOf(view)),
  )
}

/** Throws GatewayError not_set_up where there is none. */
export function storeSetUp(telemetry: TelemetryStore | undefined): TelemetryStore {
  if (telemetry) return telemetry
  const text = 'This gateway has no telemetry store: set telemetry.store to auto and restart it.'
  throw new GatewayError('not_set_up', text)
}

/** Labelled values are in no store, so that a series is judged as an ordinary observation of its device. */
export function mayReadOf(view: View): MayRead {
  if (view.everything) return undefined
  return ({ device, subject, jurisdiction, owner, deviceClass, status }) =>
    view.mayRead({
      kind: EventKind.OBSERVATION,
      labels: 1 << Label.OPS,
      device,
      subject,
      jurisdiction,
      owner,
      adapter: deviceClass,
      messageStatus: status,
    })
}
