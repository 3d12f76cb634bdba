// /v1/devices/waiting: devices that nobody has admitted, and the decision about them.

import { codec } from '../../proto/wire.ts'
import { type Access, permitCall } from '../grpc/access.ts'
import { admitDevice, blockDevice, listWaiting, type Room } from '../grpc/waiting.ts'
import { tokenText } from './given.ts'
import type { Call, Parameters, Reply, Route } from './route.ts'

const listCodec = codec('tocsin.v1.ListWaitingResponse')

const prefix: Parameters = { prefix: { in: 'query', kind: 'text', about: 'Only names that begin with this.' } }
const behind: Parameters = {
  principal: {
    in: 'query',
    kind: 'text',
    about: 'Behind which principal it stands, such as system:chirpstack; "unknown": it has a certificate.',
  },
}
const device: Parameters = {
  device: { in: 'query', kind: 'text', required: true, about: 'Its name; with a * at its end, all that begin so.' },
}

export function deviceRoutes({ access, room }: { readonly access: Access; readonly room: Room }): readonly Route[] {
  const decision = (
    path: string,
    name: 'admitDevice' | 'blockDevice',
    right: string,
    about: string,
    decide: typeof admitDevice,
  ): Route => ({
    method: 'POST',
    path,
    group: 'Devices',
    name,
    about,
    parameters: { ...device, ...behind },
    answers: [{ status: 200, about: 'How many.', type: 'application/json', schema: 'Decided' }],
    handle({ principal, given }) {
      permitCall(access, principal, right)
      const request = { device: given.text('device') ?? '', principal: given.text('principal') ?? '' }
      const { devices = 0, messages = 0 } = decide(room, request)
      return { json: { devices, messages: Number(messages) } }
    },
  })

  function list({ given, view, principal }: Call): Reply {
    permitCall(access, principal, 'ListWaiting')
    const page = given.token('page')
    const { nextPageToken, ...found } = listWaiting(
      room,
      {
        devicePrefix: given.text('prefix') ?? '',
        principal: given.text('principal') ?? '',
        decided: given.flag('decided'),
        pageSize: given.count('limit') ?? 0,
        ...(page && { pageToken: page }),
      },
      view,
    )
    const json = listCodec.toJson(found) as object
    return { json: { devices: [], ...json, ...(nextPageToken?.length && { nextPage: tokenText(nextPageToken) }) } }
  }

  return [
    {
      method: 'GET',
      path: '/v1/devices/waiting',
      group: 'Devices',
      name: 'listWaiting',
      about: 'Devices that nobody has admitted, with what they send and from where.',
      parameters: {
        ...prefix,
        ...behind,
        decided: { in: 'query', kind: 'flag', default: false, about: 'Instead: those admitted or blocked.' },
        limit: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many.' },
        page: { in: 'query', kind: 'token', about: '`nextPage` of the page before, with the same other parameters.' },
      },
      answers: [{ status: 200, about: 'A page.', type: 'application/json', schema: 'WaitingPage' }],
      handle: list,
    },
    decision(
      '/v1/devices/admit',
      'admitDevice',
      'AdmitDevice',
      'Lets a device pass: what waits of it goes on its way, then what it sends.',
      admitDevice,
    ),
    decision(
      '/v1/devices/block',
      'blockDevice',
      'BlockDevice',
      'Refuses what a device sends from now on; what waits of it stays in quarantine.',
      blockDevice,
    ),
  ]
}
