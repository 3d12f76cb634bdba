// What the audit says of those who do not get past TLS, at each door: who had no certificate, one of a stranger, one that is over.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { findAnchors } from '../gateway/audit/find-anchors.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import type { AuditEntry } from '../proto/generated/types.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { certificateAuthority, type Certified } from './tools/certificates.ts'
import { freePort } from './tools/free-port.ts'
import { tempFolder } from './tools/temp-folder.ts'

const county = certificateAuthority('county')
const stranger = certificateAuthority('stranger')
const aDay = 86_400_000

/** Resolves when the other end has closed. */
const handshake = (port: number, protocol: string, shown?: Certified): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: county.certificate,
      ALPNProtocols: [protocol],
      ...(shown && { cert: shown.certificate, key: shown.key }),
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })

test(
  'a handshake that fails is an entry at each door, with the address and the reason',
  { timeout: 60_000 },
  async () => {
    const folder = tempFolder('tls')
    const own = county.issue('gateway.county-a.example', { ipAddresses: ['127.0.0.1'] })
    const write = (name: string, text: string): string => {
      const path = join(folder, name)
      writeFileSync(path, text)
      chmodSync(path, 0o600)
      return path
    }
    const mqttPort = await freePort()
    const gateway = await startGatewayProcess({
      settings: {
        TLS_CERTIFICATE: write('cert.pem', own.certificate),
        TLS_KEY: write('key.pem', own.key),
        TLS_CLIENT_CA: write('ca.pem', county.certificate),
        MQTT_LISTEN: `mqtts://127.0.0.1:${mqttPort}`,
      },
    })
    const grpcPort = Number(gateway.grpc.split(':').at(-1))
    const over = county.issue('gauge-7', { notAfter: new Date(Date.now() - aDay) })
    for (const [port, protocol] of [
      [grpcPort, 'h2'],
      [mqttPort, 'mqtt'],
    ] as const) {
      await handshake(port, protocol)
      await handshake(port, protocol, stranger.issue('gauge-7'))
      await handshake(port, protocol, over)
    }
    await gateway.stop()
    const entries: AuditEntry[] = []
    verifyAudit({
      folder: join(gateway.dataDir, 'audit'),
      anchors: findAnchors(gateway.dataDir),
      each: ({ entry }) => void entries.push(entry),
    })
    const refused = entries.filter(({ action }) => action === 'sign_in')
    const grpc = refused.filter(({ object }) => object === 'grpc')
    expect(grpc.map(({ text }) => text)).toEqual([
      'It showed no certificate.',
      'Its certificate is of an authority that is not trusted here.',
      'Its certificate has expired.',
    ])
    expect(grpc.every(({ address }) => /^127\.0\.0\.1:\d+$/.test(address ?? ''))).toBe(true)
    const mqtt = refused.filter(({ object }) => object?.startsWith('mqtts:'))
    expect(mqtt.length).toBeGreaterThan(0)
    expect(mqtt.every(({ address, text }) => address === '127.0.0.1' && text?.includes('certificate'))).toBe(true)
  },
)
