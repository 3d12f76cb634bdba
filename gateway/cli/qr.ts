// QR codes for the terminal: bytes, error correction level M, as ISO/IEC 18004 has them, up to version 20 (666 bytes). Two modules of the
// code are one character high, dark on light, so that any camera reads them from a screen.

/** Of versions 1 to 20 at level M: correction bytes in a block, and blocks (table 9). */
const correctionBytes = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]
const blockCounts = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]
const quietModules = 4

/** Rows of dark modules; throws RangeError for a text that is too long. */
export function qrOf(text: string): boolean[][] {
  const bytes = new TextEncoder().encode(text)
  const version = correctionBytes.findIndex((_, at) => bytes.length <= room(at + 1)) + 1
  if (version === 0) throw new RangeError(`a QR code of ours holds ${room(20)} bytes, this is ${bytes.length}`)
  const modules = place(version, interleaved(version, dataOf(bytes, version)))
  const made = Array.from({ length: 8 }, (_, mask) => masked(modules, version, mask))
  return made.reduce((best, each) => (penalty(each) < penalty(best) ? each : best))
}

export function qrLines(text: string): string[] {
  const code = qrOf(text)
  const size = code.length + 2 * quietModules
  const isDark = (y: number, x: number): boolean => code[y - quietModules]?.[x - quietModules] ?? false
  const lines: string[] = []
  for (let y = 0; y < size; y += 2) {
    let line = ''
    for (let x = 0; x < size; x += 1) {
      // Light is what is drawn: most terminals are dark.
      line += [' ', '▄', '▀', '█'][(isDark(y, x) ? 0 : 2) + (isDark(y + 1, x) || y + 1 >= size ? 0 : 1)]
    }
    lines.push(line)
  }
  return lines
}

/** Modules that are not patterns, in bytes (annex D of version information: 7 and above). */
function codewords(version: number): number {
  const alignments = version > 1 ? Math.floor(version / 7) + 2 : 0
  const patterns = alignments > 0 ? (25 * alignments - 10) * alignments - 55 : 0
  return Math.floor(((16 * version + 128) * version + 64 - patterns - (version >= 7 ? 36 : 0)) / 8)
}

const dataBytes = (version: number): number =>
  codewords(version) - correctionBytes[version - 1]! * blockCounts[version - 1]!
const countBits = (version: number): number => (version < 10 ? 8 : 16)
const room = (version: number): number => dataBytes(version) - (countBits(version) === 8 ? 2 : 3)

function dataOf(bytes: Uint8Array, version: number): Uint8Array {
  // Mode 0100 (bytes), the count, the bytes, a terminator of four zeros.
  const nibbles = [4, ...(countBits(version) === 8 ? [] : [bytes.length >> 12, (bytes.length >> 8) & 15])]
  nibbles.push((bytes.length >> 4) & 15, bytes.length & 15)
  for (const byte of bytes) nibbles.push(byte >> 4, byte & 15)
  nibbles.push(0)
  const data = new Uint8Array(dataBytes(version))
  const used = Math.min(nibbles.length >> 1, data.length)
  for (let at = 0; at < used; at += 1) data[at] = (nibbles[2 * at]! << 4) | nibbles[2 * at + 1]!
  for (let at = used; at < data.length; at += 1) data[at] = (at - used) % 2 === 0 ? 0xec : 0x11
  return data
}

/** Data and correction of all blocks, byte by byte in turn (clause 7.6); blocks at the end are one byte longer. */
function interleaved(version: number, data: Uint8Array): number[] {
  const blocks = blockCounts[version - 1]!
  const short = Math.floor(data.length / blocks)
  const longFrom = blocks - (data.length % blocks)
  const parts: Uint8Array[] = []
  for (let at = 0, block = 0; block < blocks; block += 1) {
    const end = at + short + (block >= longFrom ? 1 : 0)
    parts.push(data.subarray(at, end))
    at = end
  }
  const corrections = parts.map((part) => correctionOf(part, correctionBytes[version - 1]!))
  const turn = (rows: readonly ArrayLike<number>[], length: number): number[] =>
    Array.from({ length }, (_, at) => rows.flatMap((row) => row[at] ?? [])).flat()
  return [...turn(parts, short + 1), ...turn(corrections, correctionBytes[version - 1]!)]
}

/** In GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d)
    product ^= ((b >> bit) & 1) * a
  }
  return product
}

/** The remainder of Reed and Solomon's division. */
function correctionOf(data: Uint8Array, length: number): number[] {
  const divisor = Array<number>(length).fill(0)
  divisor[length - 1] = 1
  for (let root = 1, n = 0; n < length; n += 1, root = times(root, 2)) {
    for (let at = 0; at < length; at += 1) divisor[at] = times(divisor[at]!, root) ^ (divisor[at + 1] ?? 0)
  }
  const rest = Array<number>(length).fill(0)
  for (const byte of data) {
    const factor = byte ^ rest.shift()!
    rest.push(0)
    for (let at = 0; at < length; at += 1) rest[at] = rest[at]! ^ times(divisor[at]!, factor)
  }
  return rest
}

type Module = { readonly dark: boolean; readonly isPattern: boolean }

function place(version: number, bytes: readonly number[]): Module[][] {
  const size = 17 + 4 * version
  const modules: (Module | undefined)[][] = Array.from({ length: size }, () => Array<Module | undefined>(size))
  const pattern = (y: number, x: number, dark: boolean): void => {
    if (modules[y] && x >= 0 && x < size) modules[y][x] = { dark, isPattern: true }
  }
  const square = (y: number, x: number, reach: number, isDark: (ring: number) => boolean): void => {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        pattern(y + dy, x + dx, isDark(Math.max(Math.abs(dy), Math.abs(dx))))
      }
    }
  }
  for (let at = 0; at < size; at += 1) {
    pattern(6, at, at % 2 === 0)
    pattern(at, 6, at % 2 === 0)
  }
  for (const [y, x] of [[3, 3], [3, size - 4], [size - 4, 3]] as const) square(y, x, 4, (ring) => ring !== 2 && ring !== 4) // prettier-ignore
  const centres = alignmentsOf(version, size)
  const last = centres.at(-1)
  for (const y of centres) {
    for (const x of centres) {
      const isFinder = (y === 6 && (x === 6 || x === last)) || (y === last && x === 6)
      if (!isFinder) square(y, x, 2, (ring) => ring !== 1)
    }
  }
  // Kept free for what is written when the mask is known.
  writeFormat(pattern, size, 0)
  if (version >= 7) writeVersion(pattern, size, version)
  fill(modules, bytes)
  return modules as Module[][]
}

function alignmentsOf(version: number, size: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.ceil((size - 13) / (2 * count - 2)) * 2
  const rest = Array.from({ length: count - 1 }, (_, at) => size - 7 - at * step)
  return [6, ...rest.toReversed()]
}

/** From the right below upwards, two columns at a time, past the column of the timing pattern (clause 7.7.3). */
function fill(modules: (Module | undefined)[][], bytes: readonly number[]): void {
  const size = modules.length
  let bit = 0
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    const isUpward = ((right + 1) & 2) === 0
    for (let n = 0; n < size; n += 1) {
      for (const x of [right, right - 1]) {
        const y = isUpward ? size - 1 - n : n
        if (modules[y]![x]) continue
        modules[y]![x] = { dark: (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1, isPattern: false }
        bit += 1
      }
    }
  }
}

type Draw = (y: number, x: number, dark: boolean) => void

/** Annex C: level M is 00. */
function writeFormat(draw: Draw, size: number, mask: number): void {
  let rest = mask
  for (let n = 0; n < 10; n += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const bits = ((mask << 10) | rest) ^ 0x5412
  const bit = (at: number): boolean => ((bits >> at) & 1) === 1
  for (let at = 0; at <= 5; at += 1) draw(at, 8, bit(at))
  draw(7, 8, bit(6))
  draw(8, 8, bit(7))
  draw(8, 7, bit(8))
  for (let at = 9; at < 15; at += 1) draw(8, 14 - at, bit(at))
  for (let at = 0; at < 8; at += 1) draw(8, size - 1 - at, bit(at))
  for (let at = 8; at < 15; at += 1) draw(size - 15 + at, 8, bit(at))
  draw(size - 8, 8, true)
}

/** Annex D. */
function writeVersion(draw: Draw, size: number, version: number): void {
  let rest = version
  for (let n = 0; n < 12; n += 1) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25)
  const bits = (version << 12) | rest
  for (let at = 0; at < 18; at += 1) {
    const dark = ((bits >> at) & 1) === 1
    draw(Math.floor(at / 3), size - 11 + (at % 3), dark)
    draw(size - 11 + (at % 3), Math.floor(at / 3), dark)
  }
}

const masks: readonly ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  (y) => y % 2 === 0,
  (_, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
]

function masked(modules: readonly (readonly Module[])[], version: number, mask: number): boolean[][] {
  const turns = masks[mask]!
  const code = modules.map((row, y) => row.map(({ dark, isPattern }, x) => dark !== (!isPattern && turns(y, x))))
  writeFormat((y, x, dark) => void (code[y]![x] = dark), 17 + 4 * version, mask)
  return code
}

/** The rules of clause 7.8.3 that weigh most: runs, squares of one shade, and how far from half is dark. */
function penalty(code: readonly (readonly boolean[])[]): number {
  const size = code.length
  const columns = code.map((_, x) => code.map((row) => row[x]!))
  let points = 0
  for (const line of [...code, ...columns]) {
    for (let at = 0; at < size;) {
      let end = at + 1
      while (end < size && line[end] === line[at]) end += 1
      if (end - at >= 5) points += end - at - 2
      at = end
    }
  }
  let dark = 0
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (code[y]![x]) dark += 1
      const corner = [code[y]![x + 1], code[y + 1]?.[x], code[y + 1]?.[x + 1]]
      if (corner.every((other) => other === code[y]![x])) points += 3
    }
  }
  return points + 10 * Math.floor(Math.abs(dark * 20 - size * size * 10) / (size * size))
}
