// The pages that are made from the settings table: a sample file and the reference in docs/settings.md.

import { environmentName } from './settings.ts'
import { type Setting, settingsTable } from './settings-table.ts'

/** A YAML file with every setting, its default and its sentence, all commented out. */
export function sampleFile(): string {
  const lines = ['# Settings of a Tocsin gateway. Every line shows its default; take away the "#" to change it.', '']
  let group = ''
  for (const [key, setting] of entries()) {
    const [first = '', ...rest] = key.split('.')
    if (rest.length > 0 && first !== group) lines.push(`#${first}:`)
    group = rest.length > 0 ? first : ''
    const indent = rest.length > 0 ? '  ' : ''
    lines.push(`${indent}# ${setting.about}${choices(setting)}`)
    lines.push(`#${indent}${rest.join('.') || first}: ${setting.default ?? setting.example ?? ''}`, '')
  }
  return lines.join('\n')
}

/** The table of docs/settings.md. */
export function referencePage(): string {
  const rows = entries().map(([key, setting]) => {
    const shown = setting.default === undefined || setting.default === '' ? '–' : `\`${setting.default}\``
    return `| \`${key}\` | ${setting.kind} | ${shown} | ${setting.about}${choices(setting)} | \`${environmentName(key)}\` |`
  })
  return [
    '# Settings',
    '',
    'Made from the table in `gateway/settings-table.ts` by `npm run generate`; a test fails when it was forgotten.',
    '',
    'One YAML file, `tocsin.yaml` in the folder the gateway is started in or the file named by `--settings` or `TOCSIN_SETTINGS`;',
    'environment variables override it. Sizes are written `64MiB` or `10GB`, times `500ms`, `10s`, `5m`, `8h`, `90d`; lists in the',
    'environment with commas. `tocsin settings` prints a sample file with every setting, `tocsin settings --check` checks yours.',
    '',
    '| key | kind | default | what it does | in the environment |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const entries = (): [string, Setting][] => Object.entries(settingsTable)
const choices = (setting: Setting): string => (setting.of ? ` One of ${setting.of.join(', ')}.` : '')
