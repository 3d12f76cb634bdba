// Criminal-justice and medical data are taken in only where an officer of the agency has said so, by name and date.

import { Label } from '../../../proto/generated/types.ts'
import { configuredInputs } from '../../configured-inputs.ts'
import type { Input } from '../../routes.ts'
import type { Settings } from '../../settings.ts'
import type { Site } from './unsafe-check.ts'

/** Those for which somebody answers by law: the CJIS Security Policy, and HIPAA. */
export const approvedLabels = ['CJI', 'PHI'] as const

export function* labelsUnapproved({ settings }: Site): Generator<string> {
  for (const { name, site, approvedBy } of inputsOf(settings)) {
    const labels = approvedLabels.filter((label) => site.labels.includes(Label[label]))
    if (labels.length > 0 && !approvedBy)
      yield `inputs.${name}: it is labelled ${labels.join(' and ')}, and nobody has approved that it comes in here; write approved_by: {officer: NAME, date: YYYY-MM-DD} beside its labels`
  }
}

export function inputsOf(settings: Settings): readonly Input[] {
  try {
    return configuredInputs(settings)
  } catch {
    // What is wrong with them is said where they are read.
    return []
  }
}
