// The log's time against clocks that somebody sets.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { awayNsMax, createLogTime, stepNsMax } from '../gateway/log/log-time.ts'

const second = 1_000_000_000n
const noon = 1_790_000_000n * second

/** A clock whose wall time can be set; monotonic time passes by itself. */
function machine(lastLoggedAt: bigint | undefined, wallNow = noon) {
  let [wall, monotonic] = [wallNow, 500n * second]
  const said: string[] = []
  const clock = { now: () => wall, monotonic: () => monotonic }
  const alarms = createAlarms(clock, (alarm, raised) => said.push(`${raised ? '+' : '-'}${alarm.code}`))
  return {
    said,
    pass: (ns: bigint) => ([wall, monotonic] = [wall + ns, monotonic + ns]),
    set: (step: bigint) => (wall += step),
    wall: () => wall,
    time: createLogTime({ clock, lastLoggedAt, alarms }),
  }
}

describe('the time of the log', () => {
  test('is the clock while nobody sets it, and follows small corrections without going back', () => {
    const at = machine(noon - 5n * second)
    expect(at.time.now()).toBe(noon)
    at.pass(10n * second)
    at.set(30n * second)
    expect(at.time.loggedAt()).toBe(noon + 40n * second)
    at.set(-20n * second)
    const before = at.time.now()
    at.pass(10n * second)
    expect(at.time.now() - before).toBe(5n * second)
    at.pass(60n * second)
    expect(at.time.now()).toBe(at.wall())
    expect([at.time.stepped(), at.said]).toEqual([false, []])
  })

  test('goes on alone after a step of more than a minute, ahead or back, and returns with the clock', () => {
    for (const step of [3600n * second, -3600n * second]) {
      const at = machine(noon)
      at.pass(second)
      at.time.now()
      at.set(step)
      at.pass(second)
      expect([at.time.now(), at.time.stepped()]).toEqual([noon + 2n * second, true])
      at.set(-step)
      at.pass(second)
      expect([at.time.now(), at.time.stepped()]).toEqual([noon + 3n * second, false])
      expect(at.said).toEqual(['+clock_step', '-clock_step'])
    }
  })

  test('takes the new clock when an operator confirms it', () => {
    const at = machine(noon)
    at.set(3600n * second)
    expect(at.time.stepped()).toBe(true)
    at.time.confirm()
    expect([at.time.stepped(), at.time.now()]).toEqual([false, noon + 3600n * second])
    at.set(-7200n * second)
    expect(at.time.stepped()).toBe(true)
    at.time.confirm()
    at.pass(100n * second)
    // The clock is two hours behind the log now: half its pace until it has caught up.
    expect([at.time.stepped(), at.time.now()]).toEqual([false, noon + 3650n * second])
    expect(at.said).toEqual(['+clock_step', '-clock_step', '+clock_step', '-clock_step'])
  })

  test('at start, a clock behind the log is a step until the time servers have set it', () => {
    const at = machine(noon, 0n)
    expect([at.time.now(), at.time.stepped()]).toEqual([noon, true])
    at.pass(20n * second)
    expect(at.time.loggedAt()).toBe(noon + 20n * second)
    at.set(noon + 8n * 3600n * second)
    expect([at.time.stepped(), at.time.now()]).toEqual([false, at.wall()])
  })

  test('at start, the gateway may have been off for weeks, but a clock years ahead waits for somebody', () => {
    expect(machine(noon - awayNsMax + second).time.stepped()).toBe(false)
    expect(machine(noon - awayNsMax - second).time.stepped()).toBe(true)
    expect(machine(undefined).time.stepped()).toBe(false)
  })

  test('never goes back, whatever is done to the clock', () => {
    const act = fc.oneof(
      fc.record({ pass: fc.bigInt(0n, 100n * second) }),
      fc.record({ set: fc.bigInt(-200n * second, 200n * second) }),
      fc.constant('confirm' as const),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 50 }), fc.bigInt(-100n * second, 100n * second), (acts, behind) => {
        const at = machine(noon - behind)
        let last = noon - behind
        for (const what of acts) {
          if (what === 'confirm') at.time.confirm()
          else if ('pass' in what) at.pass(what.pass)
          else at.set(what.set)
          const now = at.time.loggedAt()
          expect(now >= last).toBe(true)
          last = now
        }
      }),
    )
  })

  test('a step of exactly the limit is none', () => {
    const at = machine(noon)
    at.set(stepNsMax)
    expect(at.time.stepped()).toBe(false)
    at.set(stepNsMax + 1n)
    expect(at.time.stepped()).toBe(true)
  })
})
