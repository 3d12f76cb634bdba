// Every setting there is: key, kind, default, and a sentence. The check at start, the sample file, the reference in docs/ and the
// environment overrides all come from this table, and from nothing else.

export type Kind = 'text' | 'secret' | 'flag' | 'count' | 'bytes' | 'duration' | 'list' | 'choice' | 'tree'

export interface Setting {
  readonly kind: Kind
  /** As a person writes it; undefined: not set. Lists are written with commas. */
  readonly default?: string | number | boolean
  readonly about: string
  /** For `choice`. */
  readonly of?: readonly string[]
  /** Smallest and largest that make sense, in the unit of the value: bytes, milliseconds, or a count. */
  readonly min?: number
  readonly max?: number
  readonly example?: string
}

export const settingsTable = {
  data_dir: { kind: 'text', default: './data', about: 'Folder of the log and everything else that is kept.' },
  'gateway.name': {
    kind: 'text',
    default: 'tocsin',
    about: 'Name of this gateway, as neighbours and records will show it; later the name of its certificate.',
    example: 'gateway.county-a.example',
  },
  'gateway.jurisdiction': {
    kind: 'text',
    default: 'local',
    about: 'The jurisdiction whose gateway this is.',
    example: 'county-a.example',
  },
  'gateway.owner': {
    kind: 'text',
    default: '',
    about: 'FQDN of the agency that owns what comes in, where an input does not name another.',
    example: 'em.county-a.example',
  },
  'gateway.message_status': {
    kind: 'choice',
    of: ['ACTUAL', 'EXERCISE', 'SYSTEM', 'TEST'],
    default: 'ACTUAL',
    about: 'CAP status of messages whose format cannot state one.',
  },
  'access.loopback': {
    kind: 'flag',
    default: true,
    about:
      'Whether who connects from this machine by gRPC or HTTP and shows neither token nor certificate may see and do everything.',
  },
  'access.session': {
    kind: 'duration',
    default: '12h',
    min: 300_000,
    max: 86_400_000,
    about: 'How long a person who signed in stays so: a shift.',
  },
  'access.position_required': {
    kind: 'flag',
    default: false,
    about: 'Whether people may sign in only at positions that show a client certificate of their own.',
  },
  'access.break_glass_roles': {
    kind: 'list',
    default: 'records, operator',
    about: 'Roles of the sealed account for emergencies, from its next sealing on.',
  },
  roles: {
    kind: 'tree',
    about:
      'Roles beside those that are built in: a list of {name, about, include: [PII, PHI, CJI, law_enforcement_position], ops, frames, reads, calls: [names of calls]}.',
  },
  'devices.unknown': {
    kind: 'choice',
    of: ['wait', 'refuse'],
    default: 'wait',
    about:
      'What becomes of an MQTT client with a certificate of tls.client_ca whose name nobody has entered: it may connect and what it sends waits for `tocsin devices admit`, or it is refused.',
  },
  'devices.admit': {
    kind: 'choice',
    of: ['loopback', 'entered'],
    default: 'loopback',
    about:
      'Which devices need not wait: those of this machine that show no name too, or only those that somebody has entered or admitted.',
  },
  'devices.waiting_max': {
    kind: 'count',
    default: 100_000,
    min: 100,
    max: 1_000_000,
    about:
      'Most routine messages that wait for their device to be admitted, of all devices; of one a hundredth of it, but at least 100. The oldest are let go first; urgent ones never.',
  },
  'mqtt.listen': {
    kind: 'list',
    default: 'mqtt://127.0.0.1:1883, ws://127.0.0.1:9001',
    about: 'Where MQTT is taken: mqtt:// (TCP), mqtts:// (TLS, usually port 8883), ws:// and wss:// (WebSocket).',
  },
  'mqtt.anonymous': {
    kind: 'flag',
    default: true,
    about:
      'Whether clients without a name and secret are let in, on loopback listeners only; while mqtt.users lists nobody, so are those with one.',
  },
  'mqtt.users': {
    kind: 'tree',
    about:
      'Who may connect by name and secret: a list of {name, secret_hash (made by `tocsin secret`), publish: [topic filters], subscribe: [topic filters], include: [labels beyond OPS that it may see on topics of labelled inputs]}.',
  },
  'mqtt.packet_bytes_max': {
    kind: 'bytes',
    default: '1MiB',
    min: 1024,
    max: 16 * 2 ** 20,
    about: 'Largest MQTT packet that is taken.',
  },
  'mqtt.connections_max': { kind: 'count', default: 20_000, min: 1, about: 'Most MQTT connections at once.' },
  'mqtt.keep_alive_max': {
    kind: 'duration',
    default: '1h',
    min: 10_000,
    max: 65_535_000,
    about:
      'Longest MQTT keep-alive, in whole seconds; who asks for a longer one, or for none, is held to this. A client that is silent for one and a half times as long is cut.',
  },
  'mqtt.out': {
    kind: 'flag',
    default: false,
    about:
      'Whether events are published to MQTT subscribers, on tocsin/v1/<jurisdiction>/<message_status>/<lane>/<kind>/<subject> as protobuf and on …/json.',
  },
  'mqtt.out_include': {
    kind: 'list',
    default: '',
    about:
      'What is published so although it is not by default; one or more of PII, PHI, CJI (events that carry these labels, and such fields of others) and law_enforcement_position.',
  },
  'mqtt.links': {
    kind: 'tree',
    about:
      'Links to other MQTT brokers, which mosquitto calls bridges: a list of {name, url (mqtt, mqtts, ws, wss), version: 5 or 4, client_id, username, password_file or password_environment, ca, certificate, key (PEM files), keep_alive: 60s, session_expiry: 7d, in_flight: 100, publish: [topic filters], in: [{filter, local_prefix, remote_prefix, qos: 1}], out: [{filter, local_prefix, remote_prefix, retain: true}]}. docs/mqtt.md has an example.',
  },
  plaintext_exceptions: {
    kind: 'tree',
    about:
      'MQTT in plain text on the network for devices that can do nothing else, receive-only: a list of {name, listen: mqtt://host:port, only_from: [addresses and networks], topics: [filters on which they may publish], reason, until: YYYY-MM-DD (the last day, within a year), approved_by: {officer, date}}. Their events are UNVERIFIED.',
  },
  'tls.certificate': {
    kind: 'text',
    about:
      'PEM file of the certificate chain for every TLS listener; auto: certificate and key of the own authority, made by `tocsin ca init` and renewed by the gateway itself.',
  },
  'tls.key': { kind: 'text', about: 'PEM file of its private key; readable by the gateway only.' },
  'tls.client_ca': {
    kind: 'text',
    about:
      'PEM file of the authorities whose client certificates are accepted; with tls.certificate: auto beside the own authority.',
  },
  'tls.client_crl': {
    kind: 'list',
    default: '',
    about:
      'PEM files of lists (CRL) of what these authorities revoked; read again when they are replaced. That of the own authority is known by itself.',
  },
  'tls.client_certificates': {
    kind: 'choice',
    of: ['required', 'optional'],
    default: 'required',
    about:
      'Whether clients must show a certificate of tls.client_ca; optional: they may say who they are by a secret or a token instead.',
  },
  'tls.extra_ca': {
    kind: 'text',
    about:
      'PEM file of authorities, such as the county’s own, that are trusted beside those of Node.js for every connection that the gateway opens; a link with a ca of its own trusts that one alone.',
    example: '/etc/tocsin/county-root.pem',
  },
  'proxy.url': {
    kind: 'secret',
    about:
      'HTTP proxy by which an InfluxDB elsewhere is asked, or write TOCSIN_PROXY_URL; name and password may stand in it. Links and time servers are no HTTP and are asked directly.',
    example: 'http://proxy.county-a.example:3128',
  },
  'proxy.except': {
    kind: 'list',
    default: '',
    about: 'Hosts that are asked directly, each with all below it; this machine always is.',
    example: 'county-a.example',
  },
  'grpc.listen': {
    kind: 'text',
    default: '127.0.0.1:50051',
    about: 'Where consoles and programs connect; "off" for nowhere.',
  },
  'http.listen': {
    kind: 'text',
    default: '127.0.0.1:8080',
    about:
      'Where health, readiness, metrics and the HTTP API are served, as host:port or, with TLS, https://host:port; "off" for nowhere.',
  },
  'http.ingest': {
    kind: 'flag',
    default: true,
    about: 'Whether messages are taken over HTTP (POST /v1/ingest/<adapter>), from this machine only.',
  },
  inputs: {
    kind: 'tree',
    about:
      'Inputs beside the built-in ones: a list of {name, adapter, topics: [MQTT filters], owner, jurisdiction, message_status, labels, approved_by: {officer, date} for labels CJI and PHI, options}.',
  },
  mappings: {
    kind: 'tree',
    about:
      'Mappings for JSON of any shape (adapter json): a list of mappings, or of {file: PATH}. Try one with `tocsin check`.',
  },
  'log.segment_bytes': {
    kind: 'bytes',
    default: '64MiB',
    min: 64 * 1024,
    max: 2 ** 31 - 1,
    about: 'Size of one file of the log.',
  },
  'log.urgent_reserve': {
    kind: 'bytes',
    default: '1GiB',
    min: 0,
    about: 'Disk space taken in advance for urgent events, so that they are still stored when the disk is full.',
  },
  'log.disk_low': {
    kind: 'bytes',
    default: '1GiB',
    min: 0,
    about: 'Free disk space below which routine messages are no longer acknowledged.',
  },
  'log.keep_standard': { kind: 'duration', default: '90d', about: 'How long readings and positions are kept.' },
  'log.keep_standard_bytes': {
    kind: 'bytes',
    default: '100GiB',
    min: 0,
    about: 'How much of them is kept at most, in each lane.',
  },
  'log.keep_record': {
    kind: 'duration',
    default: '2555d',
    about: 'How long incidents, calls, alerts and messages are kept.',
  },
  'log.keep_record_bytes': {
    kind: 'bytes',
    default: '100GiB',
    min: 0,
    about: 'How much of them is kept at most, in each lane.',
  },
  'log.keep_frames': {
    kind: 'duration',
    default: '30d',
    about: 'How long the bytes of each message as received are kept.',
  },
  'log.keep_frames_bytes': { kind: 'bytes', default: '50GiB', min: 0, about: 'How much of them is kept at most.' },
  'log.keep_refused': { kind: 'duration', default: '365d', about: 'How long refused messages stay in quarantine.' },
  'log.keep_refused_bytes': { kind: 'bytes', default: '10GiB', min: 0, about: 'How much of them is kept at most.' },
  'log.hold': {
    kind: 'duration',
    default: '8d',
    about: 'How long records are kept beyond their time for an output that has not had them yet.',
  },
  'log.pending_bytes_max': {
    kind: 'bytes',
    default: '64MiB',
    min: 2 ** 20,
    about: 'Most bytes on their way to the disk; above it nothing is acknowledged.',
  },
  'influx.url': {
    kind: 'text',
    about: 'InfluxDB to write to; not set: the output is off.',
    example: 'http://127.0.0.1:8086',
  },
  'influx.version': {
    kind: 'choice',
    of: ['auto', 'v1', 'v2', 'v3'],
    default: 'auto',
    about: 'Which of its write interfaces is spoken.',
  },
  'influx.database': { kind: 'text', default: 'tocsin', about: 'Database (v1, v3) or bucket (v2) for real events.' },
  'influx.exercise_database': {
    kind: 'text',
    default: 'tocsin_exercise',
    about: 'Database or bucket for exercise events.',
  },
  'influx.retention_policy': { kind: 'text', about: 'Retention policy to write to (v1); not set: the default one.' },
  'influx.org': { kind: 'text', about: 'Organisation (v2).' },
  'influx.token': { kind: 'secret', about: 'Token (v2, v3), or write TOCSIN_INFLUX_TOKEN.' },
  'influx.username': { kind: 'text', about: 'User name (v1).' },
  'influx.password': { kind: 'secret', about: 'Password (v1), or write TOCSIN_INFLUX_PASSWORD.' },
  'influx.include': {
    kind: 'list',
    default: '',
    about:
      'What is written although it is not by default; one or more of PII, PHI, CJI (events that carry these labels) and law_enforcement_position.',
  },
  'influx.gzip': {
    kind: 'choice',
    of: ['auto', 'on', 'off'],
    default: 'auto',
    about:
      'Whether batches are compressed; auto: unless the database is on this machine, where it costs time for nothing.',
  },
  'influx.timeout': {
    kind: 'duration',
    default: '10s',
    min: 100,
    about: 'How long one write may take before it is tried again.',
  },
  'influx.manage': { kind: 'flag', default: true, about: 'Whether missing databases are created (v1).' },
  'influx.keep': {
    kind: 'duration',
    min: 3_600_000,
    about:
      'How long the databases keep rows: set so on v1 with influx.manage on, else what you have set there yourself. Not set: the retention policies of v1 stay as they are, and those of v2 and v3 are not known. Shortening it removes rows.',
    example: '365d',
  },
  'telemetry.store': {
    kind: 'choice',
    of: ['auto', 'sqlite', 'influxdb', 'off'],
    default: 'auto',
    about:
      'Where series of values are kept for queries (TelemetryService): sqlite is a file in the data folder, influxdb the one of influx.url; auto: influxdb where influx.url is set, else sqlite.',
  },
  'telemetry.keep': {
    kind: 'duration',
    default: '30d',
    min: 3_600_000,
    about: 'How long the SQLite store keeps values; for InfluxDB it is influx.keep, and the log has times of its own.',
  },
  'telemetry.keep_minutes': {
    kind: 'duration',
    default: '366d',
    min: 3_600_000,
    about:
      'How long the telemetry store keeps what stands for each minute (count, sum, least, largest, first, last) when its values are gone.',
  },
  'telemetry.keep_hours': {
    kind: 'duration',
    default: '3660d',
    min: 3_600_000,
    about: 'How long it keeps the same for each hour.',
  },
  'clock.sntp_servers': {
    kind: 'list',
    default: '',
    about: 'Time servers, host or host:port, to measure the offset of this machine’s clock; none: it is not measured.',
  },
  'clock.interval': { kind: 'duration', default: '64s', min: 16_000, about: 'How often the offset is measured.' },
  'places.zones': {
    kind: 'text',
    about:
      'A GeoJSON file with the shapes of forecast zones (codes such as TXZ192), at most 48 MiB; without it alerts for zones are listed as unplaced.',
    example: '/etc/tocsin/zones.geojson',
  },
  'audit.keep': {
    kind: 'duration',
    default: '1095d',
    min: 366 * 86_400_000,
    about: 'How long entries of the audit are kept, which is at least a year.',
  },
  'audit.when_it_fails': {
    kind: 'choice',
    of: ['alarm', 'close_doors'],
    default: 'alarm',
    about:
      'What happens while the audit cannot be written: only an alarm; or nobody signs in, begins to read labelled data or changes who may do what until it can, and who reads already goes on.',
  },
  'logging.level': {
    kind: 'choice',
    of: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    about: 'How much is logged.',
  },
} as const satisfies Record<string, Setting>

export type SettingKey = keyof typeof settingsTable

type ValueOf<S> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'count' | 'bytes' | 'duration' }
    ? number
    : S extends { kind: 'list' }
      ? readonly string[]
      : S extends { kind: 'tree' }
        ? unknown
        : S extends { of: readonly (infer Choice)[] }
          ? Choice
          : string

/** Bytes as bytes, durations as milliseconds. What is not set and has no default is undefined. */
export type Settings = {
  readonly [Key in SettingKey]: (typeof settingsTable)[Key] extends { default: unknown }
    ? ValueOf<(typeof settingsTable)[Key]>
    : ValueOf<(typeof settingsTable)[Key]> | undefined
}
