// What a sensor's names and unit mean, remembered from message to message: the device, the channel, the quantity and the unit we
// keep. Nothing but texts and constants is shared, so no event can change what another one says.

import { quantityOf } from '../quantities.ts'
import { type Unit, isSame, senmlUnits } from '../units.ts'
import { channelBytesMax, deviceBytesMax } from './events.ts'
import { sensorOf } from './names.ts'
import { nameForm } from './resolve.ts'

/** A sensor in one unit. */
export interface PlainSensor {
  /** Its own name, behind the base name. */
  readonly name: string
  readonly device: string | undefined
  readonly subject: string | undefined
  readonly channel: string
  readonly quantity: string
  /** UCUM code of what we keep; empty for none. */
  readonly unit: string
  /** As the source writes it. */
  readonly sourceUnit: string
  /** Where the source's is another unit than ours. */
  readonly conversion: Unit | undefined
}

/** The sensors of one base name, each in the unit in which it was last read. */
export interface BaseSensors {
  readonly byName: Map<string, PlainSensor>
  /** As they stood in a pack that came before, the first few: a device writes them in the same order each time. */
  readonly usual: PlainSensor[]
}

export interface PlainSensors {
  ofBase(base: string): BaseSensors
  /** Undefined for what is not plain: a name or a unit that may not be, or half of a place. */
  learn(base: string, rest: string, unit: string): PlainSensor | undefined
}

/** Of `usual`. */
export const usualSensorsMax = 16

// Ten thousand devices of three sensors, of some hundred bytes each. A sender that invents names makes us forget, not grow.
export const sensorsRememberedMax = 30_000

export function createPlainSensors(): PlainSensors {
  const bases = new Map<string, BaseSensors>()
  let remembered = 0

  function ofBase(base: string): BaseSensors {
    return bases.get(base) ?? noSensors
  }

  function learn(base: string, rest: string, unit: string): PlainSensor | undefined {
    // Of latitude and longitude together a place is made.
    if (unit === 'lat' || unit === 'lon') return undefined
    const [ownBase, ownRest] = [copied(base), copied(rest)]
    const sensor = plainSensor(ownBase, ownRest, copied(unit))
    if (!sensor) return undefined
    if (remembered >= sensorsRememberedMax) {
      bases.clear()
      remembered = 0
    }
    let sensors = bases.get(ownBase)
    if (!sensors) bases.set(ownBase, (sensors = { byName: new Map(), usual: [] }))
    if (!sensors.byName.has(ownRest)) remembered++
    sensors.byName.set(ownRest, sensor)
    return sensor
  }

  return { ofBase, learn }
}

const noSensors: BaseSensors = { byName: new Map(), usual: [] }

/** A piece of a text holds the whole of it in memory, and with it the message. */
const copied = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

function plainSensor(base: string, rest: string, sourceUnit: string): PlainSensor | undefined {
  if (!nameForm.test(base + rest)) return undefined
  const known = senmlUnits.get(sourceUnit)
  if (!known && sourceUnit !== '') return undefined
  const { device, subject, channel } = sensorOf(base, rest)
  if ((device?.length ?? 0) > deviceBytesMax || channel.length > channelBytesMax) return undefined
  const unit = known?.code ?? ''
  const conversion = known && !isSame(known) ? known : undefined
  const quantity = quantityOf(channel, unit, sourceUnit)
  return { name: rest, device, subject, channel, quantity, unit, sourceUnit, conversion }
}
