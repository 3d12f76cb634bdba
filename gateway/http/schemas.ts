// What the JSON of the API looks like, as JSON Schemas for /openapi.json. Events themselves are ProtoJSON of proto/tocsin/v1/event.proto.

type Schema = Readonly<Record<string, unknown>>

const text = (about: string): Schema => ({ type: 'string', description: about })
const id = (about: string): Schema => ({ type: 'string', format: 'uuid', description: about })
const time = (about: string): Schema => ({ type: 'string', format: 'date-time', description: about })
const count = (about: string): Schema => ({ type: 'integer', minimum: 0, description: about })
const flag = (about: string): Schema => ({ type: 'boolean', description: about })
const list = (items: Schema, about: string): Schema => ({ type: 'array', items, description: about })
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[], about: string): Schema => ({
  type: 'object',
  description: about,
  properties,
  required,
})

const nextPage = text('Given back as `page`; absent: there is no more.')
const fate = { type: 'string', enum: ['stored', 'refused', 'duplicate', 'ignored', 'carried', 'waiting', 'not-taken'] }
const lane = { type: 'string', enum: ['urgent', 'routine'] }
const fault = text('Kind of the fault, such as "syntax", "range", "forbidden".')
const why = text('Where and what is wrong.')
const whatToDo = text('What a person can do about it.')
const reasons = { fault, why, whatToDo }
const warnings = list({ type: 'string' }, 'What was odd about it, such as a clock that is wrong.')
const from = { topic: text('The topic.'), sender: text('Who sent it.'), adapter: text('Which adapter read it.') }
const counts = {
  stored: count('Stored.'),
  refused: count('Still refused.'),
  duplicate: count('Here already.'),
  ignored: count('Without an event.'),
}
const seriesKey = {
  quantity: text('The quantity, such as "water_level".'),
  device: text('The device.'),
  index: count('Which one, where a message repeats the quantity.'),
  unit: text('UCUM code of the unit.'),
  subject: text('URN of the thing that is measured.'),
  jurisdiction: text('The jurisdiction.'),
  owner: text('FQDN of the owning agency.'),
  deviceClass: text('The class of the device.'),
  status: text('The message status.'),
  firstAt: time('When its first value that is kept was observed.'),
  lastAt: time('When its last value was observed.'),
}

export const schemas = {
  Error: object(
    { error: text('A code that stays the same.'), message: text('What was wrong, where, and what to do.') },
    ['error', 'message'],
    'Why a request was not answered.',
  ),
  Record: object(
    {
      lane,
      sequence: count('Its place in the lane.'),
      loggedAt: time('When it was stored.'),
      eventId: id('The event.'),
      frameId: id('The message it came in.'),
      topic: from.topic,
      sender: from.sender,
      event: { type: 'object', description: 'ProtoJSON of tocsin.v1.Event.' },
      removed: flag('The payload was removed; there is no event.'),
    },
    ['lane', 'sequence', 'loggedAt', 'topic', 'sender'],
    'An event with its place in the log.',
  ),
  EventPage: object({ events: list(ref('Record'), 'The events.'), nextPage }, ['events'], 'A page of events.'),
  StreamEvent: object(
    {
      lane,
      sequence: count('Its place in the lane.'),
      loggedAt: time('When it was stored.'),
      event: { type: 'object' },
    },
    [],
    'The data of one message: a Record where the message has no event name. Those named gap, heartbeat, caught_up and end have fields of their own.',
  ),
  Frame: object(
    {
      frameId: id('The message.'),
      receivedAt: time('When it came.'),
      fate,
      ...reasons,
      ...from,
      contentType: text('What it said of itself.'),
      properties: list({ type: 'object' }, 'Names and values that came beside the bytes.'),
      warnings,
      replayedAt: time('When it was read again.'),
      replayFate: text('What came of that.'),
      payload: { type: 'string', contentEncoding: 'base64', description: 'The bytes as received.' },
    },
    ['fate', 'topic', 'sender', 'adapter'],
    'A message as it was received.',
  ),
  Fate: object(
    {
      frameId: id('The message.'),
      fate,
      ...reasons,
      warnings,
      ...from,
      receivedAt: time('When it came.'),
      settledAt: time('When its fate was settled.'),
      events: list(
        object(
          { lane, sequence: count('Its place.'), eventId: id('The event.') },
          ['lane', 'sequence'],
          'A stored event.',
        ),
        'What was stored of it.',
      ),
    },
    ['fate', 'events'],
    'What became of a message.',
  ),
  Fates: object({ fates: list(ref('Fate'), 'Newest first.') }, ['fates'], 'Fates.'),
  SignedIn: object(
    {
      token: text('Sent as `Authorization: Bearer …` with every request; to be kept as a secret.'),
      principal: text('Who it is for, such as "person:anna".'),
      position: text('Where.'),
      endsAt: time('When it ends.'),
    },
    ['token', 'principal', 'endsAt'],
    'The session that begins.',
  ),
  WhoAmI: object(
    {
      principal: text('Such as "person:anna"; "http:anonymous" for who shows nothing on this machine.'),
      position: text('Where; absent without a session.'),
      endsAt: time('When what it showed ends; absent: it does not.'),
      labels: list({ type: 'string' }, 'What it may see.'),
      calls: list({ type: 'string' }, 'Calls that it may make beside reading.'),
      mayAll: flag('Whether it may do everything; `calls` is empty then.'),
    },
    ['principal', 'labels', 'calls', 'mayAll'],
    'Who the caller is to the gateway.',
  ),
  RefusalPage: object({ refusals: list(ref('Frame'), 'Newest first.'), nextPage }, ['refusals'], 'A page of refusals.'),
  WaitingPage: object(
    {
      devices: list({ type: 'object', description: 'ProtoJSON of tocsin.v1.WaitingDevice.' }, 'By principal and name.'),
      dropped: text('Routine messages that were let go, since too many waited.'),
      unlisted: text('Urgent messages of devices for which there is no room here yet.'),
      nextPage,
    },
    ['devices'],
    'A page of the waiting room.',
  ),
  Decided: object(
    { devices: count('Devices.'), messages: count('What waits of them.') },
    ['devices', 'messages'],
    'What was decided about.',
  ),
  Replayed: object(
    { total: count('Found.'), read: count('Read again.'), ...counts },
    ['total', 'read', 'stored', 'refused', 'duplicate', 'ignored'],
    'What came of reading them again.',
  ),
  ReplayedOne: object({ fate, why }, ['fate'], 'What came of reading it again.'),
  Taken: object(
    { fate, frameId: id('The message.'), eventIds: list(id('An event.'), 'What was stored.'), ...reasons, warnings },
    ['fate', 'frameId'],
    'What became of a message that was sent.',
  ),
  Status: { type: 'object', description: 'ProtoJSON of tocsin.v1.GetStatusResponse, with `bookmarks` of the readers.' },
  LogEvent: object(
    {
      logEventType: text(
        'What kind of thing it was: a NENA i3 LogEvent type, or one of the gateway’s own of the same form.',
      ),
      timestamp: time('When.'),
      elementId: text('The gateway.'),
      agencyId: text('FQDN of its agency.'),
      agencyAgentId: text('Who.'),
      ipAddressPort: text('From where.'),
      clientAssignedIdentifier: text('Number of the entry.'),
      extension: object(
        {
          action: text('What was done, such as "sign_in".'),
          outcome: { type: 'string', enum: ['done', 'denied', 'failed', 'unspecified'] },
          object: text('With what.'),
          text: text('Why not, or what came of it.'),
          details: { type: 'object', description: 'Further facts.', additionalProperties: { type: 'string' } },
          count: count('How many times, where it stands for several.'),
          since: time('When it was done first, where it stands for several.'),
          previousSha256: text('Digest of the entry before.'),
        },
        ['action', 'outcome', 'previousSha256'],
        'What i3 has no word for.',
      ),
    },
    ['logEventType', 'timestamp', 'elementId', 'agencyId', 'clientAssignedIdentifier', 'extension'],
    'An entry of the audit.',
  ),
  AuditPage: object(
    {
      entries: list(ref('LogEvent'), 'Newest first.'),
      nextPage,
      headNumber: count('Number of the last entry.'),
      headSha256: text('Its digest.'),
    },
    ['entries', 'headNumber', 'headSha256'],
    'A page of the audit.',
  ),
  FeatureCollection: object(
    {
      type: { const: 'FeatureCollection' },
      features: list(
        { type: 'object' },
        'RFC 7946; `properties.placedBy` and `properties.placed` say how each was placed.',
      ),
      unplaced: list(
        object({ id: id('The feature.'), why: text('Why.') }, ['id', 'why'], 'One that is not wholly on the map.'),
        'What is not on the map, or not all of it.',
      ),
      nextPage,
    },
    ['type', 'features', 'unplaced'],
    'GeoJSON.',
  ),
  SeriesPage: object(
    {
      series: list(object(seriesKey, ['quantity', 'device', 'unit'], 'A series.'), 'By quantity, device and index.'),
      nextPage,
    },
    ['series'],
    'A page of series.',
  ),
  SeriesValues: object(
    {
      series: list(
        object(
          {
            ...seriesKey,
            points: list(
              object(
                {
                  at: time('When it was observed, or the begin of the window.'),
                  value: { type: ['number', 'string', 'boolean', 'null'], description: 'The value.' },
                  quality: text('Its quality, or the worst of the window.'),
                  count: count('How many values the window has.'),
                },
                ['at', 'value'],
                'A value.',
              ),
              'Oldest first.',
            ),
            truncated: flag('There are more points.'),
          },
          ['quantity', 'device', 'unit', 'points'],
          'A series with its values.',
        ),
        'By device and index.',
      ),
      completeUntil: time('The store has all that was logged before.'),
      truncated: flag('There was more than was asked for.'),
    },
    ['series'],
    'Values over time.',
  ),
} as const satisfies Readonly<Record<string, Schema>>

export type SchemaName = keyof typeof schemas
