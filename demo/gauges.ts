// Three radar gauges over LoRaWAN, as ChirpStack 4 publishes what they say: an uplink every five minutes, with the level that the
// device's decoder found. One of them has a failing battery, says so, and is not heard again.

import { levelM, type Reach } from './flood.ts'
import { every, rounded, type Said, type TimeOf } from './said.ts'

const application = '7b8e1c52-4a55-4be3-9f1e-4b6c2f6d0a10'

interface Gauge {
  readonly name: string
  readonly devEui: string
  readonly devAddr: string
  readonly reach: Reach
  readonly first: number
  readonly last?: number
  readonly latitude: number
  readonly longitude: number
  readonly batteryV: number
}

const upperFork: Gauge = {
  name: 'gauge-upper-fork',
  devEui: '70b3d5e75e00a101',
  devAddr: '01a4f101',
  reach: { baseM: 0.62, delayMin: 6, halfLifeMin: 9, gain: 0.62 },
  first: 0,
  latitude: 41.5712,
  longitude: -99.6021,
  batteryV: 3.61,
}
const millBridge: Gauge = {
  name: 'gauge-mill-bridge',
  devEui: '70b3d5e75e00a102',
  devAddr: '01a4f102',
  reach: { baseM: 0.81, delayMin: 11, halfLifeMin: 11, gain: 0.6 },
  first: 3,
  last: 23,
  latitude: 41.5466,
  longitude: -99.5604,
  batteryV: 3.12,
}
export const lowerFord: Gauge = {
  name: 'gauge-lower-ford',
  devEui: '70b3d5e75e00a103',
  devAddr: '01a4f103',
  reach: { baseM: 0.94, delayMin: 16, halfLifeMin: 12, gain: 0.66 },
  first: 4,
  latitude: 41.5203,
  longitude: -99.5127,
  batteryV: 3.64,
}

/** The gauge that is not heard again. */
export const silentGauge = { name: millBridge.name, lastMinute: 23 }

export const gauges: readonly Said[] = [
  ...[upperFork, millBridge, lowerFord].flatMap((gauge) =>
    every(5, gauge.first, gauge.last).map((minute, count) => uplink(gauge, minute, count)),
  ),
  status(millBridge, 20),
]

function uplink(gauge: Gauge, minute: number, count: number): Said {
  return {
    minute,
    by: 'chirpstack',
    over: 'mqtt',
    to: `application/${application}/device/${gauge.devEui}/event/up`,
    becomes: ['OBSERVATION', 'DEVICE_STATUS'],
    bytes: (timeOf) =>
      JSON.stringify({
        ...head(gauge, minute, count, timeOf),
        devAddr: gauge.devAddr,
        adr: true,
        dr: 3,
        fCnt: 4_120 + count,
        fPort: 2,
        confirmed: false,
        data: payload(gauge, minute, count),
        // As decoders of gauges write it: each value with its name and unit.
        object: {
          water_level: { displayName: 'Water level', value: levelOf(gauge, minute), unit: 'm' },
          battery_voltage: { displayName: 'Battery voltage', value: voltsOf(gauge, count), unit: 'V' },
        },
        rxInfo: [
          {
            gatewayId: '0016c001f15a2210',
            uplinkId: 20_480 + count,
            rssi: -104 - (minute % 4),
            snr: 3.5,
            crcStatus: 'CRC_OK',
            location: { latitude: 41.5601, longitude: -99.5532, altitude: 812 },
          },
        ],
        txInfo: {
          frequency: 904_300_000,
          modulation: { lora: { bandwidth: 125_000, spreadingFactor: 7, codeRate: 'CR_4_5' } },
        },
      }),
  }
}

/** DevStatusAns (LoRaWAN 1.0.4 §5.6): the device says how well it hears and how full its battery is. */
function status(gauge: Gauge, minute: number): Said {
  return {
    minute,
    by: 'chirpstack',
    over: 'mqtt',
    to: `application/${application}/device/${gauge.devEui}/event/status`,
    becomes: ['DEVICE_STATUS'],
    scene: 'The battery of the gauge at the mill bridge is nearly empty.',
    bytes: (timeOf) =>
      JSON.stringify({
        ...head(gauge, minute, 900, timeOf),
        margin: 2,
        batteryLevel: 3.54,
        externalPowerSource: false,
      }),
  }
}

function head(gauge: Gauge, minute: number, count: number, timeOf: TimeOf) {
  return {
    deduplicationId: `a1de0000-0000-4000-8000-${gauge.devEui.slice(-4)}${String(count).padStart(8, '0')}`,
    time: timeOf(minute).toISOString().replace('Z', '+00:00'),
    deviceInfo: {
      tenantId: '52f14cd4-c6f1-4fbd-8f87-4025e1d49242',
      tenantName: 'Alder County',
      applicationId: application,
      applicationName: 'river gauges',
      deviceProfileId: 'c4b3d2a1-0000-4000-8000-00000000a100',
      deviceProfileName: 'radar gauge',
      deviceName: gauge.name,
      devEui: gauge.devEui,
      deviceClassEnabled: 'CLASS_A',
      tags: { river: 'Alder Creek', place: `${gauge.latitude},${gauge.longitude}` },
    },
  }
}

export const levelOf = ({ reach }: Gauge, minute: number): number => rounded(levelM(reach, minute), 3)

const voltsOf = ({ batteryV }: Gauge, count: number): number => rounded(batteryV - count / 500, 3)

/** What the gauge itself sends: millimetres and millivolts, two bytes each. */
function payload(gauge: Gauge, minute: number, count: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(Math.round(levelOf(gauge, minute) * 1_000))
  bytes.writeUInt16BE(Math.round(voltsOf(gauge, count) * 1_000), 2)
  return bytes.toString('base64')
}
