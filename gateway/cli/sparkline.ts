// A series as one short line of blocks, the range from end to end: where there is no value there is no block.

const blocks = [...'▁▂▃▄▅▆▇█']

export type Dot = readonly [atMs: number, value: number]

/** The mean of each stretch, between the least and the greatest of them; a level series lies in the middle. */
export function sparkline(
  dots: readonly Dot[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  columns: number,
): string {
  const stretches = Array.from({ length: columns }, () => ({ sum: 0, count: 0 }))
  for (const [atMs, value] of dots) {
    const stretch = stretches[Math.floor(((atMs - fromMs) / (toMs - fromMs)) * columns)]
    if (!stretch) continue
    stretch.count += 1
    stretch.sum += value
  }
  const means = stretches.map(({ sum, count }) => (count === 0 ? undefined : sum / count))
  const present = means.filter((mean) => mean !== undefined)
  const [least, greatest] = [Math.min(...present), Math.max(...present)]
  return means
    .map((mean) => {
      if (mean === undefined) return ' '
      const height = greatest > least ? (mean - least) / (greatest - least) : 0.5
      return blocks[Math.min(Math.floor(height * blocks.length), blocks.length - 1)]
    })
    .join('')
}
