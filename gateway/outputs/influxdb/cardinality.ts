// The budget of tag values: each tag of a database may hold so many different ones, because InfluxDB keeps an index of all of them
// in memory and refuses what is beyond its own limits. Its promise: a row is never lost for it. A value that comes when the budget is
// spent is written as `(over budget)` and stands, whole, in a field; the row's time keeps it apart from all others.

/** InfluxDB 1.x refuses the 100,001st value of a tag (max-values-per-tag); half of that leaves room for what others write. */
export const deviceValuesMax = 50_000
/** Words of our own schema and of vendors; many more mean that a device puts data into names. */
export const quantityValuesMax = 2_000
/** Agencies, jurisdictions, adapters: a large region has some hundreds. */
export const otherValuesMax = 1_000

/** Indexes from here on are a device's own numbers, not places in a message, and stand in the field `stated_index` alone. */
export const statedIndexMax = 1_000

export const overBudget = '(over budget)'

export type BudgetTag = 'device' | 'quantity' | 'agency' | 'jurisdiction' | 'device_class'

export interface TagBudget {
  /** Whether `value` may stand in the tag; a value that was let in stays in. */
  admit(tag: BudgetTag, value: string): boolean
  /** Values that the database already holds: they cost nothing more. */
  seed(tag: BudgetTag, values: Iterable<string>): void
}

export type TagLimits = Readonly<Record<BudgetTag, number>>

export const tagLimits: TagLimits = {
  device: deviceValuesMax,
  quantity: quantityValuesMax,
  agency: otherValuesMax,
  jurisdiction: otherValuesMax,
  device_class: otherValuesMax,
}

/** `exceeded` is told the first time that each tag is full. */
export function createTagBudget(limits: TagLimits, exceeded: (tag: BudgetTag, limit: number) => void): TagBudget {
  const admitted: Readonly<Record<BudgetTag, Set<string>>> = {
    device: new Set(),
    quantity: new Set(),
    agency: new Set(),
    jurisdiction: new Set(),
    device_class: new Set(),
  }
  const full = new Set<BudgetTag>()
  return {
    admit(tag, value) {
      const values = admitted[tag]
      if (values.has(value)) return true
      // Who is really called so is told by the field, like all whom the tag cannot tell.
      if (value === overBudget) return false
      if (values.size < limits[tag]) {
        values.add(value)
        return true
      }
      if (!full.has(tag)) {
        full.add(tag)
        exceeded(tag, limits[tag])
      }
      return false
    },
    seed(tag, values) {
      for (const value of values) admitted[tag].add(value)
    },
  }
}
