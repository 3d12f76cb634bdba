// What the registry says of one quantity, and how its rows are written. The rows stand by family in quantities-weather.ts,
// quantities-water.ts, quantities-air.ts and quantities-devices.ts; quantities.ts looks them up.
//
//   air_temperature: quantity('Cel', -150, 200, 'Temperature of the air.', 'outdoor_temperature', 'temp_out'),
//   name in snake case        unit   range      sentence                    common words of devices, in snake case, beside the name
//
// A range is what is physically possible or what any instrument can show, never what is usual: a hurricane and a mountain town are
// both below 900 hPa. A word may stand with one quantity only; what a word means in one format alone belongs to that format's own
// folder, in a table of type `WordTable`.

export interface Quantity {
  /** UCUM code of the unit that we keep; "": a state, which has none. */
  readonly unit: string
  /** In `unit`; −Infinity and Infinity where nothing bounds it. */
  readonly min: number
  readonly max: number
  /** One sentence. */
  readonly about: string
  readonly words: readonly string[]
}

export const quantity = (unit: string, min: number, max: number, about: string, ...words: string[]): Quantity => ({
  unit,
  min,
  max,
  about,
  words,
})

/** Something that is so or not so. */
export const state = (about: string, ...words: string[]): Quantity => quantity('', 0, 1, about, ...words)

/** Nothing below it exists, in degrees Celsius. */
export const absoluteZeroCel = -273.15
/** Parts per million and the like: no more than all of it. */
export const ppmMax = 1e6
export const ppbMax = 1e9
/** Light does not go faster, in metres a second. */
export const lightMps = 299_792_458
