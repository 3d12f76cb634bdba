// The word tables of the formats that have names of their own for what they measure. To add one: export a `WordTable` from the
// adapter's folder, then add one line here; `npm run generate` puts it into docs/quantities.md.

import { chirpstackWords } from './chirpstack/words.ts'
import type { WordTable } from './quantities.ts'
import { rtl433Words } from './rtl433/words.ts'

export const dialects: ReadonlyMap<string, WordTable> = new Map<string, WordTable>([
  ['chirpstack', chirpstackWords],
  ['rtl433', rtl433Words],
])
