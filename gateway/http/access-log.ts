// Who asked for what, and what was answered: a line for each request at level debug, and counters. Paths are those of the table of
// routes, never what a client wrote, so that nobody can grow the counters or write into the log.

import type { FastifyInstance } from 'fastify'
import type { Logger } from '../logger.ts'
import type { Family } from './metrics.ts'

export function addAccessLog(server: FastifyInstance, logger: Logger): Family {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>()

  // Streams are told of when they end.
  server.addHook('onResponse', async (request, reply) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    const status = String(reply.statusCode)
    const key = `${method} ${route} ${status}`
    const known = counts.get(key)
    if (known) known.value += 1
    else counts.set(key, { labels: { method, route, status }, value: 1 })
    const ms = Math.round(reply.elapsedTime)
    logger.debug({ request: request.id, from: request.socket.remoteAddress, method, route, status, ms }, 'http request')
  })

  return {
    name: 'tocsin_http_requests_total',
    kind: 'counter',
    help: 'Requests answered, by method, route and status.',
    read: () => counts.values(),
  }
}
