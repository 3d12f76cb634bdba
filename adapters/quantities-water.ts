// The registry's rows for water and ground: gauges, waves, water quality, meters of water and gas, soil, and lengths of any kind.

import { quantity } from './quantity.ts'

/** From the bottom of the sea to what flies, above a datum. */
const [depthM, heightM] = [-12_000, 1e8]
const waterCelMin = -50
const waterCelMax = 400

export const waterFamilies = {
  water_level: {
    water_level: quantity(
      'm',
      depthM,
      10_000,
      'Height of the water above the zero of the gauge.',
      'stage',
      'gauge_height',
      'river_level',
      'tide_level',
    ),
    groundwater_level: quantity('m', depthM, 10_000, 'Height of the groundwater above its datum.'),
    water_depth: quantity('m', 0, 12_000, 'Depth of the water.'),
    flooded: quantity('', 0, 1, 'Whether there is water where none should be.', 'flood'),
  },
  water_flow: {
    // The Amazon carries 2 × 10⁵; tides turn rivers round.
    discharge: quantity('m3/s', -1e7, 1e7, 'Water that a river carries.', 'streamflow'),
    flow: quantity('m3/s', -1e7, 1e7, 'Volume of a liquid or gas that flows.', 'flow_rate'),
    water_velocity: quantity('m/s', -200, 200, 'Speed of the water.', 'current_speed'),
  },
  waves: {
    wave_height: quantity(
      'm',
      0,
      600,
      'Height of the waves, significant where nothing else is said.',
      'significant_wave_height',
    ),
    wave_period: quantity('s', 0, 100_000, 'Time between two waves.'),
    wave_direction: quantity('deg', 0, 360, 'Where the waves come from, clockwise from north.'),
  },
  water_quality: {
    water_temperature: quantity('Cel', waterCelMin, waterCelMax, 'Temperature of the water.', 'water_temp'),
    ph: quantity('[pH]', -5, 20, 'Acidity.', 'ph_value'),
    water_ph: quantity('[pH]', -5, 20, 'Acidity of the water.'),
    conductivity: quantity(
      'S/m',
      0,
      1e9,
      'How well something conducts electricity.',
      'specific_conductance',
      'electrical_conductivity',
      'conductance',
    ),
    turbidity: quantity('[NTU]', 0, 1e6, 'How cloudy the water is.'),
    dissolved_oxygen: quantity('kg/m3', 0, 1, 'Oxygen dissolved in the water.'),
    oxygen_saturation_of_water: quantity(
      '%',
      0,
      1000,
      'Dissolved oxygen, of what the water could hold.',
      'dissolved_oxygen_saturation',
    ),
    salinity: quantity('1', 0, 500, 'Salt in the water, practical salinity.'),
    redox_potential: quantity('V', -10, 10, 'Redox potential of the water.', 'orp'),
    chlorophyll: quantity('ug/m3', 0, 1e9, 'Chlorophyll in the water.', 'chlorophyll_a'),
    total_dissolved_solids: quantity('[ppm]', 0, 1e6, 'All that is dissolved in the water.', 'tds'),
  },
  meters: {
    volume: quantity('m3', -1e15, 1e15, 'A volume, or what a meter has counted.'),
    water_volume: quantity(
      'm3',
      0,
      1e15,
      'Water that a meter has counted.',
      'water_usage',
      'water_consumption',
      'water_total',
    ),
    gas_volume: quantity('m3', 0, 1e15, 'Gas that a meter has counted.', 'gas_consumption', 'gas_total'),
    meter_reading: quantity('1', -Infinity, Infinity, 'What a meter has counted, in units of its own.'),
  },
  soil: {
    soil_moisture: quantity(
      '%',
      0,
      100,
      'Water in the soil, of what the sensor or the soil can hold.',
      'soil_humidity',
      'soil_water',
    ),
    soil_temperature: quantity('Cel', -150, 1500, 'Temperature of the soil.', 'soil_temp'),
    soil_conductivity: quantity('S/m', 0, 1000, 'How well the soil conducts electricity.', 'soil_ec'),
    soil_tension: quantity(
      'Pa',
      -1e9,
      1e9,
      'How strongly the soil holds its water.',
      'soil_water_potential',
      'soil_suction',
    ),
    soil_ph: quantity('[pH]', -5, 20, 'Acidity of the soil.'),
  },
  distance: {
    level: quantity('m', depthM, heightM, 'A level of something, above its zero.', 'fill_height'),
    depth: quantity('m', depthM, 1e7, 'How deep something is.'),
    height: quantity('m', depthM, heightM, 'How high something is.'),
    distance: quantity('m', 0, Infinity, 'How far something is.'),
    displacement: quantity('m', -1e7, 1e7, 'How far something has moved from its place.', 'crack_width'),
    altitude: quantity(
      'm',
      depthM,
      heightM,
      'Height above the ellipsoid or the sea, as the source has it.',
      'elevation',
      'alt',
    ),
    fill_level: quantity('%', 0, 100, 'How full something is.', 'tank_level', 'fuel_level'),
    latitude: quantity('deg', -90, 90, 'Geographical latitude.', 'lat'),
    longitude: quantity('deg', -180, 180, 'Geographical longitude.', 'lon', 'lng'),
  },
} as const
