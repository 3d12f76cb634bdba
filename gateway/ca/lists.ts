// Lists of revoked certificates (CRL, RFC 5280 §5), of the own authority and of an agency's: taken only when an authority that is trusted
// signed them. One that is missing or stale shuts nobody out: it is an alarm, since a county that cannot reach its agency's list must go on
// hearing its devices.

import { X509Certificate } from 'node:crypto'
import { oneLine, splitPem } from './pem.ts'
import { type Lists, plainSerial } from './revocation.ts'
import * as x509 from './x509.ts'

export interface ListFile {
  readonly file: string
  readonly text: string
}

/** `authorities`: PEM, as many as there are. */
export async function readLists(files: readonly ListFile[], authorities: string, nowMs: number): Promise<Lists> {
  const revoked = new Map<string, Set<string>>()
  const problems: string[] = []
  const known = splitPem(authorities, 'CERTIFICATE').map((pem) => new x509.X509Certificate(pem))
  for (const { file, text } of files) {
    const lists = splitPem(text, '(?:X509 )?CRL')
    if (lists.length === 0) problems.push(`${file} holds no list of revoked certificates in PEM form.`)
    for (const pem of lists) {
      const problem = await readList(pem, known, revoked, nowMs)
      if (problem) problems.push(`${file}: ${problem}`)
    }
  }
  return { revoked, problems }
}

async function readList(
  pem: string,
  authorities: readonly x509.X509Certificate[],
  revoked: Map<string, Set<string>>,
  nowMs: number,
): Promise<string | undefined> {
  let list: x509.X509Crl
  try {
    list = new x509.X509Crl(pem.replaceAll(' X509 CRL-----', ' CRL-----'))
  } catch {
    return 'a list cannot be read; make it anew.'
  }
  const signer = await signerOf(list, authorities)
  if (!signer) return 'a list is of no authority that is trusted here (tls.client_ca), and is not used.'
  const issuer = new X509Certificate(signer.toString('pem')).subject
  const serials = revoked.get(issuer) ?? new Set<string>()
  for (const { serialNumber } of list.entries) serials.add(plainSerial(serialNumber))
  revoked.set(issuer, serials)
  if (list.nextUpdate && list.nextUpdate.getTime() < nowMs) {
    return `the list of ${oneLine(issuer)} should have been replaced on ${list.nextUpdate.toISOString().slice(0, 16).replace('T', ' ')}: what was revoked since is not known. It is used all the same; fetch the newer one.`
  }
  return undefined
}

async function signerOf(
  list: x509.X509Crl,
  authorities: readonly x509.X509Certificate[],
): Promise<x509.X509Certificate | undefined> {
  const issuer = Buffer.from(list.issuerName.toArrayBuffer())
  for (const authority of authorities) {
    if (!issuer.equals(Buffer.from(authority.subjectName.toArrayBuffer()))) continue
    if (await list.verify({ publicKey: authority }).catch(() => false)) return authority
  }
  return undefined
}
