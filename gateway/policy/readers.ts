// Who may read over gRPC and HTTP and administer the gateway. On loopback it is whoever is on the machine; from the network only a client
// with a certificate of the authority in the settings gets this far (policy/doors.ts).

import type { Access, Authenticated, Caller, Principal, View } from '../grpc/access.ts'

/** Until roles come, a reader who got in sees everything. */
const everything: View = {
  key: 'everything',
  everything: true,
  mayRead: () => true,
  shown: (record) => record,
  mayReadFrame: () => true,
}

export function createAccess(): Access {
  return {
    authenticate,
    view: () => everything,
    mayAdminister: (_principal: Principal, _call: string, caller: Caller) => caller.loopback,
  }
}

function authenticate(caller: Caller): Authenticated {
  const name = caller.certificate?.subject.CN
  if (name) return { principal: { name: `${caller.face}:${String(name)}`, authenticity: 'authenticated' } }
  if (caller.loopback) return { principal: { name: `${caller.face}:anonymous`, authenticity: 'unverified' } }
  if (caller.face === 'http') {
    return { refused: 'Over HTTP this is for programs on the machine of the gateway itself, not through a proxy.' }
  }
  return { refused: 'Show a client certificate of the authority that this gateway trusts (tls.client_ca).' }
}
