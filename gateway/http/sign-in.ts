// /v1/sign-in, /v1/sign-out, /v1/me: a person comes in with a small JSON body and goes out again. Nothing is kept in a browser: no cookie
// is set, so that no page of somebody else's can use one.

import { z } from 'zod'
import { GatewayError } from '../../proto/errors.ts'
import { codec } from '../../proto/wire.ts'
import { signIn, type SignInDoor, signOut, whoIs } from '../grpc/sign-in-service.ts'
import { mediaTypeOf } from './media-types.ts'
import type { Call, Route } from './route.ts'

export interface SignInParts {
  readonly signIn: SignInDoor
}

/** A secret may have 1,024 bytes, each written as six (\u00e4). */
const bodyBytesMax = 8_192

const form = z.strictObject({
  name: z.string(),
  secret: z.string(),
  totpCode: z.string().default(''),
  position: z.string().default(''),
})
const signedInCodec = codec('tocsin.v1.SignInResponse')
const whoCodec = codec('tocsin.v1.WhoAmIResponse')

export function signInRoutes({ signIn: door }: SignInParts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/sign-in',
      group: 'People',
      name: 'signIn',
      about:
        'Begins a session of a person. 401: one answer for a wrong name, secret or code, and for an account that is locked. 503: too many sign in at this moment.',
      parameters: {},
      open: true,
      body: {
        about: 'JSON: {"name", "secret", "totpCode": six digits of the app, "position": where}.',
        bytesMax: bodyBytesMax,
      },
      answers: [{ status: 200, about: 'The session.', type: 'application/json', schema: 'SignedIn' }],
      handle: async (call) => ({ json: signedInCodec.toJson(await signIn(door, requestOf(call), call.caller)) }),
    },
    {
      method: 'POST',
      path: '/v1/sign-out',
      group: 'People',
      name: 'signOut',
      about: 'Ends the session that this request is made with; its streams end.',
      parameters: {},
      answers: [{ status: 204, about: 'It is ended.' }],
      handle({ principal }) {
        signOut(door, principal)
        return { status: 204, type: 'application/json', body: '' }
      },
    },
    {
      method: 'GET',
      path: '/v1/me',
      group: 'People',
      name: 'whoAmI',
      about: 'Who the caller is to the gateway, and what it may.',
      parameters: {},
      answers: [{ status: 200, about: 'The caller.', type: 'application/json', schema: 'WhoAmI' }],
      handle: ({ principal }) => ({ json: { labels: [], calls: [], mayAll: false, ...asJson(whoIs(principal)) } }),
    },
  ]
}

const asJson = (who: ReturnType<typeof whoIs>): object => whoCodec.toJson(who) as object

function requestOf({ body, contentType }: Call): z.infer<typeof form> {
  if (mediaTypeOf(contentType) !== 'application/json') {
    throw new GatewayError('unsupported_media_type', 'Content-Type must be application/json.')
  }
  let tree: unknown
  try {
    tree = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // What stands in it is a secret, so nothing of it is told.
    throw new GatewayError('invalid_argument', 'The body is no JSON.')
  }
  const read = form.safeParse(tree)
  if (read.success) return read.data
  const text = 'The body must be {"name", "secret", "totpCode", "position"}, each a text; the last two may be left out.'
  throw new GatewayError('invalid_argument', text)
}
