// Writes the pages that are made from code: docs/settings.md from the settings table. Part of `npm run generate`.

import { writeFileSync } from 'node:fs'
import { referencePage } from './settings-pages.ts'

writeFileSync(new URL('../docs/settings.md', import.meta.url), referencePage())
