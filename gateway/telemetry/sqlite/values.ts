// A value and its quality as two columns. Whole numbers beyond 2^53 are kept as text, because SQLite's rows are read as doubles.

import type { Quality } from '../../../proto/generated/types.ts'
import type { Value } from '../store.ts'

// Kept in files: never changed, only added to.
const kinds = { none: 0, number: 1, integer: 2, large: 3, flag: 4, text: 5, blob: 6 } as const
const qualities = 8

export interface StoredValue {
  readonly form: number
  readonly stored: number | string | null
}

export function storedValue(value: Value | undefined, quality: Quality): StoredValue {
  switch (value?.kind) {
    case 'number':
      return { form: kinds.number * qualities + quality, stored: value.value }
    case 'integer':
      if (typeof value.value === 'bigint')
        return { form: kinds.large * qualities + quality, stored: String(value.value) }
      return { form: kinds.integer * qualities + quality, stored: value.value }
    case 'flag':
      return { form: kinds.flag * qualities + quality, stored: value.value ? 1 : 0 }
    case 'text':
      return { form: kinds.text * qualities + quality, stored: value.value }
    case 'blob':
      return { form: kinds.blob * qualities + quality, stored: null }
    default:
      return { form: quality, stored: null }
  }
}

export const qualityOf = (form: number): Quality => (form % qualities) as Quality

export function valueOf(form: number, stored: number | string | null): Value | undefined {
  switch (Math.floor(form / qualities)) {
    case kinds.number:
      return { kind: 'number', value: Number(stored) }
    case kinds.integer:
      return { kind: 'integer', value: Number(stored) }
    case kinds.large:
      return { kind: 'integer', value: BigInt(stored ?? 0) }
    case kinds.flag:
      return { kind: 'flag', value: stored === 1 }
    case kinds.text:
      return { kind: 'text', value: String(stored) }
    case kinds.blob:
      return { kind: 'blob' }
    default:
      return undefined
  }
}
