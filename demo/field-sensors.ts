// Sensors that speak SenML: the rain gauge on the ridge, and a level sensor in a culvert whose modem breaks its messages off, and
// which once says what no culvert can hold.

import { levelM, rainMm, rainMmPerHour } from './flood.ts'
import { every, rounded, type Said, type TimeOf } from './said.ts'

const seconds = (timeOf: TimeOf, minute: number): number => timeOf(minute).getTime() / 1_000

const fromCulvert = { by: 'culvert-9', over: 'mqtt', to: 'tocsin/in/senml/culvert-9' } as const

export const fieldSensors: readonly Said[] = [
  ...every(5, 2).map(ridge),
  ...every(5, 0, 25).map((minute) => culvert(minute, levelOfCulvert(minute))),
  brokenOff(30, 'The sensor in the culvert at road 9 sends half a message. It is kept, with the reason.'),
  rubbish(35),
  culvert(40, 65_535, 'And then a level of 65 kilometres. It is kept too, and marked.'),
  ...every(5, 45).map((minute) => culvert(minute, levelOfCulvert(minute))),
]

function ridge(minute: number): Said {
  return {
    minute,
    by: 'rain-ridge',
    over: 'mqtt',
    to: 'tocsin/in/senml/rain-ridge',
    becomes: ['OBSERVATION'],
    ...(minute === 7 && { scene: 'It begins to pour on the ridge.' }),
    bytes: (timeOf) =>
      JSON.stringify([
        { bt: seconds(timeOf, minute), n: 'rain-rate', u: 'mm/h', v: rounded(rainMmPerHour(minute), 1) },
        { n: 'soil-moisture', u: '/', v: rounded(0.31 + 0.14 * (1 - Math.exp(-rainMm(minute) / 9)), 3) },
      ]),
  }
}

function levelOfCulvert(minute: number): number {
  return levelM({ baseM: 0.12, delayMin: 4, halfLifeMin: 7, gain: 0.21 }, minute)
}

const culvertPack = (timeOf: TimeOf, minute: number, level: number): string =>
  JSON.stringify([{ n: 'water-level', u: 'm', v: rounded(level, 2), t: seconds(timeOf, minute) }])

function culvert(minute: number, level: number, scene?: string): Said {
  return {
    minute,
    ...fromCulvert,
    becomes: ['OBSERVATION'],
    ...(scene !== undefined && { scene }),
    bytes: (timeOf) => culvertPack(timeOf, minute, level),
  }
}

function brokenOff(minute: number, scene: string): Said {
  return {
    minute,
    ...fromCulvert,
    becomes: { fault: 'syntax' },
    scene,
    bytes: (timeOf) => culvertPack(timeOf, minute, levelOfCulvert(minute)).slice(0, 31),
  }
}

/** A modem that repeats what lies in its memory. */
function rubbish(minute: number): Said {
  return {
    minute,
    ...fromCulvert,
    becomes: { fault: 'syntax' },
    bytes: () => Uint8Array.from({ length: 48 }, (_, n) => (n * 151 + 7) % 256),
  }
}
