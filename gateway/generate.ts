// Writes the pages that are made from code: docs/settings.md from the settings table, docs/quantities.md from the registry of
// quantities, the table of formats in README.md from the adapters. Part of `npm run generate`.

import { readFileSync, writeFileSync } from 'node:fs'
import { withFormats } from './formats-table.ts'
import { quantitiesPage } from './quantities-page.ts'
import { referencePage } from './settings-pages.ts'

writeFileSync(new URL('../docs/settings.md', import.meta.url), referencePage())
writeFileSync(new URL('../docs/quantities.md', import.meta.url), quantitiesPage())

const readme = new URL('../README.md', import.meta.url)
writeFileSync(readme, withFormats(readFileSync(readme, 'utf8')))
