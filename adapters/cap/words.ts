// The fixed words of CAP 1.2 §3.2 and the numbers of our schema, both ways. Words are compared exactly; one that differs only in its
// letters' case is taken with a warning.

import {
  Action,
  AlertCategory,
  AlertCertainty,
  AlertResponseType,
  AlertScope,
  AlertSeverity,
  AlertUrgency,
  MessageStatus,
} from '../../proto/generated/types.ts'

export interface Words<N extends number = number> {
  readonly numbers: ReadonlyMap<string, N>
  readonly names: ReadonlyMap<N, string>
}

const words = <N extends number>(pairs: Readonly<Record<string, N>>): Words<N> => ({
  numbers: new Map(Object.entries(pairs)),
  // Where two words mean one number, the first is the one that is written.
  names: new Map(
    Object.entries(pairs)
      .toReversed()
      .map(([name, number]) => [number, name]),
  ),
})

/** What was written, and whether it was in the letters of the standard. */
export function numberOf<N extends number>(
  { numbers }: Words<N>,
  text: string,
): { number: N; isExact: boolean } | undefined {
  const exact = numbers.get(text)
  if (exact !== undefined) return { number: exact, isExact: true }
  const lower = text.toLowerCase()
  for (const [word, number] of numbers) if (word.toLowerCase() === lower) return { number, isExact: false }
  return undefined
}

export const listed = ({ numbers }: Words): string => [...numbers.keys()].join(', ')

export const status = words({
  Actual: MessageStatus.ACTUAL,
  Exercise: MessageStatus.EXERCISE,
  System: MessageStatus.SYSTEM,
  Test: MessageStatus.TEST,
  Draft: MessageStatus.DRAFT,
})

export const msgType = words({
  Alert: Action.REPORT,
  Update: Action.UPDATE,
  Cancel: Action.CANCEL,
  Ack: Action.ACK,
  Error: Action.ERROR,
})

export const scope = words({
  Public: AlertScope.PUBLIC,
  Restricted: AlertScope.RESTRICTED,
  Private: AlertScope.PRIVATE,
})

export const category = words({
  Geo: AlertCategory.GEO,
  Met: AlertCategory.MET,
  Safety: AlertCategory.SAFETY,
  Security: AlertCategory.SECURITY,
  Rescue: AlertCategory.RESCUE,
  Fire: AlertCategory.FIRE,
  Health: AlertCategory.HEALTH,
  Env: AlertCategory.ENVIRONMENT,
  Transport: AlertCategory.TRANSPORT,
  Infra: AlertCategory.INFRASTRUCTURE,
  CBRNE: AlertCategory.CBRNE,
  Other: AlertCategory.OTHER,
})

export const responseType = words({
  Shelter: AlertResponseType.SHELTER,
  Evacuate: AlertResponseType.EVACUATE,
  Prepare: AlertResponseType.PREPARE,
  Execute: AlertResponseType.EXECUTE,
  Avoid: AlertResponseType.AVOID,
  Monitor: AlertResponseType.MONITOR,
  Assess: AlertResponseType.ASSESS,
  AllClear: AlertResponseType.ALL_CLEAR,
  None: AlertResponseType.NONE,
})

export const urgency = words({
  Immediate: AlertUrgency.IMMEDIATE,
  Expected: AlertUrgency.EXPECTED,
  Future: AlertUrgency.FUTURE,
  Past: AlertUrgency.PAST,
  Unknown: AlertUrgency.UNKNOWN,
})

export const severity = words({
  Extreme: AlertSeverity.EXTREME,
  Severe: AlertSeverity.SEVERE,
  Moderate: AlertSeverity.MODERATE,
  Minor: AlertSeverity.MINOR,
  Unknown: AlertSeverity.UNKNOWN,
})

/** CAP 1.2 §3.2.2: "Very Likely" is deprecated, and to be treated as Likely. */
export const certaintyVeryLikely = 'Very Likely'

export const certainty = words({
  Observed: AlertCertainty.OBSERVED,
  Likely: AlertCertainty.LIKELY,
  Possible: AlertCertainty.POSSIBLE,
  Unlikely: AlertCertainty.UNLIKELY,
  Unknown: AlertCertainty.UNKNOWN,
  [certaintyVeryLikely]: AlertCertainty.LIKELY,
})
