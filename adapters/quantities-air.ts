// The registry's rows for what people must not breathe: air quality, gases, fire, radiation, sound; and for people's bodies.
// Mass in a volume (µg/m³) and shares (ppm, ppb) do not convert without gas, temperature and pressure: a value keeps the unit it
// came in, and is held against the range only where that is the unit of the row.

import { absoluteZeroCel, ppbMax, ppmMax, quantity, state } from './quantity.ts'

/** A cubic metre of the densest dust weighs less than 10 t. */
const massUgPerM3Max = 1e13
/** A reactor's core gives some Sv/s; instruments end far below. */
const doseRateSvPerSMax = 1000

export const airFamilies = {
  air_quality: {
    pm1: quantity('ug/m3', 0, massUgPerM3Max, 'Particles below 1 µm.', 'pm1_0', 'pm_1', 'pm01'),
    pm2_5: quantity('ug/m3', 0, massUgPerM3Max, 'Particles below 2.5 µm.', 'pm25', 'pm_2_5', 'pm_25'),
    pm4: quantity('ug/m3', 0, massUgPerM3Max, 'Particles below 4 µm.', 'pm4_0'),
    pm10: quantity('ug/m3', 0, massUgPerM3Max, 'Particles below 10 µm.', 'pm10_0', 'pm_10', 'pm100'),
    air_quality_index: quantity('1', 0, 10_000, 'Index of the air quality, by the source’s own rule.', 'aqi', 'iaq'),
    carbon_dioxide: quantity('[ppm]', 0, ppmMax, 'Carbon dioxide in the air.', 'co2', 'eco2'),
    ozone: quantity('[ppb]', 0, ppbMax, 'Ozone in the air.', 'o3'),
    nitrogen_dioxide: quantity('[ppb]', 0, ppbMax, 'Nitrogen dioxide in the air.', 'no2'),
    nitric_oxide: quantity('[ppb]', 0, ppbMax, 'Nitric oxide in the air.'),
    sulfur_dioxide: quantity('[ppb]', 0, ppbMax, 'Sulphur dioxide in the air.', 'so2', 'sulphur_dioxide'),
    volatile_organic_compounds: quantity('[ppb]', 0, ppbMax, 'Volatile organic compounds in the air.', 'voc', 'tvoc'),
    voc_level: quantity('1', 0, 1e6, 'Level of volatile organic compounds, in the source’s own scale.', 'voc_index'),
    formaldehyde: quantity('[ppb]', 0, ppbMax, 'Formaldehyde in the air.', 'hcho', 'ch2o'),
  },
  gas: {
    carbon_monoxide: quantity('[ppm]', 0, ppmMax, 'Carbon monoxide in the air.', 'co'),
    methane: quantity('[ppm]', 0, ppmMax, 'Methane in the air.', 'ch4'),
    propane: quantity('[ppm]', 0, ppmMax, 'Propane or liquefied petroleum gas in the air.', 'lpg', 'c3h8'),
    hydrogen: quantity('[ppm]', 0, ppmMax, 'Hydrogen in the air.', 'h2'),
    hydrogen_sulfide: quantity('[ppm]', 0, ppmMax, 'Hydrogen sulphide in the air.', 'h2s', 'hydrogen_sulphide'),
    hydrogen_cyanide: quantity('[ppm]', 0, ppmMax, 'Hydrogen cyanide in the air.', 'hcn'),
    ammonia: quantity('[ppm]', 0, ppmMax, 'Ammonia in the air.', 'nh3'),
    chlorine: quantity('[ppm]', 0, ppmMax, 'Chlorine in the air.', 'cl2'),
    phosphine: quantity('[ppm]', 0, ppmMax, 'Phosphine in the air.', 'ph3'),
    oxygen: quantity('%', 0, 100, 'Oxygen in the air, by volume.', 'o2'),
    // Above 100 % there is more gas than can burn; instruments go on for a while.
    explosive_limit: quantity('%', 0, 10_000, 'Flammable gas, of its lower explosive limit.', 'lel', 'combustible_gas'),
    gas_leak: state('Whether gas leaks.', 'gas_alarm', 'gas_detected'),
  },
  fire: {
    smoke: quantity(
      '',
      -Infinity,
      Infinity,
      'Smoke: whether there is any, or how much, in the source’s own unit.',
      'smoke_detected',
    ),
    smoke_alarm: state('Whether a smoke alarm sounds.'),
    heat_alarm: state('Whether a heat alarm sounds.'),
    carbon_monoxide_alarm: state('Whether a carbon monoxide alarm sounds.', 'co_alarm'),
    flame: state('Whether there is a flame.', 'flame_detected', 'fire_detected'),
  },
  radiation: {
    dose_rate: quantity(
      'Sv/s',
      0,
      doseRateSvPerSMax,
      'Equivalent dose rate.',
      'radiation',
      'gamma_dose_rate',
      'ambient_dose_rate',
    ),
    absorbed_dose_rate: quantity('Gy/s', 0, doseRateSvPerSMax, 'Absorbed dose rate.'),
    dose: quantity('Sv', 0, 1e6, 'Equivalent dose since the counter began.', 'accumulated_dose'),
    count_rate: quantity('1/s', 0, 1e12, 'Pulses of a counting tube in a time.', 'cps', 'cpm', 'geiger'),
    activity: quantity('Bq', 0, 1e30, 'Decays in a time.'),
    radon: quantity('Bq/m3', 0, 1e12, 'Radon in the air.', 'radon_activity'),
  },
  sound: {
    // A level is against a threshold: below nought is quieter; 194 dB is a full vacuum, blasts go beyond.
    sound_pressure_level: quantity('dB[SPL]', -50, 300, 'How loud it is.', 'sound_level', 'noise_level', 'spl', 'laeq'),
  },
  body: {
    heart_rate: quantity('{beat}/min', 0, 1000, 'Beats of a heart in a minute.', 'pulse_rate'),
    heart_beats: quantity('{beat}', 0, Infinity, 'Beats of a heart counted.'),
    blood_oxygen: quantity('%', 0, 100, 'Oxygen in the blood, of what it can hold.', 'spo2'),
    respiration_rate: quantity('1/s', 0, 20, 'Breaths in a time.', 'respiratory_rate'),
    body_temperature: quantity('Cel', absoluteZeroCel, 200, 'Temperature of a body.'),
  },
} as const
