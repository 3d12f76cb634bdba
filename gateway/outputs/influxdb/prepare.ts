// What is done once before the first row goes to an InfluxDB 1.x: the databases are there, and the budgets know which tag values
// they hold already, so that a restart gives a device the same tag as before.

import type { InfluxdbAdmin } from './admin.ts'
import { overBudget } from './cardinality.ts'
import type { BudgetTag, TagBudget } from './cardinality.ts'
import type { InfluxdbSettings } from './settings.ts'
import { decodeText } from './line-protocol.ts'
import type { Target } from './rows.ts'

const seededTags: readonly BudgetTag[] = ['device', 'quantity', 'agency', 'jurisdiction', 'device_class']

/** A policy that keeps rows for longer is shortened only where it may be: what it keeps beyond is gone for good. */
export async function makeDatabases(
  admin: InfluxdbAdmin,
  names: readonly string[],
  { keepMs, retentionPolicy = 'autogen' }: Pick<InfluxdbSettings, 'keepMs' | 'retentionPolicy'> = {},
  { mayShorten = true } = {},
): Promise<void> {
  const present = new Set(await admin.databases())
  for (const name of names) {
    if (!present.has(name)) await admin.createDatabase(name)
    if (keepMs === undefined) continue
    const policy = (await admin.retentionPolicies(name)).find((each) => each.name === retentionPolicy)
    if (policy?.isDefault && policy.keepMs === Math.ceil(keepMs / 1_000) * 1_000) continue
    if (policy && present.has(name) && policy.keepMs > keepMs && !mayShorten) continue
    await admin.setRetentionPolicy(name, { name: retentionPolicy, keepMs, isDefault: true })
  }
}

export async function seedBudgets(
  admin: InfluxdbAdmin,
  names: Readonly<Record<Target, string>>,
  budgets: Readonly<Record<Target, TagBudget>>,
): Promise<void> {
  for (const target of ['main', 'exercise'] as const) {
    for (const tag of seededTags) {
      const values = await admin.tagValues(names[target], tag)
      budgets[target].seed(
        tag,
        values.map((value) => decodeText(value)).filter((value) => value !== overBudget),
      )
    }
  }
}
