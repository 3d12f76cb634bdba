// grpc.health.v1: what load balancers and supervisors ask. It says whether the gateway takes and gives, and nothing else, so
// `Check` is open to all who get past TLS.

import protobuf from 'protobufjs/light.js'
import { GatewayError } from '../../proto/errors.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import { healthFile, rootJson } from './public-services.ts'
import type { Registrar, WritableCall } from './registrar.ts'

const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const
type ServingStatus = (typeof servingStatus)[keyof typeof servingStatus]
type HealthRequest = { service?: string }

/** The empty name stands for the server as a whole. */
const known = new Set(['', 'tocsin.v1.EventService', 'tocsin.v1.AdminService'])
/** A change is told within this. */
const watchMs = 500
const watchersMax = 100

export interface HealthService {
  start(): void
  close(): void
}

export function addHealthService(registrar: Registrar, { ready }: { ready(): boolean }): HealthService {
  const service = serviceDefinition('grpc.health.v1.Health', protobuf.Root.fromJSON(rootJson(healthFile)).resolveAll())
  const watchers = new Map<WritableCall<HealthRequest>, ServingStatus>()
  let timer: NodeJS.Timeout | undefined
  let isClosing = false

  function statusOf(name = ''): ServingStatus {
    if (!known.has(name)) return servingStatus.serviceUnknown
    return ready() && !isClosing ? servingStatus.serving : servingStatus.notServing
  }

  function tell(): void {
    for (const [call, told] of watchers) {
      const status = statusOf(call.request.service)
      if (status === told) continue
      watchers.set(call, status)
      call.write({ status })
    }
  }

  registrar.openUnary<HealthRequest>([service, 'Check'], (request) => {
    const status = statusOf(request.service)
    if (status !== servingStatus.serviceUnknown) return { status }
    throw new GatewayError('not_found', 'No such service is here: leave `service` empty to ask for the gateway.')
  })
  registrar.serverStream<HealthRequest>([service, 'Watch'], (call) => {
    if (watchers.size >= watchersMax) throw new GatewayError('overloaded', 'Too many watch already: use Check.')
    const status = statusOf(call.request.service)
    watchers.set(call, status)
    call.write({ status })
    call.on('close', () => watchers.delete(call)).on('cancelled', () => watchers.delete(call))
  })

  return {
    start() {
      timer = setInterval(tell, watchMs)
    },
    close() {
      clearInterval(timer)
      isClosing = true
      tell()
      for (const call of watchers.keys()) call.end()
    },
  }
}
