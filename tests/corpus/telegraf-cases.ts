// The test cases of Telegraf's parser json_v2, each telegraf.conf written again as a mapping of ours. Tags become attributes,
// fields become measurements whose channel has the field's name. What cannot be written is named with the reason.

export type Fields = Readonly<Record<string, string | readonly [value: string, as: string]>>

export interface Rows {
  readonly each?: string
  readonly entries?: string
  readonly tags?: Fields
  readonly fields: Fields
  readonly time?: { path: string; format: string; zone?: string }
}

export interface TelegrafCase {
  /** One list of rows for each mapping that is read over the input; the rows of all are put together. */
  readonly rows: readonly Rows[]
  /** Why times are left out of the comparison. */
  readonly ignoresTime?: string
}

const ignoresTime = 'the time in expected.out is not the one in the input: the source compares without times'

export const cannotBeWritten: Readonly<Record<string, string>> = {
  optional: 'it has no expected values: it shows that a wrong path is no error, as with us',
  wrong_path:
    'its expectation is an error text of Telegraf; with us a path that leads nowhere is absent, and `required` makes it an error',
}

export const telegrafCases: Readonly<Record<string, TelegrafCase>> = {
  '10670': {
    rows: [
      {
        tags: {
          customer_name: 'sensor_customer_name',
          imei: 'weight_ROWKEY',
          serial_number: 'weight_serialNumber',
          distributor_name: 'sensor_distributor_name',
        },
        fields: { weight: 'weight_weight' },
      },
    ],
  },
  array_of_objects: { rows: [{ each: 'features', fields: { properties_mag: 'properties.mag' } }] },
  benchmark: {
    ignoresTime,
    rows: [
      {
        each: 'metrics',
        fields: {
          count_sum: 'fields.count_sum',
          flagname: 'tags.flagname',
          host: 'tags.host',
          key: 'tags.key',
          name: 'name',
          platform: 'tags.platform',
          sdkver: 'tags.sdkver',
          timestamp: 'timestamp',
          value: 'tags.value',
        },
      },
    ],
  },
  complex_nesting: {
    rows: [
      {
        each: 'features.($f := $; geometry.coordinates.{"c": $, "f": $f})',
        tags: { properties_place: 'f.properties.place' },
        fields: {
          geometry_coordinates: 'c',
          geometry_type: 'f.geometry.type',
          id: 'f.id',
          properties_mag: 'f.properties.mag',
          properties_updated: 'f.properties.updated',
          type: 'f.type',
        },
      },
    ],
  },
  fields_and_tags: {
    rows: [
      {
        each: '($r := $; fields.json.{"d": duration, "r": $r})',
        tags: { status: 'r.fields.status' },
        fields: { duration: 'r.fields.duration', json_duration: 'd' },
      },
    ],
  },
  fields_and_tags_complex: {
    rows: [
      {
        each: 'root.station.($s := $; etd.estimate.{"minutes": minutes, "name": $s.name})',
        tags: { name: 'name' },
        fields: { minutes: ['minutes', 'integer'] },
      },
    ],
  },
  large_numbers: {
    rows: ['int', 'uint', 'float'].map((group) => ({
      fields: { large: `${group}.large`, larger: `${group}.larger`, largest: `${group}.largest` },
    })),
  },
  measurement_name_int: { rows: [{ fields: { label: 'label' } }] },
  mix_field_and_object: {
    ignoresTime,
    rows: [
      {
        tags: { id: 'id', name: 'name' },
        fields: {
          coord_lat: 'coord.lat',
          coord_lon: 'coord.lon',
          description: 'weather[0].description',
          main_temp: 'main.temp',
          summary: 'weather[0].main',
          wind_speed: 'wind.speed',
        },
      },
    ],
  },
  multiple_arrays_in_object: {
    rows: [
      {
        each: 'book.($b := $; random.($r := $; $b.characters.($c := $; $b.chapters.{"b": $b, "r": $r, "c": $c, "h": $})))',
        tags: { title: 'b.title' },
        fields: { author: 'b.author', chapters: 'h', name: 'c.name', random: 'r', species: 'c.species' },
      },
    ],
  },
  multiple_json_input: {
    rows: [
      {
        each: 'root.station',
        tags: {
          from_station: 'abbr',
          to_station: 'etd[0].abbreviation',
          etd_estimate_direction: 'etd[0].estimate[0].direction',
        },
        fields: { minutes: ['etd[0].estimate[0].minutes', 'integer'] },
      },
    ],
  },
  multiple_timestamps: {
    ignoresTime,
    rows: [{ each: 'events', fields: { name: 'name' }, time: { path: 'time', format: 'unix_ms' } }],
  },
  nested_and_nonnested_tags: {
    rows: [
      {
        each: '$.($h := $; tables[outputname].{"h": $h, "t": $})',
        tags: { hostname: 'h.hostname', outputname: 't.outputname' },
        fields: { systemVoltage: 'h.systemVoltage', systemCurrent: 'h.systemCurrent' },
      },
    ],
  },
  nested_array_of_objects: {
    ignoresTime,
    rows: [
      {
        each: '$',
        tags: { name: 'name' },
        fields: {
          LogEndOffset: 'data.LogEndOffset',
          LogStartOffset: 'data.LogStartOffset',
          NumLogSegments: 'data.NumLogSegments',
          Size: 'data.Size',
          UnderReplicatedPartitions: 'data.UnderReplicatedPartitions',
        },
      },
    ],
  },
  nested_objects_optional: {
    ignoresTime,
    rows: [
      {
        tags: { datatype: 'datatype', name: 'name' },
        fields: { value_f: 'value' },
        time: { path: 'timestamp', format: 'unix_ms' },
      },
      ...[
        ['float', 'f', 'number'],
        ['string', 's', 'text'],
        ['int', 'i', 'integer'],
        ['bool', 'b', 'flag'],
      ].map(([type = '', letter = '', as = '']) => ({
        each: `metrics[datatype="${type}"]`,
        tags: { datatype: 'datatype' },
        fields: { [`value_${letter}`]: ['value', as] as const, name: 'name' },
      })),
    ],
  },
  nested_tags: { rows: [{ entries: '$', ...disk() }] },
  nested_tags_complex: { rows: [{ each: '$append(`Group A`.`Sub-group 1`, `Group B`.`Sub-group 1`)', ...disk() }] },
  null: {
    rows: [
      {
        each: 'features',
        tags: { id: 'id', type: 'type' },
        fields: {
          detail: 'properties.detail',
          mag: 'properties.mag',
          place: 'properties.place',
          status: 'properties.status',
          time: 'properties.time',
          updated: 'properties.updated',
          url: 'properties.url',
          felt: 'properties.felt',
          alert: 'properties.alert',
        },
      },
    ],
  },
  object: {
    rows: [
      {
        each: 'root.station.($s := $; etd.($e := $; estimate.{"m": minutes, "d": $e.destination, "n": $s.name}))',
        tags: { destination: 'd', name: 'n' },
        fields: { minutes: ['m', 'integer'] },
      },
    ],
  },
  object_fields_with_same_path: {
    rows: [
      { fields: { production: 'production.eim.wattHoursLifetime' } },
      { fields: { consumption: 'consumption.eim.wattHoursLifetime' } },
    ],
  },
  object_multiple: {
    ignoresTime,
    rows: [
      {
        fields: Object.fromEntries(
          [200, 201, 202, 204, 404, 500, 503].map((code) => [code, `api.http_status_codes.\`${code}\``]),
        ),
      },
      { fields: { requests: 'api.requests' } },
      { fields: { responses: 'api.responses' } },
      { fields: { sessions_added: 'api.av.sessions.added', sessions_removed: 'api.av.sessions.removed' } },
    ],
  },
  object_timestamp: {
    rows: [
      { each: 'events', tags: { id: 'id' }, fields: { value: 'value' }, time: { path: 'time', format: 'rfc3339' } },
    ],
  },
  optional_objects: {
    rows: [
      {
        tags: { Meter_number: 'MT681.Meter_number' },
        fields: { Power_curr: 'MT681.Power_curr', Total_in: 'MT681.Total_in' },
        ...localTime(),
      },
      {
        fields: { Humidity: 'BME280.Humidity', Pressure: 'BME280.Pressure', Temperature: 'BME280.Temperature' },
        ...localTime(),
      },
      { fields: { Illuminance: 'TSL2561.Illuminance' }, ...localTime() },
    ],
  },
  string_type_objects: {
    ignoresTime,
    rows: [
      {
        tags: { controller_id: 'controller_id' },
        fields: {
          active_issues: ['active_issues', 'text'],
          event_type: 'event.type',
          metadata: ['event.metadata', 'text'],
          severity: 'event.severity',
          state: 'event.state',
        },
      },
    ],
  },
  subfieldtag_in_object: {
    rows: [
      {
        each: 'root.station',
        tags: {
          from_station: 'abbr',
          to_station: 'etd[0].abbreviation',
          etd_estimate_direction: 'etd[0].estimate[0].direction',
        },
        fields: { etd_estimate_minutes: ['etd[0].estimate[0].minutes', 'integer'] },
      },
    ],
  },
  subfieldtag_in_object_2: {
    rows: [
      { each: '($r := $; data.{"d": $, "r": $r})', tags: { data: 'd' }, fields: { cnt: 'r.cnt', format: 'r.format' } },
    ],
  },
  timestamp: {
    ignoresTime,
    rows: [{ each: 'measurements', tags: { name: 'name', units: 'units' }, fields: { value: 'value' } }],
  },
  timestamp_ns: {
    rows: [{ each: 'test', fields: { value: 'value' }, time: { path: '$root.timestamp', format: 'unix_ns' } }],
  },
  timestamp_rfc3339: { rows: [{ fields: { f: 'f' }, time: { path: 'when', format: 'rfc3339' } }] },
  types: {
    rows: [
      {
        fields: {
          explicitstringtypeName: ['explicitstringtype', 'text'],
          defaultstringtypeName: 'defaultstringtype',
          convertbooltostringName: ['convertbooltostring', 'text'],
          convertinttostringName: ['convertinttostring', 'text'],
          convertfloattostringName: ['convertfloattostring', 'text'],
        },
      },
      {
        fields: {
          defaultinttypeName: 'defaultinttype',
          convertfloatointName: ['convertfloatoint', 'integer'],
          convertstringtointName: ['convertstringtoint', 'integer'],
          convertbooltointName: ['convertbooltoint', 'integer'],
          explicitinttypeName: ['explicitinttype', 'integer'],
          uinttype: ['explicitinttype', 'integer'],
        },
      },
      {
        fields: {
          convertstringtofloatName: ['convertstringtofloat', 'number'],
          explicitfloattypeName: ['explicitfloattype', 'number'],
          defaultfloattypeName: 'defaultfloattype',
          convertintotfloatName: ['convertintotfloat', 'number'],
        },
      },
      {
        fields: {
          explicitbooltypeName: ['explicitbooltype', 'flag'],
          defaultbooltypeName: 'defaultbooltype',
          convertinttoboolName: ['convertinttobool', 'flag'],
          convertstringtoboolName: ['convertstringtobool', 'flag'],
          convertintstringtoboolTrueName: ['convertintstringtoboolTrue', 'flag'],
          convertintstringtoboolFalseName: ['convertintstringtoboolFalse', 'flag'],
        },
      },
    ],
  },
}

function disk(): Rows {
  return {
    tags: { Firmware: 'Firmware', Model: 'Model', Serial: 'Serial' },
    fields: { Count: 'Count', Errors: 'Errors' },
  }
}

function localTime(): Pick<Rows, 'time'> {
  return { time: { path: 'Time', format: '%Y-%m-%dT%H:%M:%S', zone: 'UTC' } }
}
