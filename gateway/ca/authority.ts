// The gateway's own certificate authority, as X.509 (RFC 5280) and nothing else: it makes itself, certificates for servers and clients, and
// the list of what it revoked. P-256 and SHA-256 throughout; files, names of principals and the audit are others' business.

import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { GatewayError } from '../../proto/errors.ts'
import * as x509 from './x509.ts'

export interface Authority {
  /** PEM of its own certificate. */
  readonly certificate: string
  /** When it ends, milliseconds since 1970. */
  readonly endsAtMs: number
  issue(wanted: Wanted): Promise<Issued>
  /** PEM of the list of all that it revoked. */
  list(revoked: readonly Revoked[], nowMs: number): Promise<string>
}

export interface Wanted {
  readonly commonName: string
  readonly usage: 'server' | 'client'
  /** DNS names and IP addresses, of servers. */
  readonly hosts?: readonly string[]
  /** SPIFFE id, of clients. */
  readonly uri?: string
  readonly days: number
  readonly nowMs: number
  /** PEM or DER of a PKCS#10 request: its key is certified, nothing else of it is believed. Absent: a key is made. */
  readonly request?: Uint8Array
}

export interface Issued {
  readonly certificate: string
  /** PKCS#8 PEM; absent where a request was given. */
  readonly key?: string
  /** Small hexadecimal digits. */
  readonly serial: string
  readonly endsAtMs: number
}

export interface Revoked {
  readonly serial: string
  readonly atMs: number
}

export const dayMs = 86_400_000
const authorityDays = 3_653
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Clocks of devices that lag behind this one by less than so much take a new certificate at once. */
const clockLagMs = 300_000
const clientAuth = '1.3.6.1.5.5.7.3.2'
const serverAuth = '1.3.6.1.5.5.7.3.1'

/** Its key as PKCS#8 PEM, and its certificate. */
export async function makeAuthority(name: string, nowMs: number): Promise<{ key: string; certificate: string }> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [name] }],
    notBefore: new Date(nowMs - clockLagMs),
    notAfter: new Date(nowMs + authorityDays * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { key: await pemOf(keys.privateKey), certificate: pemText(certificate) }
}

export async function openAuthority(files: { readonly key: string; readonly certificate: string }): Promise<Authority> {
  const own = new x509.X509Certificate(files.certificate)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(files.key),
    algorithm,
    false,
    ['sign'],
  )
  const endsAtMs = own.notAfter.getTime()

  async function issue(wanted: Wanted): Promise<Issued> {
    const { nowMs, days, commonName } = wanted
    if (nowMs < own.notBefore.getTime()) {
      throw new GatewayError(
        'invalid_argument',
        `The clock of this machine says ${stamp(nowMs)}, but the authority was made on ${stamp(own.notBefore.getTime())}: set the clock first.`,
      )
    }
    const notAfterMs = nowMs + days * dayMs
    if (notAfterMs > endsAtMs) {
      throw new GatewayError(
        'invalid_argument',
        `The certificate would outlast its authority, which ends on ${stamp(endsAtMs)}: ask for fewer days than ${days}.`,
      )
    }
    const made = wanted.request === undefined ? await newKeys() : undefined
    const publicKey = made?.publicKey ?? (await keyOfRequest(wanted.request!))
    const serial = newSerial()
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      issuer: own.subjectName,
      subject: [{ CN: [commonName] }],
      notBefore: new Date(Math.max(nowMs - clockLagMs, own.notBefore.getTime())),
      notAfter: new Date(notAfterMs),
      publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([wanted.usage === 'server' ? serverAuth : clientAuth]),
        new x509.SubjectAlternativeNameExtension(namesOf(wanted)),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(own.publicKey),
      ],
    })
    const endsAt = certificate.notAfter.getTime()
    const key = made && { key: await pemOf(made.privateKey) }
    return { certificate: pemText(certificate), ...key, serial, endsAtMs: endsAt }
  }

  return {
    certificate: files.certificate,
    endsAtMs,
    issue,
    async list(revoked, nowMs) {
      const list = await x509.X509CrlGenerator.create({
        issuer: own.subjectName,
        thisUpdate: new Date(nowMs),
        // A new one is made whenever something is revoked; until then this one is right.
        nextUpdate: new Date(endsAtMs),
        entries: revoked.map(({ serial, atMs }) => ({ serialNumber: serial, revocationDate: new Date(atMs) })),
        signingKey,
        signingAlgorithm: algorithm,
        extensions: [await x509.AuthorityKeyIdentifierExtension.create(own.publicKey)],
      })
      // OpenSSL's name for it (RFC 7468 §6).
      return pemLines(list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----'))
    },
  }
}

function namesOf({ hosts = [], uri }: Wanted): x509.JsonGeneralNames {
  return [
    ...hosts.map((host) => ({ type: isIP(host) > 0 ? ('ip' as const) : ('dns' as const), value: host })),
    ...(uri === undefined ? [] : [{ type: 'url' as const, value: uri }]),
  ]
}

async function keyOfRequest(bytes: Uint8Array): Promise<x509.PublicKey> {
  let request: x509.Pkcs10CertificateRequest
  try {
    const text = Buffer.from(bytes).toString('latin1')
    request = new x509.Pkcs10CertificateRequest(text.includes('-----BEGIN') ? text : Buffer.from(bytes))
  } catch {
    throw new GatewayError('invalid_argument', 'The request cannot be read: it must be PKCS#10, as PEM or DER.')
  }
  const { publicKey } = request
  const { name, namedCurve, modulusLength } = publicKey.algorithm as EcKeyAlgorithm & RsaHashedKeyAlgorithm
  const isStrong = name === 'ECDSA' ? /^P-(256|384|521)$/.test(namedCurve) : modulusLength >= 2048
  if (!isStrong) {
    throw new GatewayError(
      'invalid_argument',
      `The request's key is too weak or of an unknown kind (${name}): P-256 or RSA of 2048 bits are the least.`,
    )
  }
  const proven = await request.verify().catch(() => false)
  if (!proven) throw new GatewayError('invalid_argument', 'The request is not signed by the key that it holds.')
  return publicKey
}

type EcKeyAlgorithm = webcrypto.EcKeyAlgorithm
type RsaHashedKeyAlgorithm = webcrypto.RsaHashedKeyAlgorithm

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** RFC 5280 §4.1.2.2: positive, and not more than 20 octets; not zero in front, so that everybody writes it alike. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return pemLines(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'))
}

const pemText = (certificate: x509.X509Certificate): string => pemLines(certificate.toString('pem'))
const pemLines = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`)
const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
