// What is done once before the first row goes to an InfluxDB 1.x: the databases are there, and the budgets know which tag values
// they hold already, so that a restart gives a device the same tag as before.

import { GatewayError } from '../../../proto/errors.ts'
import type { Logger } from '../../logger.ts'
import type { InfluxdbAdmin } from './admin.ts'
import { overBudget } from './cardinality.ts'
import type { BudgetTag, TagBudget } from './cardinality.ts'
import { decodeText } from './line-protocol.ts'
import type { Target } from './rows.ts'
import type { InfluxdbSettings } from './settings.ts'

const seededTags: readonly BudgetTag[] = ['device', 'quantity', 'agency', 'jurisdiction', 'device_class']

export async function prepare(
  admin: InfluxdbAdmin,
  settings: InfluxdbSettings,
  names: Readonly<Record<Target, string>>,
  budgets: Readonly<Record<Target, TagBudget>>,
  logger: Logger,
): Promise<void> {
  if (settings.manage) {
    const present = new Set(await admin.databases())
    for (const name of Object.values(names)) if (!present.has(name)) await admin.createDatabase(name)
  }
  try {
    for (const target of ['main', 'exercise'] as const) await seed(admin, names[target], budgets[target])
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'peer_refused') throw error
    // A user that may only write, or a database that is yet to be made: the budgets then begin empty.
    logger.warn({ reason: error.message }, 'the tag values that InfluxDB holds cannot be read')
  }
}

async function seed(admin: InfluxdbAdmin, database: string, budget: TagBudget): Promise<void> {
  for (const tag of seededTags) {
    const values = await admin.tagValues(database, tag)
    budget.seed(
      tag,
      values.map((value) => decodeText(value)).filter((value) => value !== overBudget),
    )
  }
}
