// Certificates for tests: an authority, and what it signs, made anew each time with nothing but node:crypto. X.509 version 3
// (RFC 5280) with P-256 keys, written as DER by hand, since Node reads certificates but makes none.

import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface Certified {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** Signs another one. */
  issue(commonName: string, options?: CertificateOptions): Certified
}

export interface CertificateOptions {
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly uris?: readonly string[]
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** An RSA key of so many bits, instead of P-256. */
  readonly rsaBits?: number
  /** Of the signature; default sha256. */
  readonly digest?: 'sha1' | 'sha256'
}

export function certificateAuthority(commonName: string): Certified {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return certified(commonName, keys, commonName, keys.privateKey, true, {})
}

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

function certified(
  subject: string,
  keys: Keys,
  issuer: string,
  issuerKey: KeyObject,
  authority: boolean,
  options: CertificateOptions,
): Certified {
  const dayMs = 86_400_000
  const from = options.notBefore ?? new Date(Date.now() - 2 * dayMs)
  const { digest = 'sha256' } = options
  const until = options.notAfter ?? new Date(Date.now() + dayMs)
  const toBeSigned = sequence(
    der(0xa0, der(2, Buffer.of(2))),
    der(2, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWith[digest],
    name(issuer),
    sequence(time(from), time(until)),
    name(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(authority, options))),
  )
  const signature = der(3, Buffer.of(0), sign(digest, toBeSigned, issuerKey))
  return {
    certificate: pem(sequence(toBeSigned, ecdsaWith[digest], signature)),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    issue: (commonName, more = {}) => certified(commonName, keysFor(more), subject, keys.privateKey, false, more),
  }
}

const keysFor = ({ rsaBits }: CertificateOptions): Keys =>
  rsaBits ? generateKeyPairSync('rsa', { modulusLength: rsaBits }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })

function extensions(authority: boolean, { dnsNames = [], ipAddresses = [], uris = [] }: CertificateOptions): Buffer[] {
  // RFC 5280 §4.2.1.6 and §4.2.1.9
  const names = [
    ...dnsNames.map((value) => der(0x82, Buffer.from(value))),
    ...uris.map((value) => der(0x86, Buffer.from(value))),
    ...ipAddresses.map((value) => der(0x87, Buffer.from(value.split('.').map(Number)))),
  ]
  const constraints = sequence(
    oid(0x55, 0x1d, 0x13),
    der(1, Buffer.of(0xff)),
    der(4, sequence(der(1, Buffer.of(0xff)))),
  )
  return [
    ...(authority ? [constraints] : []),
    ...(names.length > 0 ? [sequence(oid(0x55, 0x1d, 0x11), der(4, sequence(...names)))] : []),
    ...(authority || names.length > 0 ? [] : [sequence(oid(0x55, 0x1d, 0x13), der(4, sequence()))]),
  ]
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.of(tag, ...header), body])
}

const sequence = (...content: readonly Buffer[]): Buffer => der(0x30, ...content)
const oid = (...bytes: readonly number[]): Buffer => der(6, Buffer.from(bytes))
// RFC 3279 §2.2.3, RFC 5758 §3.2
const ecdsaWith = {
  sha1: sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1)),
  sha256: sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)),
}
const name = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid(0x55, 4, 3), der(0x0c, Buffer.from(commonName)))))
/** GeneralizedTime would need years after 2049. */
const time = (date: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  )
const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
