// What is said of a time that no sound clock gives: the same words to the device, to who keeps the gateway, and beside the message.

import type { ClockFault } from './inputs/receive.ts'

export function clockWords({ device, aheadNs }: ClockFault): string {
  const whose = device ? `the clock of ${device}` : 'the clock of the device'
  const seconds = Number((aheadNs < 0n ? -aheadNs : aheadNs) / 1_000_000_000n)
  return `${whose} is ${seconds} s ${aheadNs < 0n ? 'behind' : 'ahead'}; the event is stored with its time as sent, and flagged`
}

export const clockAdvice = 'set the clock of the device, or leave out the time'

/** Both, where there is one line for them. */
export const clockWarning = (fault: ClockFault): string => `${clockWords(fault)}; ${clockAdvice}`
