// Quantities: the lower-case names under which measurements are kept, guessed from a device's own word and the unit. A word that
// everybody understands wins, then the unit, then the device's word as it is; a guess never loses the word: it stays as channel.

/** Device's word, in snake case → quantity. */
const byWord: Readonly<Record<string, string>> = {
  temp: 'temperature',
  temperature: 'temperature',
  tmp: 'temperature',
  air_temperature: 'air_temperature',
  water_temperature: 'water_temperature',
  soil_temperature: 'soil_temperature',
  dew_point: 'dew_point',
  dewpoint: 'dew_point',
  hum: 'relative_humidity',
  humidity: 'relative_humidity',
  rh: 'relative_humidity',
  relative_humidity: 'relative_humidity',
  pressure: 'pressure',
  baro: 'pressure',
  barometer: 'pressure',
  air_pressure: 'air_pressure',
  battery: 'battery_level',
  batt: 'battery_level',
  battery_level: 'battery_level',
  voltage: 'voltage',
  current: 'current',
  power: 'power',
  energy: 'energy',
  level: 'level',
  water_level: 'water_level',
  stage: 'water_level',
  discharge: 'discharge',
  flow: 'flow',
  rain: 'rain',
  rainfall: 'rain',
  rain_rate: 'rain_rate',
  wind_speed: 'wind_speed',
  wind_direction: 'wind_direction',
  wind_gust: 'wind_gust',
  gust: 'wind_gust',
  illuminance: 'illuminance',
  lux: 'illuminance',
  co: 'carbon_monoxide',
  co2: 'carbon_dioxide',
  pm1: 'pm1',
  pm25: 'pm2_5',
  pm2_5: 'pm2_5',
  pm10: 'pm10',
  smoke: 'smoke',
  dose_rate: 'dose_rate',
}

/** UCUM code → quantity, where the unit leaves no doubt. */
const byUnit: Readonly<Record<string, string>> = {
  Cel: 'temperature',
  K: 'temperature',
  Pa: 'pressure',
  V: 'voltage',
  A: 'current',
  W: 'power',
  J: 'energy',
  Hz: 'frequency',
  lx: 'illuminance',
  Ohm: 'resistance',
  'S/m': 'conductivity',
  kg: 'mass',
  'm/s': 'speed',
  'm/s2': 'acceleration',
  'm3/s': 'flow',
  m3: 'volume',
  'W/m2': 'irradiance',
  'Sv/s': 'dose_rate',
  '[pH]': 'ph',
  '{beat}/min': 'heart_rate',
  '{beat}': 'heart_beats',
  'B[SPL]': 'sound_pressure_level',
}

/** SenML units that say more than the UCUM code they become. */
const bySourceUnit: Readonly<Record<string, string>> = {
  '%RH': 'relative_humidity',
  '%EL': 'battery_level',
  EL: 'battery_time_left',
  lat: 'latitude',
  lon: 'longitude',
}

const quantityLengthMax = 64 // observation.proto, Measurement.quantity

export function quantityOf(word: string, unitCode: string, sourceUnit = ''): string {
  // Most devices write the words of the table as they stand there.
  const name = Object.hasOwn(byWord, word) ? word : snakeCase(word)
  const known = own(byWord, name) ?? own(bySourceUnit, sourceUnit) ?? own(byUnit, unitCode)
  return known ?? (name === '' ? 'value' : name)
}

// Devices say the same few words again and again. Many that say others do no more than empty it.
const snakeCased = new Map<string, string>()
const snakeCasedMax = 1_024

/** "Soil-Moisture/1" → "soil_moisture_1": the form of every quantity's name. */
export function snakeCase(word: string): string {
  const known = snakeCased.get(word)
  if (known !== undefined) return known
  const made = inSnakeCase(word)
  if (snakeCased.size >= snakeCasedMax) snakeCased.clear()
  if (word.length <= quantityLengthMax) snakeCased.set(word, made)
  return made
}

function inSnakeCase(word: string): string {
  const parts = word.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return parts
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, quantityLengthMax)
}

// Object.prototype has names too: "constructor" is a word a device may use.
const own = (table: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
