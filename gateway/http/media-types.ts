// Media types, exact: which of ours a client would rather have, and what it says it sends.

/** The first of `ours` that `accept` allows, by quality, or the first of all (RFC 9110 §12.5.1). */
export function accepts(accept: string, ours: readonly string[]): string {
  const wishes = accept
    .slice(0, acceptCharsMax)
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
      const quality = parameters.find((parameter) => parameter.startsWith('q='))
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
    })
    .filter(({ type, quality }) => type !== '' && quality > 0)
    .toSorted((a, b) => b.quality - a.quality)
  for (const { type } of wishes) {
    const found = ours.find((each) => type === each || type === '*/*' || type === `${each.split('/')[0]}/*`)
    if (found) return found
  }
  return ours[0] ?? ''
}

const acceptCharsMax = 1_024

const token = '[a-z0-9!#$&^_.+-]{1,64}'
const form = new RegExp(
  `^(${token}/${token})(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{0,64}")){0,4}$`,
)

/** "application/json" of "application/json; charset=utf-8"; undefined: it is none, whatever stands behind or before it. */
export const mediaTypeOf = (contentType: string): string | undefined => form.exec(contentType.toLowerCase())?.[1]
