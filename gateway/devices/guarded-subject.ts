// By which name an event's device is admitted.

import type { Event } from '../../proto/generated/types.ts'

export const guardedSubject = ({ subject, origin }: Event): string => subject || origin?.device || ''
