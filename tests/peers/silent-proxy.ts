// A proxy between a writer and its database that passes each request on and, when told to, keeps the answer to itself: the
// database has stored what its writer believes to be lost.

import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface SilentProxy extends AsyncDisposable {
  readonly url: string
  /** Answers to POST /write that are still to be swallowed. */
  swallow: number
  /** Statuses of the answers that were. */
  readonly swallowed: readonly number[]
}

export async function startSilentProxy(targetPort: number): Promise<SilentProxy> {
  const swallowed: number[] = []
  const server = createServer((incoming, outgoing) => pass(incoming, outgoing))

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url = '/', headers } = incoming
    const onward = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers })
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (answer) => {
      if (url.startsWith('/write') && proxy.swallow > 0) {
        proxy.swallow--
        swallowed.push(answer.statusCode ?? 0)
        return void answer.resume()
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system named no port')
  const proxy: SilentProxy = {
    url: `http://127.0.0.1:${address.port}`,
    swallow: 0,
    swallowed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
