// The protobuf marshaler: only the fields that are read here, by the numbers of ChirpStack's api/proto (integration, gw, common).
// Others are passed over, so that a newer server's messages are read as far as they are known.

import protobuf from 'protobufjs/light.js'
import type { EventType } from './event-type.ts'
import type { Fields } from './reading.ts'

/** name: [number, type], `type[]` for a list, `map` for map<string, string>. */
type Message = Readonly<Record<string, readonly [number, string]>>

const head: Message = { deduplicationId: [1, 'string'], time: [2, 'Timestamp'], deviceInfo: [3, 'DeviceInfo'] }

const messages: Readonly<Record<string, Message>> = {
  up: {
    ...head,
    devAddr: [4, 'string'],
    adr: [5, 'bool'],
    dr: [6, 'uint32'],
    fCnt: [7, 'uint32'],
    fPort: [8, 'uint32'],
    confirmed: [9, 'bool'],
    data: [10, 'bytes'],
    object: [11, 'Struct'],
    rxInfo: [12, 'UplinkRxInfo[]'],
    txInfo: [13, 'TxInfo'],
    relayRxInfo: [14, 'UplinkRelayRxInfo'],
    joinServerContext: [15, 'JoinServerContext'],
    regionConfigId: [16, 'string'],
  },
  join: {
    ...head,
    devAddr: [4, 'string'],
    relayRxInfo: [5, 'UplinkRelayRxInfo'],
    joinServerContext: [6, 'JoinServerContext'],
    regionConfigId: [7, 'string'],
  },
  ack: { ...head, queueItemId: [4, 'string'], acknowledged: [5, 'bool'], fCntDown: [6, 'uint32'] },
  txack: {
    downlinkId: [1, 'uint32'],
    time: [2, 'Timestamp'],
    deviceInfo: [3, 'DeviceInfo'],
    queueItemId: [4, 'string'],
    fCntDown: [5, 'uint32'],
    gatewayId: [6, 'string'],
    txInfo: [7, 'DownlinkTxInfo'],
  },
  log: {
    time: [1, 'Timestamp'],
    deviceInfo: [2, 'DeviceInfo'],
    level: [3, 'int32'],
    code: [4, 'int32'],
    description: [5, 'string'],
    context: [6, 'map'],
  },
  status: {
    ...head,
    margin: [5, 'int32'],
    externalPowerSource: [6, 'bool'],
    batteryLevelUnavailable: [7, 'bool'],
    batteryLevel: [8, 'float'],
  },
  location: { ...head, location: [4, 'Location'] },
  // Sent by versions of before August 2025, for the results of LoRa Cloud.
  integration: { ...head, integrationName: [4, 'string'], eventType: [5, 'string'], object: [6, 'Struct'] },
  DeviceInfo: {
    tenantId: [1, 'string'],
    tenantName: [2, 'string'],
    applicationId: [3, 'string'],
    applicationName: [4, 'string'],
    deviceProfileId: [5, 'string'],
    deviceProfileName: [6, 'string'],
    deviceName: [7, 'string'],
    devEui: [8, 'string'],
    tags: [9, 'map'],
    deviceClassEnabled: [10, 'int32'],
  },
  UplinkRelayRxInfo: {
    devEui: [1, 'string'],
    frequency: [2, 'uint32'],
    dr: [3, 'uint32'],
    snr: [4, 'int32'],
    rssi: [5, 'int32'],
  },
  UplinkRxInfo: {
    gatewayId: [1, 'string'],
    gwTime: [3, 'Timestamp'],
    timeSinceGpsEpoch: [4, 'Timestamp'],
    rssi: [6, 'int32'],
    snr: [7, 'float'],
    location: [12, 'Location'],
    nsTime: [17, 'Timestamp'],
  },
  TxInfo: { frequency: [1, 'uint32'], modulation: [2, 'Modulation'] },
  DownlinkTxInfo: { frequency: [1, 'uint32'], power: [2, 'int32'], modulation: [3, 'Modulation'] },
  Modulation: { lora: [3, 'Lora'], fsk: [4, 'Fsk'] },
  Lora: { bandwidth: [1, 'uint32'], spreadingFactor: [2, 'uint32'] },
  Fsk: { datarate: [2, 'uint32'] },
  Location: {
    latitude: [1, 'double'],
    longitude: [2, 'double'],
    altitude: [3, 'double'],
    source: [4, 'int32'],
    accuracy: [5, 'float'],
  },
  JoinServerContext: { sessionKeyId: [1, 'string'] },
  // Timestamp and Duration have the same two fields.
  Timestamp: { seconds: [1, 'int64'], nanos: [2, 'int32'] },
  Struct: { fields: [1, 'map Value'] },
  Value: {
    nullValue: [1, 'int32'],
    numberValue: [2, 'double'],
    stringValue: [3, 'string'],
    boolValue: [4, 'bool'],
    structValue: [5, 'Struct'],
    listValue: [6, 'ListValue'],
  },
  ListValue: { values: [1, 'Value[]'] },
}

/** The fields of Value are a oneof: there zero and false are written, and kept apart from absent. */
const oneofs: Readonly<Record<string, string>> = { Value: 'kind' }

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, typeOf(name, message)])),
}).resolveAll()

function typeOf(name: string, message: Message): protobuf.IType {
  const fields = Object.entries(message).map(([field, [id, type]]) => [field, fieldOf(id, type)])
  const oneof = oneofs[name]
  return {
    fields: Object.fromEntries(fields) as protobuf.IType['fields'],
    ...(oneof !== undefined && { oneofs: { [oneof]: { oneof: Object.keys(message) } } }),
  }
}

function fieldOf(id: number, type: string): protobuf.IField | protobuf.IMapField {
  if (type.startsWith('map')) return { id, keyType: 'string', type: type.slice('map '.length) || 'string' }
  return type.endsWith('[]') ? { id, type: type.slice(0, -2), rule: 'repeated' } : { id, type }
}

const types = new Map<string, protobuf.Type>()

/** Fields under their ProtoJSON names; undefined: these bytes are no such message. */
export function decodeProtobuf(type: EventType, bytes: Uint8Array): Fields | undefined {
  let known = types.get(type)
  if (!known) types.set(type, (known = root.lookupType(type)))
  try {
    return known.decode(bytes) as unknown as Fields
  } catch {
    return undefined
  }
}

export const objectDepthMax = 16

/** google.protobuf.Struct → plain data; undefined where it nests deeper than `objectDepthMax`. */
export function plainStruct(struct: Fields): Fields | undefined {
  return structOf(struct, objectDepthMax) as Fields | undefined
}

function structOf(struct: Fields, depth: number): unknown {
  if (depth === 0) return undefined
  const plain: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries((struct['fields'] ?? {}) as Record<string, Fields>)) {
    const read = valueOf(value, depth)
    if (read === undefined) return undefined
    plain[name] = read
  }
  return plain
}

function valueOf(value: Fields, depth: number): unknown {
  const has = (name: string): boolean => Object.hasOwn(value, name)
  if (has('numberValue')) return value['numberValue']
  if (has('stringValue')) return value['stringValue']
  if (has('boolValue')) return value['boolValue']
  if (has('structValue')) return structOf(value['structValue'] as Fields, depth - 1)
  if (!has('listValue')) return null
  if (depth === 0) return undefined
  const list: unknown[] = []
  for (const each of ((value['listValue'] as Fields)['values'] ?? []) as Fields[]) {
    const read = valueOf(each, depth - 1)
    if (read === undefined) return undefined
    list.push(read)
  }
  return list
}
