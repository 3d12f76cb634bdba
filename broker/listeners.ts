// The doors: TCP, TLS, WebSocket and WebSocket over TLS. Each hands on an admitted byte stream with what is known of its far end,
// and nothing of MQTT is known here.

import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type Server as TlsServer, TLSSocket, type TlsOptions } from 'node:tls'

import { createWebSocketStream, WebSocketServer } from 'ws'

import type { Admission } from './admission.ts'
import { handshakeCode, handshakePeer } from './handshake-peer.ts'
import type { Limits } from './limits.ts'
import type { ClientCertificate, Listener, ListenerAddress, Peer, RefusalReason, TlsFiles } from './port.ts'

export interface Doors {
  readonly addresses: readonly ListenerAddress[]
  /** For new connections; those that are open stay. */
  renewKeys(tls: TlsFiles): void
  close(): Promise<void>
}

export interface DoorParts {
  readonly limits: Limits
  readonly admission: Admission
  enter(stream: Duplex, peer: Peer): void
  /** `text`: of a handshake that failed, the code of it. */
  refuse(address: string, listener: string, why: RefusalReason, text?: string): void
}

export async function openDoors(listeners: readonly Listener[], parts: DoorParts): Promise<Doors> {
  const opened: { server: Server | HttpServer; sockets: Set<Socket> }[] = []
  const addresses: ListenerAddress[] = []
  async function close(): Promise<void> {
    await Promise.all(opened.map(({ server, sockets }) => closeServer(server, sockets)))
  }
  try {
    for (const listener of listeners) {
      const sockets = new Set<Socket>()
      const server = createDoor(listener, parts, sockets)
      await listen(server, listener)
      opened.push({ server, sockets })
      const { name, kind, address } = listener
      addresses.push({ name, kind, address, port: (server.address() as AddressInfo).port })
    }
  } catch (error) {
    await close()
    throw error
  }
  function renewKeys(tls: TlsFiles): void {
    const options = tlsOptions(tls, parts.limits)
    for (const { server } of opened) if (isSecure(server)) server.setSecureContext(options)
  }
  return { addresses, renewKeys, close }
}

function createDoor(listener: Listener, parts: DoorParts, sockets: Set<Socket>): Server | HttpServer {
  const { kind, name, tls } = listener
  const enter = (socket: Socket): void => enterSocket(socket, name, parts)
  if ((kind === 'tls' || kind === 'wss') && !tls) throw new Error(`listener ${name} needs a key and a certificate`)
  const secured = tls && tlsOptions(tls, parts.limits)
  // A half-closed connection may still be owed acknowledgements.
  if (kind === 'tcp')
    return admitting(createTcpServer({ allowHalfOpen: true, noDelay: true }, enter), listener, parts, sockets)
  const server =
    kind === 'tls'
      ? createTlsServer({ ...secured, allowHalfOpen: true }, enter)
      : kind === 'ws'
        ? createHttpServer(httpOptions(parts.limits))
        : createHttpsServer({ ...httpOptions(parts.limits), ...secured })
  if (kind !== 'tls') upgradeWebSockets(server as HttpServer, listener, parts)
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    parts.refuse(plain(handshakePeer(socket)?.address), name, 'certificate', handshakeCode(error, socket))
    // One that takes too long is left open by Node.
    socket.destroy()
  })
  return admitting(server, listener, parts, sockets)
}

const isSecure = (server: Server | HttpServer): server is TlsServer => 'setSecureContext' in server

/** Counted where the connection begins, before TLS or HTTP costs anything. */
function admitting<S extends Server | HttpServer>(
  server: S,
  { name, admits }: Listener,
  parts: DoorParts,
  sockets: Set<Socket>,
): S {
  server.prependListener('connection', (socket: Socket) => {
    const address = plain(socket.remoteAddress)
    const admitted = admits?.(address) === false ? 'address' : parts.admission.admit(address)
    if (typeof admitted === 'string') {
      parts.refuse(address, name, admitted)
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.setKeepAlive(true, keepAliveProbeMs)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      sockets.delete(socket)
      admitted()
    })
  })
  return server
}

// The system finds a vanished peer by itself, also where MQTT's keep-alive is long.
const keepAliveProbeMs = 60_000

function enterSocket(socket: Socket, listener: string, parts: DoorParts): void {
  if (socket.destroyed) return
  const address = plain(socket.remoteAddress)
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined
  if (certificate === 'unverified') {
    parts.refuse(address, listener, 'certificate')
    socket.destroy()
    return
  }
  parts.enter(socket, { address, listener, ...(certificate && { certificate }) })
}

/** One that is shown must be sound, also where none is asked for: who shows a wrong one is not let in as nobody. */
function certificateOf(socket: TLSSocket): ClientCertificate | 'unverified' | undefined {
  const { raw, subject, subjectaltname, fingerprint256, serialNumber } = socket.getPeerCertificate()
  if (!raw) return undefined
  if (!socket.authorized) return 'unverified'
  const name = subject?.CN
  return {
    commonName: (Array.isArray(name) ? name[0] : name) ?? '',
    subjectAltName: subjectaltname ?? '',
    fingerprint256,
    serialNumber,
    raw,
  }
}

function tlsOptions(files: NonNullable<Listener['tls']>, limits: Limits): TlsOptions {
  const { key, certificate, clientAuthorities, certificateRequired } = files
  const pem = (text: string | Uint8Array): string | Buffer => (typeof text === 'string' ? text : Buffer.from(text))
  return {
    key: pem(key),
    cert: pem(certificate),
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.connectMsMax,
    ...(clientAuthorities && {
      ca: pem(clientAuthorities),
      requestCert: true,
      rejectUnauthorized: certificateRequired ?? false,
    }),
  }
}

const httpOptions = (limits: Limits) => ({
  headersTimeout: limits.connectMsMax,
  requestTimeout: limits.connectMsMax,
  connectionsCheckingInterval: 1_000,
  keepAlive: false,
  noDelay: true,
})

function upgradeWebSockets(server: HttpServer, listener: Listener, parts: DoorParts): void {
  const webSockets = new WebSocketServer({
    noServer: true,
    // A WebSocket message may hold several packets, but must not hold more than one of the largest.
    maxPayload: parts.limits.packetBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    // MQTT 5 §6
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
  })
  server.on('request', (_request, response) =>
    response.writeHead(426, { connection: 'close' }).end('MQTT over WebSocket\n'),
  )
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const address = plain(socket.remoteAddress)
    const sound = request.headers['sec-websocket-protocol']?.split(',').some((name) => name.trim() === 'mqtt')
    const why = originAllowed(request, listener.origins ?? []) ? (sound ? undefined : 'protocol') : 'origin'
    if (why) {
      parts.refuse(address, listener.name, why)
      socket.end(`HTTP/1.1 ${why === 'origin' ? '403 Forbidden' : '400 Bad Request'}\r\nconnection: close\r\n\r\n`)
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined
      if (certificate === 'unverified') {
        parts.refuse(address, listener.name, 'certificate')
        return socket.destroy()
      }
      const stream = createWebSocketStream(webSocket)
      // [MQTT-6.0.0-1]
      webSocket.prependListener('message', (_bytes: Buffer, isBinary: boolean) => {
        if (!isBinary) stream.destroy()
      })
      parts.enter(stream, {
        address,
        listener: listener.name,
        ...(certificate && { certificate }),
      })
    })
  })
}

/**
 * A browser sends pages' origins. Without this any page that an operator visits could speak to the broker on his own machine;
 * a host that is a name other than localhost may be made to point here (DNS rebinding).
 */
export function originAllowed(request: Pick<IncomingMessage, 'headers'>, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes(origin)) return true
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  const here = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
  return hostname === here && (here === 'localhost' || isIP(here.replace(/^\[|\]$/g, '')) > 0)
}

function listen(server: Server | HttpServer, { address, port }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, backlog: 511 }, () => {
      server.removeListener('error', reject)
      // Accepting may fail for want of file descriptors; those connected go on.
      server.on('error', () => {})
      resolve()
    })
  })
}

async function closeServer(server: Server | HttpServer, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), lastWordsMs)
  await closed
  clearTimeout(timer)
}

// So long clients have to take in that the gateway is closing.
const lastWordsMs = 250

const plain = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '')
