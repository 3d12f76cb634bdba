// Texts of certificates: PEM (RFC 7468) cut into what it holds, and names on one line.

export function splitPem(text: string, label: string): string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? []
}

/** A name as Node writes it, which has a line for each part. */
export const oneLine = (name: string): string => name.replaceAll('\n', ', ')
