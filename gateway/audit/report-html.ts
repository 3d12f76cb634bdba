// The weekly page as HTML: one file without anything from elsewhere, to be mailed, printed or put on a share.

import type { Report, Section } from './report.ts'

export interface ReportPage {
  readonly title: string
  /** Sentences at its head, and whether they are bad news. */
  readonly state: readonly { readonly text: string; readonly isBad: boolean }[]
  readonly report: Report
}

export function reportHtml({ title, state, report }: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${html(title)}</h1>
${state.map(({ text, isBad }) => `<p class="${isBad ? 'bad' : 'good'}">${html(text)}</p>`).join('\n')}
${report.sections.map(sectionHtml).join('\n')}
</body>
</html>
`
}

function sectionHtml({ title, head, rows, more, none }: Section): string {
  const heading = `<h2>${html(title)}</h2>`
  if (rows.length === 0) return `${heading}\n<p>${html(none)}</p>`
  const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${html(cell)}</${tag}>`).join('')}</tr>`
  const rest = more > 0 ? `\n<p>${more} more.</p>` : ''
  return `${heading}\n<table>\n<thead>${row(head, 'th')}</thead>\n<tbody>\n${rows.map((cells) => row(cells, 'td')).join('\n')}\n</tbody>\n</table>${rest}`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '')

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #8885; overflow-wrap: anywhere; }
.good { border-left: 0.3rem solid #287a3c; padding-left: 0.75rem; } .bad { border-left: 0.3rem solid #b3261e; padding-left: 0.75rem; font-weight: 600; }
@media print { body { margin: 0; } h2 { break-after: avoid; } }
`
