// Every setting that would make a gateway unsafe, in one list: the start, `tocsin settings --check` and `tocsin doctor` walk it, and a test
// starts a gateway with each. docs/security.md has the same list for people.

import { GatewayError } from '../../../proto/errors.ts'
import { plainLinks } from '../../links/link-settings.ts'
import { missingKeys, plainMqttDoors, plainOtherDoors } from '../doors.ts'
import { certificateNotValid, keyMismatch, weakCertificate } from './certificates.ts'
import { namesTwice } from './names.ts'
import { dataReadable, filesGroupWritable, filesWritable, keyReadable, secretsReadable } from './files.ts'
import { influxdbInPlain, secretsWeak, usersWeak } from './secrets.ts'
import { clockBehind, loopbackOpen, runsAsRoot, verificationOff, versionOld } from './surroundings.ts'
import { labelsUnapproved } from './labels.ts'
import { exceptionsTooWide, labelsInPlain } from './plaintext.ts'
import type { Finding, Site, UnsafeCheck } from './unsafe-check.ts'

export const unsafeChecks: readonly UnsafeCheck[] = [
  {
    name: 'plain_mqtt',
    level: 'refused',
    about: 'MQTT in plain text on an address other than loopback',
    line: 'mqtt.listen',
    find: ({ settings }) => plainMqttDoors(settings),
  },
  {
    name: 'plain_grpc_http',
    level: 'refused',
    about: 'gRPC or HTTP in plain text on an address other than loopback',
    line: 'grpc.listen, http.listen',
    find: ({ settings }) => plainOtherDoors(settings),
  },
  {
    name: 'key_missing',
    level: 'refused',
    about: 'A TLS listener without certificate and key',
    line: 'tls.certificate, tls.key',
    find: ({ settings }) => missingKeys(settings),
  },
  {
    name: 'key_readable',
    level: 'refused',
    about: 'A private key that other users can read',
    line: 'tls.key',
    find: keyReadable,
  },
  {
    name: 'key_mismatch',
    level: 'refused',
    about: 'A private key that is not that of the certificate, or either is none',
    line: 'tls.certificate, tls.key',
    find: keyMismatch,
  },
  {
    name: 'certificate_weak',
    level: 'refused',
    about: 'A certificate with RSA below 2048 bits, a curve below 256, or a signature by SHA-1 or MD5',
    line: 'tls.certificate, tls.client_ca',
    find: weakCertificate,
  },
  {
    name: 'tls_old',
    level: 'refused',
    about: 'TLS older than 1.2 allowed to Node.js',
    line: 'NODE_OPTIONS',
    find: versionOld,
  },
  {
    name: 'tls_unverified',
    level: 'refused',
    about: 'Certificates of others not verified',
    line: 'NODE_TLS_REJECT_UNAUTHORIZED',
    find: verificationOff,
  },
  {
    name: 'secrets_readable',
    level: 'refused',
    about: 'A settings file with a secret in it that other users can read',
    line: 'the settings file',
    find: secretsReadable,
  },
  {
    name: 'files_writable',
    level: 'refused',
    about: 'Settings, certificates, authorities or the data folder that other users can write',
    line: 'data_dir, tls.certificate, tls.client_ca, the settings file',
    find: filesWritable,
  },
  {
    name: 'secret_weak',
    level: 'refused',
    about: 'A secret that everybody knows, or with fewer than 12 characters (a token: 16)',
    line: 'influx.password, influx.token, mqtt.links',
    find: secretsWeak,
  },
  {
    name: 'hash_weak',
    level: 'refused',
    about: 'A hash of a secret that is cheap to guess against (argon2id below what OWASP asks)',
    line: 'mqtt.users',
    find: usersWeak,
  },
  {
    name: 'plain_influxdb',
    level: 'refused',
    about: 'Credentials or labelled data to an InfluxDB elsewhere in plain text',
    line: 'influx.url',
    find: influxdbInPlain,
  },
  {
    name: 'plain_link',
    level: 'refused',
    about: 'A link to another broker in plain text over a network',
    line: 'mqtt.links',
    find: ({ settings }) => plainLinks(settings),
  },
  {
    name: 'labels_unapproved',
    level: 'refused',
    about: 'An input that is labelled CJI or PHI without the officer who approved it',
    line: 'inputs',
    find: labelsUnapproved,
  },
  {
    name: 'labels_in_plain',
    level: 'refused',
    about: 'An exception for plain text on topics of an input that is labelled CJI or PHI',
    line: 'plaintext_exceptions',
    find: labelsInPlain,
  },
  {
    name: 'exception_wide',
    level: 'refused',
    about: 'An exception for plain text for more than a year, or for a whole network',
    line: 'plaintext_exceptions',
    find: exceptionsTooWide,
  },
  {
    name: 'names_twice',
    level: 'refused',
    about: 'Two users, inputs, roles or exceptions of one name, of which one would not count',
    line: 'mqtt.users, inputs, roles, plaintext_exceptions',
    find: namesTwice,
  },
  {
    name: 'certificate_not_valid',
    level: 'warning',
    about: 'A certificate that is over, not valid yet, or over in 30 days',
    line: 'tls.certificate',
    find: certificateNotValid,
  },
  {
    name: 'files_group_writable',
    level: 'warning',
    about: 'The same, that their group can write',
    line: 'data_dir, tls.certificate, tls.client_ca, the settings file',
    find: filesGroupWritable,
  },
  {
    name: 'data_readable',
    level: 'warning',
    about: 'A data folder that other users can read',
    line: 'data_dir',
    find: dataReadable,
  },
  {
    name: 'loopback_open',
    level: 'warning',
    about: 'Everything open to programs on this machine while there are doors to the network',
    line: 'access.loopback, mqtt.anonymous',
    find: loopbackOpen,
  },
  {
    name: 'root',
    level: 'warning',
    about: 'The gateway runs as root',
    line: 'User= of the service',
    find: runsAsRoot,
  },
  {
    name: 'clock',
    level: 'warning',
    about: 'A clock that stands before this version was made',
    line: 'the clock of the machine',
    find: clockBehind,
  },
]

export function findUnsafe(site: Site): Finding[] {
  return unsafeChecks.flatMap(({ name, level, find }) =>
    [...new Set(find(site))].map((text) => ({ check: name, level, text })),
  )
}

/** The warnings. Throws GatewayError unsafe_settings with a sentence for each that is refused. */
export function refuseUnsafe(site: Site): string[] {
  const found = findUnsafe(site)
  const refused = found.filter(({ level }) => level === 'refused')
  if (refused.length > 0) throw new GatewayError('unsafe_settings', refused.map(({ text }) => text).join('\n'))
  return found.map(({ text }) => text)
}
