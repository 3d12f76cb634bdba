// The gateway's own certificate, of its own authority, and the one that commands on this machine show: made, and made anew before they end.

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { type Authority, dayMs } from './authority.ts'
import { noteIssued, replaceFile } from './folder.ts'
import { authorityFiles } from './paths.ts'

export const serverDays = 365

/** How commands on this machine reach it. */
const ownHosts = ['localhost', '127.0.0.1', '::1'] as const

export interface RenewParts {
  readonly dataDir: string
  readonly authority: Authority
  readonly jurisdiction: string
  /** DNS names and addresses beside those of this machine. */
  readonly hosts: readonly string[]
  readonly nowMs: number
}

/** Both are in place when it resolves. */
export async function renewOwn({ dataDir, authority, jurisdiction, hosts, nowMs }: RenewParts): Promise<void> {
  const files = authorityFiles(dataDir)
  const days = Math.min(serverDays, Math.floor((authority.endsAtMs - nowMs) / dayMs))
  const server = await authority.issue({
    commonName: hosts[0] ?? ownHosts[0],
    usage: 'server',
    hosts: [...new Set([...hosts, ...ownHosts])],
    days,
    nowMs,
  })
  const command = await authority.issue({
    commonName: 'tocsin command',
    usage: 'client',
    uri: `spiffe://${jurisdiction}/service/command`,
    days,
    nowMs,
  })
  noteIssued(dataDir, 'server', server, nowMs)
  noteIssued(dataDir, 'command', command, nowMs)
  // A reader between the two renames finds a key that does not fit, and looks again a second later.
  replaceFile(files.serverKey, server.key!)
  replaceFile(files.server, server.certificate + authority.certificate)
  replaceFile(files.commandKey, command.key!)
  replaceFile(files.command, command.certificate)
}

/** Names that the certificate in place has, beside those of this machine; empty: there is none. */
export function presentHosts(dataDir: string): string[] {
  const { server } = authorityFiles(dataDir)
  if (!existsSync(server)) return []
  const { subjectAltName = '' } = new X509Certificate(readFileSync(server))
  return subjectAltName
    .split(', ')
    .map((name) => name.replace(/^(DNS|IP Address):/, ''))
    .filter((name) => name !== '' && !isOwnHost(name))
}

const isOwnHost = (host: string): boolean => ownHosts.some((own) => own === host) || host === '0:0:0:0:0:0:0:1'
