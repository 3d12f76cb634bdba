// The three kinds of lists that CAP writes into one element: names with quotes (`addresses`, `incidents`), message triples
// (`references`), and VTEC lines within a parameter. Both ways.

/** CAP 1.2 §3.2.1: separated by whitespace, a name with whitespace in quotes. */
export function parseNames(text: string): string[] {
  const names = new Set<string>()
  for (const [whole, quoted] of text.matchAll(/"([^"]*)"|\S+/g)) {
    const name = (quoted ?? whole).trim()
    if (name !== '') names.add(name)
    if (names.size === namesMax) break
  }
  return [...names]
}

/** More incidents or addresses than these no alert has. */
const namesMax = 1_000

export const namesText = (names: readonly string[]): string =>
  names.map((name) => (/\s/.test(name) ? `"${name}"` : name)).join(' ')

/** CAP 1.2 §3.2.1: "sender,identifier,sent", separated by whitespace. */
export function parseReferences(text: string, most: number): string[] {
  const references: string[] = []
  for (const [reference] of text.matchAll(/\S+/g)) {
    references.push(reference)
    if (references.length === most) break
  }
  return references
}

export interface Triple {
  readonly sender: string
  readonly identifier: string
  readonly sent: string
}

/** A sender or identifier may not hold a comma, but some do: the sender is before the first, the time after the last. */
export function parseTriple(reference: string): Triple | undefined {
  const match = /^([^,]+),(.+),([^,]+)$/.exec(reference)
  return match ? { sender: match[1]!, identifier: match[2]!, sent: match[3]! } : undefined
}

/** P-VTEC and H-VTEC (NWS Directive 10-1703); a parameter may hold several. */
const vtecForm =
  /\/(?:[OTEX]\.[A-Z]{3}\.[A-Z]{4}\.[A-Z]{2}\.[A-Z]\.\d{4}\.\d{6}T\d{4}Z-\d{6}T\d{4}Z|[A-Z0-9]{5}\.[0-3NU]\.[A-Z]{2}(?:\.\d{6}T\d{4}Z){3}\.[A-Z]{2})\//g

export const vtecLines = (text: string): string[] => [...text.matchAll(vtecForm)].map(([line]) => line)
