// /v1/fates: what became of a message, and when.

import { GatewayError } from '../../proto/errors.ts'
import { type FateParts, findFates } from '../grpc/fates.ts'
import type { Route } from './route.ts'
import { fateJson } from './shapes.ts'

export function fateRoutes(parts: FateParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/fates',
      group: 'Messages',
      name: 'listFates',
      about:
        'What became of the last messages on a topic, newest first; an empty list when none is known, or no longer.',
      parameters: {
        topic: {
          in: 'query',
          kind: 'text',
          required: true,
          about: 'The topic it was sent on; tocsin/in/<adapter>/<device> for what came over HTTP.',
          example: 'tocsin/in/senml/gauge-7',
        },
        limit: { in: 'query', kind: 'count', min: 1, max: 100, default: 1, about: 'At most so many.' },
      },
      answers: [{ status: 200, about: 'The fates.', type: 'application/json', schema: 'Fates' }],
      handle({ given, view }) {
        const request = { of: 'channel', channel: given.text('topic') ?? '', limit: given.count('limit') ?? 1 } as const
        return { json: { fates: findFates(parts, request, view).map(fateJson) } }
      },
    },
    {
      method: 'GET',
      path: '/v1/fates/{id}',
      group: 'Messages',
      name: 'getFate',
      about: 'What became of a message, by the id of its frame or of an event in it.',
      parameters: { id: { in: 'path', kind: 'id', required: true, about: 'The id of a frame or of an event.' } },
      answers: [{ status: 200, about: 'Its fate.', type: 'application/json', schema: 'Fate' }],
      handle({ given, view }) {
        const [fate] = findFates(parts, { of: 'id', id: given.id('id') }, view)
        if (fate) return { json: fateJson(fate) }
        throw new GatewayError('not_found', 'No message with this id is known here, or no longer, or not to you.')
      },
    },
  ]
}
