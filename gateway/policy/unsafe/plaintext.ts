// Exceptions for plain text that are no exceptions: for ever, for everybody, or for data that must never go so.

import { Label } from '../../../proto/generated/types.ts'
import { nsPerMs } from '../../../proto/time.ts'
import { filtersMeet } from '../../links/link-topics.ts'
import type { Settings } from '../../settings.ts'
import { endOf, networkOf, type PlaintextDoor, plaintextDoors } from '../plaintext-doors.ts'
import { approvedLabels, inputsOf } from './labels.ts'
import type { Site } from './unsafe-check.ts'

const dayMs = 86_400_000
const daysMost = 366
/** A network of more addresses is no list of devices. */
const bitsLeast = { ipv4: 16, ipv6: 48 } as const

export function* exceptionsTooWide({ settings, now }: Pick<Site, 'settings' | 'now'>): Generator<string> {
  for (const door of doorsOf(settings)) {
    if (endOf(door) - Number(now / nsPerMs) > (daysMost + 1) * dayMs)
      yield `plaintext_exceptions, ${door.name}: until ${door.until} is more than a year away; write a day within ${daysMost} days, and look at it again then`
    for (const text of door.onlyFrom) {
      const network = networkOf(text)
      if (network && network.bits < bitsLeast[network.family])
        yield `plaintext_exceptions, ${door.name}: only_from ${text} is no list of devices; write their addresses, or a network of /${bitsLeast[network.family]} or smaller`
    }
  }
}

export function* labelsInPlain({ settings }: Pick<Site, 'settings'>): Generator<string> {
  for (const { name, topics } of doorsOf(settings)) {
    for (const input of inputsOf(settings)) {
      const labels = approvedLabels.filter((label) => input.site.labels.includes(Label[label]))
      const met = topics.find((topic) => input.topics.some((other) => filtersMeet(topic, other)))
      if (labels.length > 0 && met !== undefined)
        yield `plaintext_exceptions, ${name}: topics ${met} would carry what the input ${input.name} labels ${labels.join(' and ')} in plain text; write topics that do not meet those of ${input.name}, or have it come by mqtts://`
    }
  }
}

/** What is wrong with them is said where they are read. */
function doorsOf(settings: Settings): readonly PlaintextDoor[] {
  try {
    return plaintextDoors(settings)
  } catch {
    return []
  }
}
