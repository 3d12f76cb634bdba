// /openapi.json: OpenAPI 3.1, made from the same table that requests are checked by.

import { version } from '../version.ts'
import type { Answer, Parameter, Route } from './route.ts'
import { schemas } from './schemas.ts'

export function openApiDocument(routes: readonly Route[]): object {
  const shown = routes.filter(({ group }) => group !== '')
  const paths: Record<string, Record<string, object>> = {}
  for (const route of shown) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route)
  const groups = [...new Set(shown.map(({ group }) => group))]
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tocsin',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Events of an emergency communications gateway. Answered on the machine of the gateway itself; what is answered with 2xx to a POST is on disk.',
    },
    servers: [{ url: '/' }],
    tags: groups.map((name) => ({ name })),
    paths: { ...paths, ...supervision },
    components: { schemas },
  }
}

/** For supervisors and Prometheus; they stand in server.ts. */
const supervision = Object.fromEntries(
  (
    [
      ['/healthz', 'getHealth', 'Whether the process lives.', 'application/json', {}],
      [
        '/readyz',
        'getReadiness',
        'Whether messages are taken.',
        'application/json',
        { 503: { description: 'Why not.' } },
      ],
      ['/metrics', 'getMetrics', 'Everything in numbers, for Prometheus.', 'text/plain', {}],
    ] as const
  ).map(([path, operationId, description, type, others]) => [
    path,
    {
      get: {
        tags: ['Gateway'],
        operationId,
        description,
        responses: { 200: { description, content: { [type]: {} } }, ...others },
      },
    },
  ]),
)

function operationOf({ group, name, about, parameters, body, answers, openQuery }: Route): object {
  const given = Object.entries(parameters).map(([each, parameter]) => parameterOf(each, parameter))
  return {
    tags: [group],
    operationId: name,
    description: about,
    parameters: openQuery ? [...given, openQueryParameter] : given,
    ...(body && {
      requestBody: {
        description: `${body.about} At most ${body.bytesMax} bytes.`,
        required: true,
        content: { '*/*': {} },
      },
    }),
    responses: { ...responsesOf(answers), default: errorResponse },
  }
}

const openQueryParameter = {
  name: 'context',
  in: 'query',
  description: 'Any further parameters, each under its own name.',
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  style: 'form',
  explode: true,
}

const errorResponse = {
  description: 'Why not, and what to do.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
}

function responsesOf(answers: readonly Answer[]): Record<string, object> {
  const byStatus = Map.groupBy(answers, ({ status }) => status)
  return Object.fromEntries(
    [...byStatus].map(([status, several]) => [
      String(status),
      {
        description: several.map(({ about }) => about).join(' '),
        content: Object.fromEntries(several.flatMap(contentOf)),
      },
    ]),
  )
}

function contentOf({ type, schema }: Answer): [string, object][] {
  if (type === undefined) return []
  return [[type, schema === undefined ? {} : { schema: { $ref: `#/components/schemas/${schema}` } }]]
}

function parameterOf(name: string, parameter: Parameter): object {
  const { in: where, about, example, required } = parameter
  const isList = parameter.kind === 'texts' || parameter.kind === 'names'
  return {
    name,
    in: where,
    description: about,
    ...(required && { required }),
    schema: schemaOf(parameter),
    ...(isList && { style: 'form', explode: true }),
    ...(example !== undefined && { example }),
  }
}

function schemaOf(parameter: Parameter): object {
  const withDefault = parameter.default === undefined ? {} : { default: parameter.default }
  switch (parameter.kind) {
    case 'name':
      return { type: 'string', enum: parameter.of ?? [], ...withDefault }
    case 'names':
      return { type: 'array', items: { type: 'string', enum: parameter.of ?? [] } }
    case 'texts':
      return { type: 'array', items: { type: 'string' } }
    case 'count': {
      const { min = 0, max } = parameter
      return { type: 'integer', minimum: min, ...(max !== undefined && { maximum: max }), ...withDefault }
    }
    case 'flag':
      return { type: 'boolean', ...withDefault }
    case 'id':
      return { type: 'string', format: 'uuid' }
    default:
      return { type: 'string', ...withDefault }
  }
}
