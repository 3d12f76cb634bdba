// What a route of the HTTP API is: its path, its parameters and its answers as data, and one function. The table is what requests are
// checked by and what /openapi.json and /docs are made from, so that none of them can say another thing than the others.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, Principal, View } from '../grpc/access.ts'
import type { Reading } from '../audit/reads.ts'
import type { Given } from './given.ts'
import type { SchemaName } from './schemas.ts'

export interface Route {
  readonly method: 'GET' | 'POST'
  /** As OpenAPI writes it: "/v1/events/{id}". */
  readonly path: string
  /** Under which heading it stands: "Events"; empty: a page for people, and no part of the API. */
  readonly group: string
  readonly name: string
  readonly about: string
  readonly parameters: Parameters
  /** Further parameters of the query are taken, and passed on with the message. */
  readonly openQuery?: true
  /** It does not end: HEAD is not answered. */
  readonly isStream?: true
  /** Open to callers that nobody vouches for; it tells the audit itself. */
  readonly open?: true
  readonly body?: { readonly about: string; readonly bytesMax: number }
  readonly answers: readonly Answer[]
  handle(call: Call): Reply | Promise<Reply>
}

export type Parameters = Readonly<Record<string, Parameter>>

export interface Parameter {
  readonly in: 'path' | 'query' | 'header'
  readonly kind: ParameterKind
  readonly about: string
  /** For `name` and `names`: as they are written. */
  readonly of?: readonly string[]
  /** For `count`. */
  readonly min?: number
  readonly max?: number
  /** As it is written; for people, and for the document. */
  readonly default?: string | number | boolean
  readonly example?: string
  readonly required?: boolean
  /** A path parameter that may hold slashes; only the last one can. */
  readonly rest?: boolean
}

/** `texts` and `names` may come several times; `names` also with commas. `time` is RFC 3339, or "15m": so long ago. */
export type ParameterKind =
  'text' | 'texts' | 'name' | 'names' | 'count' | 'flag' | 'time' | 'span' | 'id' | 'token' | 'box'

export interface Answer {
  readonly status: number
  readonly about: string
  /** Media type; absent: no body. */
  readonly type?: string
  readonly schema?: SchemaName
}

/** One request, checked and permitted. */
export interface Call {
  readonly caller: Caller
  readonly principal: Principal
  readonly view: View
  readonly given: Given
  /** For streams: to be told what of each batch carries labels beyond OPS. Other calls are watched by their view. */
  wasGiven(reading: Reading): void
  /** When it was asked; ns UTC. */
  readonly now: bigint
  /** Empty where the route takes none. */
  readonly body: Uint8Array
  readonly contentType: string
  /** The `Accept` header. */
  readonly accept: string
  /** "http://127.0.0.1:8080", as the client wrote it. */
  readonly origin: string
  /** Path and query, as the client wrote them. */
  readonly url: string
  readonly socket: IncomingMessage['socket']
}

export type Reply =
  | { readonly status?: number; readonly headers?: Headers; readonly json: unknown }
  | { readonly status?: number; readonly headers?: Headers; readonly type: string; readonly body: string | Uint8Array }
  /** Called when the headers are set; may throw until it has written, and ends the response itself. */
  | { readonly headers?: Headers; readonly type: string; stream(response: ServerResponse): void }

type Headers = Readonly<Record<string, string>>
