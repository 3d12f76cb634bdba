// Where the authority of a data folder keeps what: known to settings and commands that need nothing else of it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const authorityFolder = 'ca'

export const authorityFiles = (dataDir: string) => {
  const folder = join(dataDir, authorityFolder)
  return {
    folder,
    key: join(folder, 'authority-key.pem'),
    certificate: join(folder, 'authority.pem'),
    /** Chain and key of the gateway itself. */
    server: join(folder, 'server.pem'),
    serverKey: join(folder, 'server-key.pem'),
    /** What commands on this machine show to a gateway that asks for a certificate. */
    command: join(folder, 'command.pem'),
    commandKey: join(folder, 'command-key.pem'),
    revoked: join(folder, 'revoked.pem'),
    issued: join(folder, 'issued'),
  } as const
}

export type AuthorityFiles = ReturnType<typeof authorityFiles>

/** The settings name the own authority's certificate (tls.certificate: auto), and there is none yet. */
export const isOwnMissing = (dataDir: string, certificate: string | undefined): boolean =>
  certificate === authorityFiles(dataDir).server && !existsSync(certificate)
