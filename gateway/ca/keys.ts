// The keys of every door, as the settings name them, kept up to date while the gateway runs: files that were replaced are taken within a
// second, the certificate of the own authority is renewed before it ends, and lists of revoked certificates are read again. What cannot be
// used is an alarm, and what was in use before stays.

import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { TlsFiles } from '../../broker/port.ts'
import { GatewayError } from '../../proto/errors.ts'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { Alarms } from '../alarms.ts'
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Settings } from '../settings.ts'
import { createExpiryAlarms, type Ending, isDue } from './expiry.ts'
import { authorityFiles } from './paths.ts'
import { oneLine, splitPem } from './pem.ts'
import { createRevocation, type Lists, noLists, type Revocation } from './revocation.ts'

export interface DoorKeys {
  /** Undefined: no door speaks TLS. */
  readonly tls: TlsFiles | undefined
  readonly revocation: Pick<Revocation, 'why'>
  /** Looks for what changed, again and again, and tells it. */
  watch(told: Told): void
  close(): void
}

export interface Told {
  /** For new connections; those that are open stay. */
  renewed(tls: TlsFiles): void
  /** He came by a certificate that is not taken any more. */
  cut(principal: string): void
}

export interface DoorKeyParts {
  readonly settings: Settings
  readonly clock: Clock
  readonly alarms: Alarms
  readonly audit: Pick<Audit, 'note'>
  readonly logger: Logger
}

const lookEveryMs = 1_000
/** How many looks in between before dates are looked at. */
const looksPerDates = 60
/** Files are replaced one after the other; what does not fit for longer than that is wrong. */
const misfitsMax = 3

/** Rejects with GatewayError settings_invalid naming the file and what is wrong with it. */
export async function openDoorKeys(parts: DoorKeyParts): Promise<DoorKeys> {
  const { settings, clock, alarms, audit, logger } = parts
  const files = keyFiles(settings)
  const nowMs = (): number => Number(clock.now() / 1_000_000n)
  const revocation = createRevocation(nowMs)
  if (!files) return { tls: undefined, revocation, watch: () => {}, close: () => {} }

  const tellExpiry = createExpiryAlarms(alarms)
  if (files.own) await renewOwn(false)
  let state = stateOf(files)
  let tls = readKeys(files)
  let listed = await readListed()
  revocation.replace(listed)
  tellDates()
  let timer: NodeJS.Timeout | undefined

  async function renewOwn(mayFail: boolean): Promise<void> {
    try {
      if (!isDue(new X509Certificate(readFileSync(files!.certificate)), nowMs())) return
      const [{ loadAuthority }, own] = await Promise.all([import('./folder.ts'), import('./server-certificate.ts')])
      const authority = await loadAuthority(settings.data_dir)
      const hosts = own.presentHosts(settings.data_dir)
      const jurisdiction = settings['gateway.jurisdiction']
      await own.renewOwn({ dataDir: settings.data_dir, authority, jurisdiction, hosts, nowMs: nowMs() })
      audit.note({
        action: 'renew_certificate',
        type: SystemEventType.SETTINGS_CHANGED,
        outcome: 'done',
        object: 'server',
        text: 'The gateway renewed its own certificate: less than a third of its life was left.',
        details: dates(files!.certificate),
      })
    } catch (err) {
      logger.error({ err }, 'the certificate of the gateway could not be renewed; it is tried again')
      if (!mayFail && !(err instanceof GatewayError)) throw unreadable(files!.certificate, err)
    }
  }

  async function readListed(): Promise<Lists> {
    const present = files!.lists.filter(({ path, optional }) => !optional || stamp(path) !== 'none')
    if (present.length === 0 || !tls.clientAuthorities) return noLists
    const { readLists } = await import('./lists.ts')
    const texts: { file: string; text: string }[] = []
    const problems: string[] = []
    for (const { path } of present) {
      try {
        texts.push({ file: path, text: readFileSync(path, 'utf8') })
      } catch {
        problems.push(`${path} (tls.client_crl) cannot be read: what it revokes is not known.`)
      }
    }
    const read = await readLists(texts, String(tls.clientAuthorities), nowMs())
    return { ...read, problems: [...problems, ...read.problems] }
  }

  function tellProblems({ problems }: Lists): void {
    if (problems.length === 0) alarms.clear('revocation_list')
    else alarms.raise('revocation_list', '', problems.join(' '))
  }

  function tellDates(): void {
    tellExpiry(endings(files!, tls), nowMs())
    tellProblems(listed)
  }

  let misfits = 0

  async function take(told: Told): Promise<void> {
    const next = stateOf(files!)
    if (next === state) return
    try {
      const read = readKeys(files!)
      if (!sameKeys(read, tls)) {
        tls = read
        told.renewed(tls)
        audit.note({
          action: 'load_certificate',
          type: SystemEventType.SETTINGS_CHANGED,
          outcome: 'done',
          object: files!.certificate,
          text: 'New keys hold for new connections.',
          details: dates(files!.certificate),
        })
      }
      misfits = 0
      state = next
      alarms.clear('certificate_unusable')
    } catch (err) {
      misfits += 1
      if (misfits === misfitsMax) {
        alarms.raise('certificate_unusable', '', `${(err as Error).message} The keys before stay in use.`)
      }
      return
    }
    await takeLists(told)
    tellDates()
  }

  async function takeLists(told: Told): Promise<void> {
    const before = listed
    listed = await readListed()
    for (const principal of revocation.replace(listed)) told.cut(principal)
    const count = countOf(listed)
    if (countOf(before) === count) return
    audit.note({
      action: 'load_revocations',
      type: SystemEventType.POLICY_CHANGE,
      outcome: 'done',
      text: `Certificates on the lists of what is revoked: ${count}. Whoever came by one is cut.`,
    })
  }

  async function dated(told: Told): Promise<void> {
    if (files!.own) await renewOwn(true)
    await takeLists(told)
    tellDates()
    for (const principal of revocation.ended()) told.cut(principal)
  }

  return {
    get tls() {
      return tls
    },
    revocation,
    watch(told) {
      let looks = 0
      let isBusy = false
      const turn = async (): Promise<void> => {
        if (isBusy) return
        isBusy = true
        looks += 1
        try {
          await take(told)
          if (looks % looksPerDates === 0) await dated(told)
        } catch (err) {
          logger.error({ err }, 'keys and lists of revoked certificates could not be looked at; it is tried again')
        } finally {
          isBusy = false
        }
      }
      timer = setInterval(() => void turn(), lookEveryMs).unref()
    },
    close: () => clearInterval(timer),
  }
}

interface KeyFiles {
  readonly certificate: string
  readonly key: string
  readonly authorities: readonly string[]
  readonly required: boolean
  readonly lists: readonly { readonly path: string; readonly optional: boolean }[]
  /** They are of the own authority, and the gateway renews them. */
  readonly own: boolean
}

function keyFiles(settings: Settings): KeyFiles | undefined {
  const [certificate, key, ca] = [settings['tls.certificate'], settings['tls.key'], settings['tls.client_ca']]
  if (!certificate || !key) return undefined
  const ours = authorityFiles(settings.data_dir)
  const own = certificate === ours.server
  const authorities = [...new Set([...(ca ? [ca] : []), ...(own ? [ours.certificate] : [])])]
  return {
    certificate,
    key,
    authorities,
    required: settings['tls.client_certificates'] === 'required',
    lists: [
      ...(authorities.includes(ours.certificate) ? [{ path: ours.revoked, optional: true }] : []),
      ...settings['tls.client_crl'].map((path) => ({ path, optional: false })),
    ],
    own,
  }
}

function readKeys({ certificate, key, authorities, required }: KeyFiles): TlsFiles {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (cause) {
      throw unreadable(path, cause)
    }
  }
  const ca = authorities.map((path) => read(path).toString('utf8')).join('\n')
  const tls: TlsFiles = {
    certificate: read(certificate),
    key: read(key),
    ...(authorities.length > 0 && { clientAuthorities: Buffer.from(ca), certificateRequired: required }),
  }
  refuseMisfits(tls, certificate, key)
  for (const path of authorities) certificateIn(path)
  return tls
}

function refuseMisfits(tls: TlsFiles, certificate: string, key: string): void {
  const leaf = certificateIn(certificate)
  try {
    createSecureContext({ cert: Buffer.from(tls.certificate), key: Buffer.from(tls.key) })
  } catch (cause) {
    const why = /mismatch/i.test((cause as Error).message)
      ? `${key} is not the key of the certificate in ${certificate} (${oneLine(leaf.subject)}).`
      : `${key} and ${certificate} cannot be used as key and certificate: both must be PEM, the key without a passphrase.`
    throw new GatewayError('settings_invalid', `tls.key: ${why}`, { cause })
  }
}

function certificateIn(path: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(path))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

const unreadable = (path: string, cause: unknown): GatewayError =>
  new GatewayError('settings_invalid', `tls: ${path} is no certificate or key in PEM form that can be read.`, { cause })

function endings({ certificate, own }: KeyFiles, tls: TlsFiles): Ending[] {
  const remedy = own
    ? 'The gateway renews it by itself; if it does not, its log says why.'
    : 'Put a newer one into the same file; it is taken without a restart.'
  const server = { what: certificate, endsAtMs: endOf(new X509Certificate(Buffer.from(tls.certificate))), remedy }
  const others = splitPem(String(tls.clientAuthorities ?? ''), 'CERTIFICATE').map((pem) => {
    const authority = new X509Certificate(pem)
    return {
      what: `the authority ${oneLine(authority.subject)}`,
      endsAtMs: endOf(authority),
      remedy: 'None of its certificates is taken afterwards: its clients need those of a newer one.',
    }
  })
  return [server, ...others]
}

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)

function dates(path: string): Record<string, string> {
  const { validTo, serialNumber, fingerprint256 } = certificateIn(path)
  return { serial: serialNumber.toLowerCase(), ends: new Date(validTo).toISOString(), sha256: fingerprint256 }
}

const countOf = ({ revoked }: Lists): number => [...revoked.values()].reduce((sum, { size }) => sum + size, 0)

const stateOf = ({ certificate, key, authorities, lists }: KeyFiles): string =>
  [certificate, key, ...authorities, ...lists.map(({ path }) => path)].map(stamp).join(' ')

function stamp(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino},${mtimeMs},${size}`
  } catch {
    return 'none'
  }
}

const sameKeys = (one: TlsFiles, other: TlsFiles): boolean =>
  String(one.certificate) === String(other.certificate) &&
  String(one.key) === String(other.key) &&
  String(one.clientAuthorities) === String(other.clientAuthorities)
