// How far long work is: a bar that moves on a terminal, a line every few seconds elsewhere; on standard error, so that it never
// stands in the result.

import { clearLine, cursorTo } from 'node:readline'
import { spanText } from './time.ts'

export interface Progress {
  /** `total` may grow while it runs; 0: not known yet. */
  at(done: number, total: number): void
  /** Takes the bar away. */
  end(): void
}

const redrawEveryMs = 100
const lineEveryMs = 5_000
const barColumns = 24
/** Before that the first estimate would be a guess. */
const estimateAfterMs = 1_000

export function createProgress(
  what: string,
  amount: (value: number) => string,
  output: NodeJS.WriteStream = process.stderr,
): Progress {
  const startedMs = performance.now()
  const everyMs = output.isTTY ? redrawEveryMs : lineEveryMs
  let shownMs = output.isTTY ? Number.NEGATIVE_INFINITY : startedMs
  let isShown = false

  function text(done: number, total: number, nowMs: number): string {
    const share = total > 0 ? Math.min(done / total, 1) : 0
    const full = Math.round(share * barColumns)
    const bar = output.isTTY ? `${'█'.repeat(full)}${'░'.repeat(barColumns - full)} ` : ''
    const elapsedMs = nowMs - startedMs
    const leftMs = share > 0 && elapsedMs > estimateAfterMs ? (elapsedMs / share) * (1 - share) : undefined
    const left = leftMs === undefined || share === 1 ? '' : `, about ${spanText(leftMs)} left`
    return `${what}  ${bar}${Math.floor(share * 100)} %  ${amount(done)} of ${amount(total)}${left}`
  }

  return {
    at(done, total) {
      const nowMs = performance.now()
      if (nowMs - shownMs < everyMs) return
      shownMs = nowMs
      isShown = true
      if (!output.isTTY) return void output.write(`${text(done, total, nowMs)}\n`)
      const line = text(done, total, nowMs)
      cursorTo(output, 0)
      output.write(line.slice(0, Math.max((output.columns || 80) - 1, 20)))
      clearLine(output, 1)
    },
    end() {
      if (!isShown || !output.isTTY) return
      cursorTo(output, 0)
      clearLine(output, 0)
    },
  }
}

/** "1.5 MB": powers of ten, as disks are sold. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}
