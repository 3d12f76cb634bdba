// Alarms as entries, so that the weekly page has them: raised and cleared. One that comes and goes all the time is an entry a minute.

import { SystemEventType } from '../../proto/generated/types.ts'
import type { Alarm } from '../alarms.ts'
import type { Audit } from './audit.ts'

export function alarmNotes(audit: Audit): (alarm: Alarm, raised: boolean) => void {
  return ({ code, about, text, since }, raised) => {
    const action = raised ? 'alarm_raised' : 'alarm_cleared'
    audit.repeated(`${action} ${code} ${about}`, {
      action,
      type: SystemEventType.SERVICE_STATE_CHANGE,
      outcome: 'done',
      object: `${code} ${about}`.trim(),
      text,
      since,
    })
  }
}
