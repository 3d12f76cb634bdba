// Units: what sources write → the UCUM code of the SI unit we keep, and how to get there. Two tables, because the same letters
// mean different things: "%" is a ratio in SenML and a percentage everywhere else.
//
// A line reads: source unit → code, and value in code = (value − less) × times ÷ per. To add a unit, add a line and a case to
// tests/units.test.ts. Kept as they are, because they do not convert without more facts: ppm, ppb and µg/m³ (gas, temperature
// and pressure), levels such as Bel SPL, and what is no quantity at all (pH, counts).

export interface Unit {
  /** UCUM code of what we keep; "1" for a pure number. */
  readonly code: string
  readonly less?: number
  readonly times?: number
  readonly per?: number
}

/** The value in `unit.code`. Products and quotients, not rounded factors: 12 ms is 12 ÷ 1000 s exactly. */
export function toSi(value: number, unit: Unit): number {
  return ((value - (unit.less ?? 0)) * (unit.times ?? 1)) / (unit.per ?? 1)
}

export const isSame = (unit: Unit): boolean =>
  unit.less === undefined && unit.times === undefined && unit.per === undefined

const same = (code: string): Unit => ({ code })
const times = (factor: number, code: string): Unit => ({ code, times: factor })
const per = (divisor: number, code: string): Unit => ({ code, per: divisor })
const asTheyAre = (...codes: string[]): [string, Unit][] => codes.map((code) => [code, same(code)])

// Exact by definition: international foot and mile (1959), nautical mile (1929), pound (1959), standard gravity, inch of mercury
// at 0 °C by UCUM.
const metresPerFoot = 0.3048
const metresPerMile = 1609.344
const metresPerNauticalMile = 1852
const pascalsPerInHg = 3386.389
const pascalsPerPsi = 6894.757293168361
const cubicMetresPerGallon = 0.003785411784
const kilogramsPerPound = 0.45359237

/** SenML unit → what we keep. RFC 8428 §12.1 and RFC 8798 §2 (primary), RFC 8798 §3 (secondary). */
export const senmlUnits: ReadonlyMap<string, Unit> = new Map([
  ...asTheyAre(
    'm',
    'kg',
    's',
    'A',
    'K',
    'cd',
    'mol',
    'Hz',
    'rad',
    'sr',
    'N',
    'Pa',
    'J',
    'W',
    'C',
    'V',
    'F',
    'Ohm',
    'S',
  ),
  ...asTheyAre('Wb', 'T', 'H', 'Cel', 'lm', 'lx', 'Bq', 'Gy', 'Sv', 'kat', 'm2', 'm3', 'm/s', 'm/s2', 'm3/s', 'W/m2'),
  ...asTheyAre('cd/m2', 'bit', 'bit/s', 'dB', 'S/m', 'J/m', 'kg/m3', 'deg', '1/s'),
  ['g', per(1000, 'kg')],
  ['l', per(1000, 'm3')],
  ['l/s', per(1000, 'm3/s')],
  ['lat', same('deg')],
  ['lon', same('deg')],
  ['pH', same('[pH]')],
  ['dBW', same('dB[W]')],
  ['Bspl', same('B[SPL]')],
  ['count', same('1')],
  ['/', same('1')],
  // RFC 8428 §12.1: for historical reasons the same unit as "/", 0 to 1 and no percentage.
  ['%', same('1')],
  ['%RH', same('%')],
  ['%EL', same('%')],
  ['EL', same('s')],
  ['1/min', per(60, '1/s')],
  ['beat/min', same('{beat}/min')],
  ['beats', same('{beat}')],
  ['B', same('By')],
  ['VA', same('V.A')],
  ['VAs', same('V.A.s')],
  ['var', same('V.A{reactive}')],
  ['vars', same('V.A.s{reactive}')],
  // Secondary units.
  ['ms', per(1000, 's')],
  ['min', times(60, 's')],
  ['h', times(3600, 's')],
  ['MHz', times(1e6, 'Hz')],
  ['kW', times(1000, 'W')],
  ['kVA', times(1000, 'V.A')],
  ['kvar', times(1000, 'V.A{reactive}')],
  ['Ah', times(3600, 'C')],
  ['Wh', times(3600, 'J')],
  ['kWh', times(3.6e6, 'J')],
  ['varh', times(3600, 'V.A.s{reactive}')],
  ['kvarh', times(3.6e6, 'V.A.s{reactive}')],
  ['kVAh', times(3.6e6, 'V.A.s')],
  ['Wh/km', { code: 'J/m', times: 36, per: 10 }],
  ['KiB', times(1024, 'By')],
  ['GB', times(1e9, 'By')],
  ['Mbit/s', times(1e6, 'bit/s')],
  ['B/s', times(8, 'bit/s')],
  ['MB/s', times(8e6, 'bit/s')],
  ['mV', per(1000, 'V')],
  ['mA', per(1000, 'A')],
  ['dBm', { code: 'dB[W]', less: 30 }],
  ['ug/m3', same('ug/m3')],
  ['mm/h', per(3.6e6, 'm/s')],
  ['m/h', per(3600, 'm/s')],
  ['ppm', same('[ppm]')],
  ['/100', same('%')],
  ['/1000', per(1000, '1')],
  ['hPa', times(100, 'Pa')],
  ['mm', per(1000, 'm')],
  ['cm', per(100, 'm')],
  ['km', times(1000, 'm')],
  ['km/h', { code: 'm/s', times: 10, per: 36 }],
])

/** UCUM codes and the words that people and devices write for them → what we keep. */
export const words: ReadonlyMap<string, Unit> = new Map([
  ...asTheyAre(
    '1',
    '%',
    'm',
    'kg',
    's',
    'A',
    'K',
    'cd',
    'mol',
    'Hz',
    'rad',
    'deg',
    'sr',
    'N',
    'Pa',
    'J',
    'W',
    'C',
    'V',
    'F',
  ),
  ...asTheyAre(
    'Ohm',
    'S',
    'Wb',
    'T',
    'H',
    'Cel',
    'lm',
    'lx',
    'Bq',
    'Gy',
    'Sv',
    'kat',
    'm2',
    'm3',
    'm/s',
    'm/s2',
    'm3/s',
  ),
  ...asTheyAre(
    'W/m2',
    'cd/m2',
    'S/m',
    'J/m',
    'kg/m3',
    'bit',
    'bit/s',
    'By',
    'dB',
    'dB[W]',
    'B[SPL]',
    '1/s',
    '[pH]',
    'V.A',
  ),
  ...asTheyAre('V.A.s', 'V.A{reactive}', 'V.A.s{reactive}', '[ppm]', '[ppb]', 'ug/m3', 'mg/m3', '{beat}/min', '{beat}'),
  ...asTheyAre('Sv/s', 'Gy/s', 'Bq/m3', '[NTU]', 'dB[SPL]'),
  ...named(same('Cel'), 'degC', '°C', '℃', 'celsius'),
  ...named({ code: 'Cel', less: 32, times: 5, per: 9 }, '[degF]', 'degF', '°F', '℉', 'fahrenheit'),
  ...named(same('%'), 'percent', '%RH'),
  ...named(same('lx'), 'lux'),
  ...named(times(1000, 'lx'), 'klx', 'klux'),
  ...named(same('deg'), '°', 'degree', 'degrees'),
  ...named(same('Ohm'), 'ohm', 'Ω'),
  ...named(same('V.A'), 'VA'),
  ...named(same('V.A{reactive}'), 'var'),
  ...named(same('1'), '{count}', 'count', 'ratio'),
  ...named(same('[ppm]'), 'ppm'),
  ...named(same('[ppb]'), 'ppb'),
  ...named(same('[pH]'), 'pH'),
  ...named(same('[NTU]'), 'NTU'),
  ...named(same('ug/m3'), 'µg/m³', 'μg/m³', 'ug/m³', 'µg/m3'),
  ...named(same('mg/m3'), 'mg/m³'),
  ...named(per(1000, 'kg/m3'), 'g/m3', 'g/m³', 'mg/L', 'mg/l'),
  ...named(times(1000, 'ug/m3'), 'ug/L', 'µg/L', 'ug/l'),
  ...named(same('m3'), 'm³'),
  ...named(same('m/s2'), 'm/s²'),
  ...named(same('W/m2'), 'W/m²'),
  ...named(same('{beat}/min'), 'bpm', 'beat/min'),
  ...named(same('dB[SPL]'), 'dBA', 'dB(A)'),
  ...named(same('dB[W]'), 'dBW'),
  ...named({ code: 'dB[W]', less: 30 }, 'dBm', 'dB[mW]'),
  ...named(per(1e6, 'm'), 'um', 'µm'),
  ...named(per(1000, 'm'), 'mm'),
  ...named(per(100, 'm'), 'cm'),
  ...named(times(1000, 'm'), 'km'),
  ...named(times(metresPerFoot, 'm'), '[ft_i]', 'ft', 'foot', 'feet'),
  ...named({ code: 'm', times: 254, per: 10000 }, '[in_i]', 'in', 'inch'),
  ...named(times(metresPerMile, 'm'), '[mi_i]', 'mi', 'mile'),
  ...named(times(metresPerNauticalMile, 'm'), '[nmi_i]', 'nmi', 'NM'),
  ...named({ code: 'm/s', times: 10, per: 36 }, 'km/h', 'kph', 'kmh'),
  ...named({ code: 'm/s', times: metresPerMile, per: 3600 }, '[mi_i]/h', 'mph', 'mi/h'),
  ...named({ code: 'm/s', times: metresPerNauticalMile, per: 3600 }, '[kn_i]', 'kn', 'kt', 'knot', 'knots'),
  ...named(times(metresPerFoot, 'm/s'), '[ft_i]/s', 'ft/s', 'fps'),
  ...named(per(3.6e6, 'm/s'), 'mm/h'),
  ...named({ code: 'm/s', times: 254, per: 3.6e7 }, '[in_i]/h', 'in/h'),
  ...named(times(100, 'Pa'), 'hPa', 'mbar', 'mb'),
  ...named(times(1000, 'Pa'), 'kPa'),
  ...named(times(1e5, 'Pa'), 'bar'),
  ...named(times(pascalsPerInHg, 'Pa'), "[in_i'Hg]", 'inHg'),
  ...named(times(133.322387415, 'Pa'), 'mm[Hg]', 'mmHg'),
  ...named(times(pascalsPerPsi, 'Pa'), '[psi]', 'psi'),
  ...named(per(1000, 'kg'), 'g'),
  ...named(per(1e6, 'kg'), 'mg'),
  ...named(times(1000, 'kg'), 't'),
  ...named(times(kilogramsPerPound, 'kg'), '[lb_av]', 'lb', 'lbs'),
  ...named(per(1000, 'm3'), 'L', 'l', 'litre', 'liter'),
  ...named(per(1e6, 'm3'), 'mL', 'ml'),
  ...named(times(cubicMetresPerGallon, 'm3'), '[gal_us]', 'gal'),
  ...named(per(1000, 'm3/s'), 'L/s', 'l/s'),
  ...named(per(60000, 'm3/s'), 'L/min', 'l/min'),
  ...named(per(3600, 'm3/s'), 'm3/h', 'm³/h'),
  ...named({ code: 'm3/s', times: cubicMetresPerGallon, per: 60 }, '[gal_us]/min', 'gpm'),
  ...named(times(metresPerFoot ** 3, 'm3/s'), '[cft_i]/s', 'ft3/s', 'cfs'),
  ...named(per(1e6, 's'), 'us', 'µs'),
  ...named(per(1000, 's'), 'ms'),
  ...named(times(60, 's'), 'min'),
  ...named(times(3600, 's'), 'h'),
  ...named(times(86400, 's'), 'd', 'day'),
  ...named(per(1000, 'V'), 'mV'),
  ...named(times(1000, 'V'), 'kV'),
  ...named(per(1000, 'A'), 'mA'),
  ...named(per(1e6, 'A'), 'uA', 'µA'),
  ...named(per(1000, 'W'), 'mW'),
  ...named(times(1000, 'W'), 'kW'),
  ...named(times(1e6, 'W'), 'MW'),
  ...named(times(3600, 'C'), 'A.h', 'Ah'),
  ...named({ code: 'C', times: 36, per: 10 }, 'mA.h', 'mAh'),
  ...named(times(3600, 'J'), 'W.h', 'Wh'),
  ...named(times(3.6e6, 'J'), 'kW.h', 'kWh'),
  ...named(times(1000, 'J'), 'kJ'),
  ...named(times(1000, 'V.A'), 'kVA'),
  ...named(times(1000, 'Hz'), 'kHz'),
  ...named(times(1e6, 'Hz'), 'MHz'),
  ...named(times(1e9, 'Hz'), 'GHz'),
  ...named(per(60, '1/s'), '/min', '1/min', '{rev}/min', 'rpm', 'cpm', 'CPM'),
  ...named(same('1/s'), '/s', 'cps', 'CPS'),
  ...named(per(3.6e9, 'Sv/s'), 'uSv/h', 'µSv/h'),
  ...named(per(3.6e6, 'Sv/s'), 'mSv/h'),
  ...named(per(3.6e9, 'Gy/s'), 'uGy/h', 'µGy/h'),
  ...named(times(37, 'Bq/m3'), 'pCi/L'),
  ...named(per(1e4, 'S/m'), 'uS/cm', 'µS/cm'),
  ...named(per(10, 'S/m'), 'mS/cm'),
  ...named(times(1000, 'By'), 'kB'),
  ...named(times(1e6, 'By'), 'MB'),
  ...named(times(1e9, 'By'), 'GB'),
  ...named(times(1024, 'By'), 'KiBy', 'KiB'),
])

function named(unit: Unit, ...names: string[]): [string, Unit][] {
  return names.map((name) => [name, unit])
}

/** The word of the table that looks most like `word`, for error messages. */
export function nearestUnit(word: string): string {
  return nearest(word, words.keys())
}

/** The candidate with the fewest edits; case counts half. */
export function nearest(word: string, candidates: Iterable<string>): string {
  let [best, least] = ['', Infinity]
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase()) + (word === candidate ? 0 : 0.5)
    if (edits < least) [best, least] = [candidate, edits]
  }
  return best
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
