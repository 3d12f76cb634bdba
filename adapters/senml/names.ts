// SenML names → device and sensor. A name says which sensor of which device it is, but not where the one ends; four rules decide,
// the surest first. A device that the name does not give is left out: the gateway then takes it from the topic.

export interface Sensor {
  readonly device: string | undefined
  /** A URN, where the name is one. */
  readonly subject: string | undefined
  readonly channel: string
}

// RFC 9039 §4: urn:dev:<kind>:<id>, then components of the device.
const deviceUrn = /^(urn:dev:[^:]+:[^:/]+)(?:[:/](.*))?$/

export function sensorOf(base: string, rest: string): Sensor {
  const name = base + rest
  const urn = deviceUrn.exec(name)
  if (urn?.[1]) return sensor(urn[1], urn[2] ?? '')
  // The sender has drawn the line himself: base name and name.
  if (base !== '') return sensor(base.replace(/(?<=.)[:/._-]$/, ''), rest)
  // A name that is global by itself has colons (RFC 8428 §4.5.1: IPv6, MAC, EUI-64, URN); a path after it is the sensor.
  if (!name.includes(':')) return { device: undefined, subject: undefined, channel: name }
  const cut = name.lastIndexOf('/')
  if (cut > 0) return sensor(name.slice(0, cut), name.slice(cut + 1))
  if (name.startsWith('urn:') || /^[0-9A-Fa-f:.]+$/.test(name)) return sensor(name, '')
  const colon = name.lastIndexOf(':')
  return sensor(name.slice(0, colon), name.slice(colon + 1))
}

const sensor = (device: string, channel: string): Sensor => ({
  device,
  subject: device.startsWith('urn:') ? device : undefined,
  channel,
})
