// Writes the pages that are made from code: docs/settings.md from the settings table, docs/quantities.md from the registry of
// quantities. Part of `npm run generate`.

import { writeFileSync } from 'node:fs'
import { quantitiesPage } from './quantities-page.ts'
import { referencePage } from './settings-pages.ts'

writeFileSync(new URL('../docs/settings.md', import.meta.url), referencePage())
writeFileSync(new URL('../docs/quantities.md', import.meta.url), quantitiesPage())
