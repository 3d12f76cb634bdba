// What is said of a time that no sound clock gives: the same words to the device, to who keeps the gateway, and beside the message. Its
// message is stored, so it is in no quarantine where somebody would find it: the log names each device, and never more than a little.

import type { Clock } from './clock.ts'
import type { ClockFault } from './inputs/receive.ts'
import type { Logger } from './logger.ts'

export function clockWords({ device, aheadNs }: ClockFault): string {
  const whose = device ? `the clock of ${device}` : 'the clock of the device'
  const seconds = Number((aheadNs < 0n ? -aheadNs : aheadNs) / 1_000_000_000n)
  return `${whose} is ${seconds} s ${aheadNs < 0n ? 'behind' : 'ahead'}; the event is stored with its time as sent, and flagged`
}

export const clockAdvice = 'set the clock of the device, or leave out the time'

/** Both, where there is one line for them. */
export const clockWarning = (fault: ClockFault): string => `${clockWords(fault)}; ${clockAdvice}`

/** A wrong clock stays wrong: logged once an hour for each device. */
const againNs = 3_600_000_000_000n
/** Devices may make up names: of all of them so many an hour, and so many are remembered. */
const loggedMax = 500

/** Logs a wrong clock; `sender` and `topic` say whose it is. */
export function createClockLog(clock: Clock, logger: Logger) {
  let logged = new Set<string>()
  let since = clock.monotonic()

  return (fault: ClockFault, sender: string, topic: string): void => {
    const now = clock.monotonic()
    if (now - since >= againNs) {
      logged = new Set()
      since = now
    }
    const key = fault.device || topic
    if (logged.has(key) || logged.size >= loggedMax) return
    logged.add(key)
    logger.warn({ sender, topic, what_to_do: clockAdvice }, clockWords(fault))
  }
}
