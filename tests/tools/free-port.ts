// A TCP port of 127.0.0.1 that was free a moment ago. Another process may take it before its user does, so whoever
// starts a program on it tries again with a new one when the program cannot listen.

import { once } from 'node:events'
import { createServer } from 'node:net'

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system named no port')
  server.close()
  await once(server, 'close')
  return address.port
}
