// Whose certificate it is, once an authority has vouched for it: by its SPIFFE id (SPIFFE-ID 2.3, "spiffe://<jurisdiction>/<kind>/<name>"),
// or, of an agency's own authority, by a common name that one principal alone has.

import { type PrincipalKind, principalKinds, type RegisteredPrincipal, type Registry } from './registry.ts'

/** As Node gives them, and the broker. */
export interface NamedCertificate {
  readonly subject: { readonly CN?: string | readonly string[] }
  readonly subjectaltname?: string
}

export const spiffeId = (jurisdiction: string, principal: string): string =>
  `spiffe://${jurisdiction}/${principal.replace(':', '/')}`

export function namesInCertificate(
  { subject, subjectaltname = '' }: NamedCertificate,
  jurisdiction: string,
  registry: Registry,
): RegisteredPrincipal | undefined {
  const spiffe = spiffeIn(subjectaltname)
  // One that names several says nothing (X.509-SVID §2), and one of another jurisdiction does not fall back to a name that is shorter.
  if (spiffe.length > 0)
    return spiffe.length === 1 ? registry.get(principalIn(spiffe[0]!, jurisdiction) ?? '') : undefined
  const { CN } = subject
  return typeof CN === 'string' && CN !== '' ? byCommonName(CN, registry) : undefined
}

/** The device that it names, entered or not: by a SPIFFE id of ours, or where it has none by its common name. */
export function deviceIn({ subject, subjectaltname = '' }: NamedCertificate, jurisdiction: string): string | undefined {
  const spiffe = spiffeIn(subjectaltname)
  const [name] =
    spiffe.length === 0
      ? [subject.CN]
      : spiffe.length === 1
        ? [principalIn(spiffe[0]!, jurisdiction)?.split(/^device:/)[1]]
        : []
  return typeof name === 'string' && deviceForm.test(name) ? name : undefined
}

/** As names of principals are. */
const deviceForm = /^[A-Za-z0-9][\w.@-]{0,127}$/

function spiffeIn(subjectaltname: string): string[] {
  return subjectaltname
    .split(', ')
    .flatMap((name) => (name.startsWith('URI:spiffe://') ? [name.slice('URI:'.length)] : []))
}

function principalIn(uri: string, jurisdiction: string): string | undefined {
  const root = `spiffe://${jurisdiction}/`
  if (!uri.startsWith(root)) return undefined
  const [kind, name, ...rest] = uri.slice(root.length).split('/')
  return rest.length === 0 && isKind(kind) && name ? `${kind}:${name}` : undefined
}

const isKind = (text: string | undefined): text is PrincipalKind => principalKinds.some((kind) => kind === text)

function byCommonName(commonName: string, registry: Registry): RegisteredPrincipal | undefined {
  const exact = registry.get(commonName)
  if (exact) return exact
  const found = principalKinds.flatMap((kind) => registry.get(`${kind}:${commonName}`) ?? [])
  return found.length === 1 ? found[0] : undefined
}
