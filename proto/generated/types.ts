// Generated from tocsin/v1/*.proto by generate.ts. Do not edit: change the .proto and run `npm run generate`.

import type { Int64 } from '../int64.ts'

/** AcknowledgeRequest says what a person or an agency says about an event. */
export type AcknowledgeRequest = {
  /** Id of the event, 16 bytes. */
  eventId?: Uint8Array
  /** SEEN, ACCEPTED or DECLINED; the others are said by machines. */
  type?: ReceiptType
  /** Why, for DECLINED: one sentence. */
  text?: string
  /** The position the person works at, such as "Fire 2". */
  position?: string
  /** FQDN of the agency that the person speaks for; empty: the principal's own. */
  agency?: string
  /** The agency's own number for the matter, for ACCEPTED. */
  localNumber?: string
  /** Chosen by the client, 1 to 64 bytes. */
  idempotencyKey?: string
}

/** AcknowledgeResponse is the receipt as it is kept. */
export type AcknowledgeResponse = {
  /** Id of the receipt's event, 16 bytes. */
  eventId?: Uint8Array
}

/** CommentRequest is a note. */
export type CommentRequest = {
  /** The note; 1 to 16,384 bytes. */
  text?: string
  /** Labels beyond those of what it is about; it never has fewer. */
  labels?: Label[]
  /** Chosen by the client, 1 to 64 bytes. */
  idempotencyKey?: string
  /** The position the person works at. */
  position?: string
} & (
  | { of?: undefined }
  | { of: 'eventId'; eventId: Uint8Array }
  | { of: 'subject'; subject: string }
)

/** CommentResponse is the note as it is kept. */
export type CommentResponse = {
  /** Id of the note's event, 16 bytes. */
  eventId?: Uint8Array
}

/** LinkEventsRequest says how two belong together. */
export type LinkEventsRequest = {
  /** Id of the event, 16 bytes. */
  eventId?: Uint8Array
  /** How. SUPERSEDES, CANCELS, SPLIT_FROM and MERGED_INTO are the owner's to say, and are refused here. */
  relation?: Relation
  /** Why, in words. */
  reason?: string
  /** Chosen by the client, 1 to 64 bytes. */
  idempotencyKey?: string
  /** Takes an earlier link back. */
  remove?: boolean
} & (
  | { to?: undefined }
  | { to: 'toEventId'; toEventId: Uint8Array }
  | { to: 'toSubject'; toSubject: string }
)

/** LinkEventsResponse is the link as it is kept. */
export type LinkEventsResponse = {
  /** Id of the link's event, 16 bytes. */
  eventId?: Uint8Array
}

/** ProposeIncidentRequest is a proposal; it opens nothing. */
export type ProposeIncidentRequest = {
  /** What happened, as far as it is known: type, places, persons, notes. `numbers`, `statuses` and times of opening and closing are the CAD's and are refused here. */
  incident?: Incident
  /** FQDN of the agency that is asked. */
  agency?: string
  /** Events that it rests on, 16 bytes each. */
  evidenceEventIds?: Uint8Array[]
  /** Where, for the map. */
  location?: Location
  /** Real, exercise or test; never absent. */
  messageStatus?: MessageStatus
  /** How bad the person thinks it is; absent: not said. */
  severity?: Severity
  /** Chosen by the client, 1 to 64 bytes. */
  idempotencyKey?: string
}

/** ProposeIncidentResponse is the proposal as it is kept; the agency's answer comes as a Receipt. */
export type ProposeIncidentResponse = {
  /** Id of the proposal's event, 16 bytes. */
  eventId?: Uint8Array
  /** URN under which the proposal runs until the CAD gives a number. */
  subject?: string
}

/** SendMessageRequest is a text to be sent. */
export type SendMessageRequest = {
  /** The text and whom it is for; `sender` is taken from the authenticated principal. */
  message?: Message
  /** The output it leaves by, such as "tak"; empty: it stays among the readers of this gateway and its partners. */
  output?: string
  /** Real, exercise or test; never absent. */
  messageStatus?: MessageStatus
  /** Labels; empty: OPS and PII. */
  labels?: Label[]
  /** The position the person works at. */
  position?: string
  /** Chosen by the client, 1 to 64 bytes. */
  idempotencyKey?: string
}

/** SendMessageResponse is the message as it is kept; delivery is told by later events. */
export type SendMessageResponse = {
  /** Id of the message's event, 16 bytes. */
  eventId?: Uint8Array
}

/** RequestCommandRequest is a step of a command. */
export type RequestCommandRequest = {
  /** Real, exercise or test; never absent for `request`. Only ACTUAL reaches a device, and TEST where the device has a test verb. */
  messageStatus?: MessageStatus
  /** The position the person works at. */
  position?: string
  /** Chosen by the client, 1 to 64 bytes; for `request` the command's own `idempotency_key`, and this may be empty. */
  idempotencyKey?: string
} & (
  | { step?: undefined }
  | { step: 'request'; request: Command }
  | { step: 'approveCommandId'; approveCommandId: Uint8Array }
  | { step: 'cancelCommandId'; cancelCommandId: Uint8Array }
)

/** RequestCommandResponse is how far the command is; later steps come as events. */
export type RequestCommandResponse = {
  /** The command with what the gateway filled in. */
  command?: Command
  /** Id of this step's event, 16 bytes. */
  eventId?: Uint8Array
  /** When the second person must have approved, where one is needed. */
  approveBy?: Timestamp
}

/** Command is an order to a device. Off until enabled for each device and verb; never made by a partner, a rule or a replay. Sirens, signs, gates and relays need a role, a second person, a time limit and a read-back. The same `idempotency_key` has exactly one effect. Each step is an event of its own with the same `command_id`. */
export type Command = {
  /** Identity of the command through all its steps, UUIDv7, 16 bytes; given by the gateway. */
  commandId?: Uint8Array
  /** The device, as its adapter names it; unique within the jurisdiction. */
  device?: string
  /** What it shall do, a verb that is enabled for the device, such as "siren.sound", "sign.show", "gate.open". */
  verb?: string
  /** With what; names and types as the device's entry in the registry lists them. */
  parameters?: CommandParameter[]
  /** The principal who asked for it. */
  requestedBy?: string
  /** When it was asked for. */
  requestedAt?: Timestamp
  /** The second person: another principal than `requested_by`; empty: not approved yet, or the verb needs none. */
  approvedBy?: string
  /** When it was approved. */
  approvedAt?: Timestamp
  /** Why, in words; kept in the audit. */
  reason?: string
  /** Not carried out after this time, however late the device comes back. */
  notAfter?: Timestamp
  /** How long the effect lasts; then the gateway asks for the state before. Absent: the verb has no duration. */
  effectDuration?: Duration
  /** What the device must report back for it to count as done; empty: the verb needs no read-back. */
  readBacks?: CommandReadBack[]
  /** Everything but the last step: permissions, limits and encoding are checked, nothing is sent. */
  dryRun?: boolean
  /** Chosen by the client, 1 to 64 bytes; a second command with the same key is answered with the first one's fate. */
  idempotencyKey?: string
  /** How far it came. */
  status?: CommandStatus
  /** In words, where it was refused or failed. */
  statusText?: string
  /** URN of the incident it belongs to. */
  incident?: string
  /** When it was given to the device. */
  sentAt?: Timestamp
  /** When the device confirmed the effect. */
  completedAt?: Timestamp
  /** The role by which `requested_by` was allowed to ask. */
  role?: string
}

/** CommandParameter is one parameter of a command. */
export type CommandParameter = {
  /** Its name, as the registry lists it. */
  name?: string
  /** UCUM code of the number's unit. */
  unit?: string
} & (
  | { value?: undefined }
  | { value: 'number'; number: number }
  | { value: 'integer'; integer: Int64 }
  | { value: 'flag'; flag: boolean }
  | { value: 'text'; text: string }
)

/** CommandReadBack is what a device must report, and what it did report. */
export type CommandReadBack = {
  /** The quantity to be reported, such as "siren_on". */
  quantity?: string
  /** What it must be, as text; numbers in the quantity's unit. */
  expected?: string
  /** What was reported, as text; empty: nothing yet. */
  reported?: string
  /** When it was reported. */
  reportedAt?: Timestamp
  /** How far a number may be from `expected`, in the quantity's unit, ≥ 0. */
  tolerance?: number
  /** How long to wait for it. */
  within?: Duration
}

/** CommandStatus is how far a command came. */
export const CommandStatus = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Asked for; waits for the second person. */
  REQUESTED: 1,
  /** Approved, or needs no second person; not sent yet. */
  APPROVED: 2,
  /** Not allowed, not enabled, or outside its limits; nothing was sent. */
  REFUSED: 3,
  /** Given to the device or its network. */
  SENT: 4,
  /** The device says that it has the command; not yet that it had an effect. */
  ACKNOWLEDGED: 5,
  /** The read-back is as expected, or the verb needs none and the device acknowledged. */
  COMPLETED: 6,
  /** The device says no, or the read-back differs. */
  FAILED: 7,
  /** Its time ran out before it was sent or confirmed; whether it had an effect is not known when it was SENT. */
  EXPIRED: 8,
  /** Withdrawn by a person before it was sent. */
  CANCELLED: 9,
} as const
export type CommandStatus = (typeof CommandStatus)[keyof typeof CommandStatus]

/** Label says who may see a fact. An event carries the labels of everything in it; a reader whose permissions lack one of them is given the event without the fields of that label, or not at all. Source: CAP 1.2 scope/restriction, CJIS Security Policy, HIPAA; the words are those dispatch centres use. */
export const Label = {
  /** No label was stated. Treated as OPS, never as PUBLIC. */
  UNSPECIFIED: 0,
  /** May be shown to anybody. */
  PUBLIC: 1,
  /** Operational: for public-safety staff. */
  OPS: 2,
  /** Personally identifiable: names, telephone numbers, addresses of people. */
  PII: 3,
  /** Protected health information. */
  PHI: 4,
  /** Criminal-justice information. */
  CJI: 5,
} as const
export type Label = (typeof Label)[keyof typeof Label]

/** RetentionClass says how long a record is kept; each class has its own segments, so that removal is whole files. */
export const RetentionClass = {
  /** The class of the gateway's settings for the record's lane. */
  UNSPECIFIED: 0,
  /** Readings and positions: days to weeks. */
  STANDARD: 1,
  /** Incidents, calls, alerts and what was said about them: months to years, as the records schedule of the agency demands. */
  RECORD: 2,
} as const
export type RetentionClass = (typeof RetentionClass)[keyof typeof RetentionClass]

/** Handling is what the owner of the data says about passing it on. */
export type Handling = {
  /** Every label that holds for anything in the event. Empty means OPS. */
  labels?: Label[]
  /** Whom the owner releases it to: agency FQDNs or jurisdictions; empty: whoever the labels and agreements allow. */
  releasableTo?: string[]
  /** A sentence to be shown beside the event, such as "UNVERIFIED CALLER". Source: CoT caveat. */
  caveat?: string
  /** How long the record is kept. */
  retentionClass?: RetentionClass
}

/** Event is what every message becomes: one thing that happened, was measured, or was said, in words that people of each trade know (CAP for urgency and status, NENA EIDO for incidents and agencies, SensorThings for observations, CoT for positions). An event is never rewritten: a relay appends one encoded `provenance` element and passes every other byte, known or not. */
export type Event = {
  /** UUIDv7 (RFC 9562 §5.7), 16 bytes, given once by the first gateway; never changes on relay. Its 12 bits of rand_a and the first 7 bits of rand_b are a running counter (RFC 9562 §6.2), which tells apart two readings of one millisecond. */
  id?: Uint8Array
  /** The source's own identity of the message, such as CAP sender, identifier and sent; at most 64 bytes. Empty: the source gives none, and nothing but a transport's own resend counts as a duplicate: a button pressed twice is two presses. */
  dedupKey?: Uint8Array
  /** URN of the stable thing spoken of: a sensor, a unit, an incident; `urn:emergency:uid:incidentid:…`, `urn:dev:ow:…`, `icao24:…`, `mmsi:…`, `mesh:!…`, `p25:wacn.system.unit`. At most 256 bytes. */
  subject?: string
  /** Real, exercise, test … An event without it is refused. */
  messageStatus?: MessageStatus
  /** How sure the first gateway was of who said it. */
  authenticity?: Authenticity
  /** What the sender does with it: reports, updates, cancels … */
  action?: Action
  /** Other events or subjects this one speaks of. */
  references?: Reference[]
  /** Where it comes from: whose data, through which system, device and adapter. */
  origin?: Origin
  /** The gateways it passed, in order; the first entry is the gateway that made the event. */
  provenance?: Provenance[]
  /** When the thing happened or was measured, by the source; absent when the source does not say. */
  observedAt?: Timestamp
  /** When the first gateway had the whole frame, by that gateway's clock. */
  receivedAt?: Timestamp
  /** Where it is. Absent is not zero: 0,0 is a place. */
  location?: Location
  /** Whose clock `observed_at` was read from, and how far it can be trusted. */
  clockQuality?: ClockQuality
  /** When the source sent it, by the source's clock. */
  sentAt?: Timestamp
  /** From when it holds. Source: CAP effective/onset. */
  effectiveAt?: Timestamp
  /** Until when it holds; afterwards it is shown as expired, never silently removed. Source: CAP expires, CoT stale. */
  expiresAt?: Timestamp
  /** How far the source's clock is ahead of the gateway's, where that is known. */
  sourceClockOffset?: Duration
  /** How soon people must act. Set only by a source that states it. */
  urgency?: Urgency
  /** How bad it is. Set only by a source that states it; UNKNOWN is sorted as MODERATE, never as MINOR. */
  severity?: Severity
  /** How likely it is. Set only by a source that states it. */
  certainty?: Certainty
  /** 0–10, 10 highest (EIDO incidentCommonPriorityNumber). For machines: people are shown the agency's own code. */
  priority?: number
  /** Who may see it and how long it is kept. */
  handling?: Handling
  /** What is said to people, once for each language. */
  texts?: Text[]
  /** How many gateways it may pass in all; 0: the default of 8. */
  maxHops?: number
  /** What the first gateway noticed and did not mend, such as a clock fault. */
  flags?: Flag[]
  /** Facts of the source that have no field here, under the source's own names. */
  attributes?: Attribute[]
} & (
  | { body?: undefined }
  | { body: 'observation'; observation: Observation }
  | { body: 'detection'; detection: Detection }
  | { body: 'deviceStatus'; deviceStatus: DeviceStatus }
  | { body: 'position'; position: Position }
  | { body: 'unitStatus'; unitStatus: UnitStatus }
  | { body: 'incident'; incident: Incident }
  | { body: 'call'; call: Call }
  | { body: 'alarm'; alarm: Alarm }
  | { body: 'radioCall'; radioCall: RadioCall }
  | { body: 'alert'; alert: Alert }
  | { body: 'resourceRequest'; resourceRequest: ResourceRequest }
  | { body: 'resourceResponse'; resourceResponse: ResourceResponse }
  | { body: 'facilityStatus'; facilityStatus: FacilityStatus }
  | { body: 'message'; message: Message }
  | { body: 'command'; command: Command }
  | { body: 'receipt'; receipt: Receipt }
  | { body: 'systemEvent'; systemEvent: SystemEvent }
)

/** MessageStatus is CAP 1.2 `status`. */
export const MessageStatus = {
  /** Not said. Refused, and never taken as ACTUAL. */
  UNSPECIFIED: 0,
  /** Real: people act on it. */
  ACTUAL: 1,
  /** Only for the participants of an exercise; never leaves as actual. */
  EXERCISE: 2,
  /** About the alert systems themselves. */
  SYSTEM: 3,
  /** Technical test; nobody acts on it. EAS codes RWT, RMT, NPT and DMO are tests whatever the status says. */
  TEST: 4,
  /** A template, not valid in its present form. */
  DRAFT: 5,
} as const
export type MessageStatus = (typeof MessageStatus)[keyof typeof MessageStatus]

/** Authenticity is how sure the first gateway was of who said it. Shown beside the event, and kept across links. */
export const Authenticity = {
  /** Not judged; treated as UNVERIFIED. */
  UNSPECIFIED: 0,
  /** The message itself carries a signature that was verified. */
  SIGNED: 1,
  /** The connection's principal was authenticated. */
  AUTHENTICATED: 2,
  /** Nobody vouches for the sender. */
  UNVERIFIED: 3,
} as const
export type Authenticity = (typeof Authenticity)[keyof typeof Authenticity]

/** Action is what the sender does with the event: CAP msgType together with EDXL-DE distributionKind. */
export const Action = {
  /** Not said; read as REPORT. */
  UNSPECIFIED: 0,
  /** New information. */
  REPORT: 1,
  /** Replaces what it references. */
  UPDATE: 2,
  /** Ends what it references. */
  CANCEL: 3,
  /** Asks for something. */
  REQUEST: 4,
  /** Answers a request. */
  RESPONSE: 5,
  /** Says that something was received. */
  ACK: 6,
  /** Says that something could not be used. */
  ERROR: 7,
} as const
export type Action = (typeof Action)[keyof typeof Action]

/** Reference ties an event to another event or to a subject. */
export type Reference = {
  /** Id of the other event, 16 bytes; empty when only the subject is known. */
  eventId?: Uint8Array
  /** URN of the other thing, or the source's own reference (CAP: "sender,identifier,sent"). */
  subject?: string
  /** How the two belong together. */
  relation?: Relation
}

/** Relation says how an event belongs to what it references. Source: CAP references, EIDO mergeComponent and linkComponent. */
export const Relation = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Takes its place. */
  SUPERSEDES: 1,
  /** Ends it. */
  CANCELS: 2,
  /** Speaks of the same matter. */
  CORRELATES: 3,
  /** The reference is this event's parent. */
  PARENT: 4,
  /** The reference is this event's child. */
  CHILD: 5,
  /** This was split from the reference. */
  SPLIT_FROM: 6,
  /** This was merged into the reference. */
  MERGED_INTO: 7,
  /** This is evidence for the reference. */
  EVIDENCE_FOR: 8,
} as const
export type Relation = (typeof Relation)[keyof typeof Relation]

/** Origin says whose data it is and through what it came. The box's owner is not the data's owner. */
export type Origin = {
  /** The jurisdiction whose gateway first took it, such as "county-a.example". */
  jurisdiction?: string
  /** FQDN of the agency that owns the data (EIDO agencyId). */
  owner?: string
  /** The trade of the owner. */
  discipline?: Discipline
  /** The person, as the owner's system names them (EIDO agentId). */
  agent?: string
  /** The system that sent it, such as a network server or a CAD. */
  system?: string
  /** The device that made it, as the adapter names it; unique within the jurisdiction. */
  device?: string
  /** The adapter that read it, such as "senml". */
  adapter?: string
  /** The version of that adapter's reading; a replay after a fix has a higher one. */
  adapterVersion?: string
}

/** Discipline is the trade of an agency. */
export const Discipline = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Police, sheriff. */
  LAW_ENFORCEMENT: 1,
  /** Fire service. */
  FIRE: 2,
  /** Emergency medical service. */
  EMS: 3,
  /** Emergency management. */
  EMERGENCY_MANAGEMENT: 4,
  /** Public works, water, roads. */
  PUBLIC_WORKS: 5,
  /** Weather service, river gauges. */
  ENVIRONMENT: 6,
  /** Hospitals, public health. */
  HEALTH: 7,
  /** Search and rescue. */
  SEARCH_AND_RESCUE: 8,
  /** Electricity, gas, telecommunication. */
  UTILITY: 9,
} as const
export type Discipline = (typeof Discipline)[keyof typeof Discipline]

/** Provenance is one gateway the event passed. */
export type Provenance = {
  /** The gateway's identity: the name its certificate gives. */
  gateway?: string
  /** When that gateway had it, by its clock. */
  receivedAt?: Timestamp
  /** The link or listener it came in by, such as "mqtt" or "link:county-b.example". */
  link?: string
}

/** ClockQuality says how far `observed_at` can be trusted. */
export const ClockQuality = {
  /** Not judged. */
  UNSPECIFIED: 0,
  /** The source states a synchronised clock (GNSS, NTP) or its offset was measured. */
  SYNCED: 1,
  /** The source has a clock of unknown quality. */
  UNSYNCED: 2,
  /** The source gave no time: `observed_at` was taken from `received_at`. */
  ASSUMED: 3,
} as const
export type ClockQuality = (typeof ClockQuality)[keyof typeof ClockQuality]

/** Urgency is CAP 1.2 `urgency`. */
export const Urgency = {
  /** Not said by the source. */
  UNSPECIFIED: 0,
  /** Act now. */
  IMMEDIATE: 1,
  /** Act soon, within the next hour. */
  EXPECTED: 2,
  /** Act in the near future. */
  FUTURE: 3,
  /** No longer required. */
  PAST: 4,
  /** The source says that it does not know. */
  UNKNOWN: 5,
} as const
export type Urgency = (typeof Urgency)[keyof typeof Urgency]

/** Severity is CAP 1.2 `severity`. */
export const Severity = {
  /** Not said by the source. */
  UNSPECIFIED: 0,
  /** Extraordinary threat to life or property. */
  EXTREME: 1,
  /** Significant threat. */
  SEVERE: 2,
  /** Possible threat. */
  MODERATE: 3,
  /** Minimal to no known threat. */
  MINOR: 4,
  /** The source says that it does not know; sorted as MODERATE. */
  UNKNOWN: 5,
} as const
export type Severity = (typeof Severity)[keyof typeof Severity]

/** Certainty is CAP 1.2 `certainty`. */
export const Certainty = {
  /** Not said by the source. */
  UNSPECIFIED: 0,
  /** Has occurred or is ongoing. */
  OBSERVED: 1,
  /** Probability above one half. */
  LIKELY: 2,
  /** Probability up to one half. */
  POSSIBLE: 3,
  /** Probability near zero. */
  UNLIKELY: 4,
  /** The source says that it does not know. */
  UNKNOWN: 5,
} as const
export type Certainty = (typeof Certainty)[keyof typeof Certainty]

/** Text is what is said to people in one language. Source: CAP 1.2 info. */
export type Text = {
  /** BCP 47, such as "en-US". */
  language?: string
  /** One line. */
  headline?: string
  /** What happens. */
  description?: string
  /** What people shall do. */
  instruction?: string
}

/** Flag is something the first gateway noticed and did not mend; the event is still delivered. */
export const Flag = {
  /** Nothing. */
  UNSPECIFIED: 0,
  /** `observed_at` is more than five minutes ahead of the gateway's clock, or before the year 2000. */
  CLOCK_FAULT: 1,
  /** A value is outside what is physically possible; its quality is BAD. */
  OUT_OF_RANGE: 2,
  /** It came in by a replay of the quarantine, after a fix. */
  REPLAYED: 3,
  /** Text of the source was not valid UTF-8; what could not be read stands as U+FFFD, the frame has the bytes. */
  TEXT_REPAIRED: 4,
} as const
export type Flag = (typeof Flag)[keyof typeof Flag]

/** Attribute is a fact of the source under its own name. */
export type Attribute = {
  /** The source's name for it; at most 128 bytes. */
  name?: string
  /** Its value as text; at most 4,096 bytes. */
  value?: string
}

/** Alert is a public warning, whole: every element of CAP 1.2. `sent` stands in the event's `sent_at`, `status` in its `message_status`, `msgType` in its `action` (Alert is REPORT). The first `info` also fills the event's urgency, severity, certainty, times, texts and location. Relayed, never originated: sender, identifier and sent stay as they came. */
export type Alert = {
  /** The message's identity at its sender. */
  identifier?: string
  /** Who sent it, such as "w-nws.webmaster@noaa.gov". */
  sender?: string
  /** `sent` exactly as written; references compare it as text. */
  sentText?: string
  /** For whom it is meant. */
  scope?: AlertScope
  /** Why it is restricted, where the scope is RESTRICTED. */
  restriction?: string
  /** Whom it is for, where the scope is PRIVATE; each address once. */
  addresses?: string[]
  /** Special handling, such as "IPAWSv1.0" or "profile:CAP-CP:0.4". */
  codes?: string[]
  /** Note on the purpose, mostly for exercises and errors. */
  note?: string
  /** Messages it speaks of, each "sender,identifier,sent", exactly as written. */
  references?: string[]
  /** Names of incidents it belongs to, as written. */
  incidents?: string[]
  /** Who made it, where that is not the sender. */
  source?: string
  /** What is said, once for each language; may be empty for Ack, Error and Cancel. */
  infos?: AlertInfo[]
  /** VTEC lines as received, such as "/O.NEW.KEWX.FF.W.0012.260504T0130Z-260504T0430Z/"; they tell one hazard through its updates. */
  vtec?: string[]
  /** What a verified XML signature was made with: the certificate's subject; empty: none, or not verified. */
  signedBy?: string
  /** Where the whole message can be fetched, as a link. */
  sourceUri?: string
  /** msgType exactly as written, such as "Alert". */
  messageTypeText?: string
}

/** AlertScope says for whom an alert is meant. Source: CAP 1.2 scope. */
export const AlertScope = {
  /** Not said. Treated as PRIVATE. */
  UNSPECIFIED: 0,
  /** Public: for everybody. */
  PUBLIC: 1,
  /** Restricted: for those whom `restriction` names. */
  RESTRICTED: 2,
  /** Private: for `addresses` only. */
  PRIVATE: 3,
} as const
export type AlertScope = (typeof AlertScope)[keyof typeof AlertScope]

/** AlertInfo is what an alert says in one language. Source: CAP 1.2 info. */
export type AlertInfo = {
  /** BCP 47; empty: "en-US" (CAP 1.2 §3.2.2). */
  language?: string
  /** The kinds of event; at least one. */
  categories?: AlertCategory[]
  /** The event in words, such as "Flash Flood Warning". */
  event?: string
  /** What people shall do. */
  responseTypes?: AlertResponseType[]
  /** How soon people must act. */
  urgency?: AlertUrgency
  /** How bad it is. */
  severity?: AlertSeverity
  /** How likely it is. */
  certainty?: AlertCertainty
  /** For whom it is meant, in words. */
  audience?: string
  /** Codes of the event, such as SAME "FFW". */
  eventCodes?: AlertNamedValue[]
  /** When the information takes effect; absent: when it was sent. */
  effectiveAt?: Timestamp
  /** When the event is expected to begin. */
  onsetAt?: Timestamp
  /** When the information expires. For the NWS that is the product's time, not the hazard's. */
  expiresAt?: Timestamp
  /** When the hazard ends, where the source says so. Source: NWS `ends`, parameter eventEndingTime. */
  endsAt?: Timestamp
  /** Who issues it, for people, such as "NWS Austin/San Antonio TX". */
  senderName?: string
  /** One line. */
  headline?: string
  /** What happens. */
  description?: string
  /** What people shall do. */
  instruction?: string
  /** Where more can be read, as a link. */
  web?: string
  /** Whom to ask. */
  contact?: string
  /** Further facts, under the source's names, in its order. */
  parameters?: AlertNamedValue[]
  /** Pictures, sound, papers. */
  resources?: AlertResource[]
  /** Where it holds; each area has one description and its parts. */
  areas?: AlertArea[]
  /** Certainty "Very Likely", which CAP 1.2 deprecates, was written; `certainty` is LIKELY. */
  certaintyVeryLikely?: boolean
}

/** AlertNamedValue is a name with a value (CAP valueName and value); names may repeat. */
export type AlertNamedValue = {
  /** The name, such as "SAME". */
  name?: string
  /** The value, such as "FFW". */
  value?: string
}

/** AlertArea is where an alert holds. Source: CAP 1.2 area. */
export type AlertArea = {
  /** The area in words; never empty. */
  description?: string
  /** The area: polygons, circles (kilometres made metres) and geocodes of the location. */
  location?: Location
  /** Lower edge, metres above mean sea level; CAP writes feet. Alone, it is the only height. */
  altitudeM?: number
  /** Upper edge, metres above mean sea level; only together with `altitude_m`. */
  ceilingM?: number
}

/** AlertResource is a file that goes with an alert. Source: CAP 1.2 resource. */
export type AlertResource = {
  /** What it is, in words. */
  description?: string
  /** Media type. */
  contentType?: string
  /** Size as stated, bytes. */
  sizeBytes?: Int64
  /** Where it is. */
  uri?: string
  /** The bytes themselves, where the source sent them along (derefUri, decoded); at most 1 MiB, else only in the frame. */
  content?: Uint8Array
  /** SHA-1 of the bytes as CAP states it, hexadecimal; says nothing about who made them. */
  digest?: string
}

/** AlertCategory is the kind of event. Source: CAP 1.2 category. */
export const AlertCategory = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Geo: geophysical, landslides too. */
  GEO: 1,
  /** Met: weather, floods too. */
  MET: 2,
  /** Safety: general emergency and public safety. */
  SAFETY: 3,
  /** Security: police, military, national security. */
  SECURITY: 4,
  /** Rescue: rescue and recovery. */
  RESCUE: 5,
  /** Fire: suppression and rescue. */
  FIRE: 6,
  /** Health: medical and public health. */
  HEALTH: 7,
  /** Env: pollution and other environment. */
  ENVIRONMENT: 8,
  /** Transport: public and private. */
  TRANSPORT: 9,
  /** Infra: utilities, telecommunication, other infrastructure. */
  INFRASTRUCTURE: 10,
  /** CBRNE: chemical, biological, radiological, nuclear, explosive. */
  CBRNE: 11,
  /** Other. */
  OTHER: 12,
} as const
export type AlertCategory = (typeof AlertCategory)[keyof typeof AlertCategory]

/** AlertResponseType is what people shall do. Source: CAP 1.2 responseType. */
export const AlertResponseType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Shelter: take shelter in place. */
  SHELTER: 1,
  /** Evacuate: leave. */
  EVACUATE: 2,
  /** Prepare. */
  PREPARE: 3,
  /** Execute: carry out a plan. */
  EXECUTE: 4,
  /** Avoid the place. */
  AVOID: 5,
  /** Monitor: listen for more. */
  MONITOR: 6,
  /** Assess: evaluate the information; not for public warnings. */
  ASSESS: 7,
  /** AllClear: the danger is over. */
  ALL_CLEAR: 8,
  /** None: nothing to be done. */
  NONE: 9,
} as const
export type AlertResponseType = (typeof AlertResponseType)[keyof typeof AlertResponseType]

/** AlertUrgency is CAP 1.2 `urgency` of one info; the same words and numbers as Urgency. */
export const AlertUrgency = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Immediate. */
  IMMEDIATE: 1,
  /** Expected. */
  EXPECTED: 2,
  /** Future. */
  FUTURE: 3,
  /** Past. */
  PAST: 4,
  /** Unknown. */
  UNKNOWN: 5,
} as const
export type AlertUrgency = (typeof AlertUrgency)[keyof typeof AlertUrgency]

/** AlertSeverity is CAP 1.2 `severity` of one info; the same words and numbers as Severity. */
export const AlertSeverity = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Extreme. */
  EXTREME: 1,
  /** Severe. */
  SEVERE: 2,
  /** Moderate. */
  MODERATE: 3,
  /** Minor. */
  MINOR: 4,
  /** Unknown. */
  UNKNOWN: 5,
} as const
export type AlertSeverity = (typeof AlertSeverity)[keyof typeof AlertSeverity]

/** AlertCertainty is CAP 1.2 `certainty` of one info; the same words and numbers as Certainty. */
export const AlertCertainty = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Observed. */
  OBSERVED: 1,
  /** Likely; "Very Likely" too. */
  LIKELY: 2,
  /** Possible. */
  POSSIBLE: 3,
  /** Unlikely. */
  UNLIKELY: 4,
  /** Unknown. */
  UNKNOWN: 5,
} as const
export type AlertCertainty = (typeof AlertCertainty)[keyof typeof AlertCertainty]

/** Location is where something is: a point, an area, an address, or several of them. Source: RFC 5491 (PIDF-LO), CAP 1.2 area, CoT point. */
export type Location = {
  /** Degrees north, WGS 84, −90 to 90. */
  latitude?: number
  /** Degrees east, WGS 84, −180 to 180. */
  longitude?: number
  /** Metres above the WGS 84 ellipsoid or mean sea level, as the source has it. */
  altitudeM?: number
  /** Radius around the point that holds the truth with 95 %, metres. Source: CoT ce. */
  horizontalAccuracyM?: number
  /** The same in height, metres. Source: CoT le. */
  verticalAccuracyM?: number
  /** Metres per second over ground, ≥ 0. */
  speedMps?: number
  /** Degrees from true north, 0 to below 360. */
  courseDeg?: number
  /** How many bits of each coordinate the source gave on purpose (Meshtastic precision_bits), 1–32; fewer: blurred for privacy. */
  precisionBits?: number
  /** How the position was found. */
  method?: LocationMethod
  /** Postal address. */
  civicAddress?: CivicAddress
  /** Areas; the union of all of them and of `circles`. */
  polygons?: Polygon[]
  /** Circles; the union of all of them and of `polygons`. */
  circles?: Circle[]
  /** Codes of official areas. */
  geocodes?: Geocode[]
  /** The area in words (CAP areaDesc). */
  description?: string
}

/** LocationMethod is how a position was found. Source: RFC 4119 method, CoT how. */
export const LocationMethod = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Satellite navigation. */
  GNSS: 1,
  /** From a register of where the device is mounted. */
  FIXED: 2,
  /** Entered by a person. */
  MANUAL: 3,
  /** Computed from radio reception. */
  RADIO: 4,
  /** From a network address. */
  NETWORK: 5,
  /** Computed by dead reckoning or fusion. */
  ESTIMATED: 6,
  /** From an address. */
  GEOCODED: 7,
} as const
export type LocationMethod = (typeof LocationMethod)[keyof typeof LocationMethod]

/** CivicAddress is a postal address. Source: RFC 5139, with its element names in the comments. */
export type CivicAddress = {
  /** ISO 3166-1 alpha-2 (country). */
  country?: string
  /** State or province (A1). */
  state?: string
  /** County (A2). */
  county?: string
  /** City (A3). */
  city?: string
  /** Street name with type and direction (PRD, RD, STS, POD). */
  street?: string
  /** House number with suffix (HNO, HNS). */
  houseNumber?: string
  /** Floor, unit, room, landmark (FLR, UNIT, ROOM, LMK). */
  detail?: string
  /** Postal code (PC). */
  postalCode?: string
}

/** Polygon is a ring of points on WGS 84, closed: the last point equals the first; at least 4 points. */
export type Polygon = {
  /** The ring, in order. */
  points?: Point[]
}

/** Point is a place on WGS 84. */
export type Point = {
  /** Degrees north, −90 to 90. */
  latitude?: number
  /** Degrees east, −180 to 180. */
  longitude?: number
}

/** Circle is all places within a distance of a point. */
export type Circle = {
  /** The middle. */
  center?: Point
  /** Metres, ≥ 0. CAP writes kilometres. */
  radiusM?: number
}

/** Geocode is the code of an official area, such as SAME 048453, UGC TXZ192 or FIPS 48453. */
export type Geocode = {
  /** The name of the scheme: "SAME", "UGC", "FIPS6", "EMMA_ID" … */
  scheme?: string
  /** The code in that scheme, with its leading zeros. */
  code?: string
}

/** Incident is a copy of an incident as the owning agency's CAD has it, under the CAD's number. Opening and closing stay in that CAD. The common code and the local code stand side by side; each agency owns its mapping. Source: NENA EIDO (STA-021). */
export type Incident = {
  /** APCO common incident type code (APCO 2.103), such as "FSTRU"; EIDO incidentTypeCommonRegistryText. */
  commonType?: string
  /** The agency's own code for the type. */
  localTypeCode?: string
  /** The agency's own words for the type. People are shown this. */
  localTypeText?: string
  /** The states that hold; several may ("Active" and "ResourcesOnscene"). */
  statuses?: IncidentStatus[]
  /** EIDO incidentStatusCommonRegistryText exactly as received, words that are not in the registry too. */
  statusTexts?: string[]
  /** Its numbers, one for each agency that has one. */
  numbers?: IncidentNumber[]
  /** The agencies and what they do in it. */
  agencies?: IncidentAgency[]
  /** The places and what each of them is. */
  locations?: IncidentLocation[]
  /** The people. */
  persons?: IncidentPerson[]
  /** The vehicles. */
  vehicles?: IncidentVehicle[]
  /** What was written down; only ever added to, in the order of `number`. */
  notes?: IncidentNote[]
  /** What other agencies say differently; kept beside, never merged in. */
  alternates?: IncidentAlternate[]
  /** Ids of events that are evidence for it, 16 bytes each: detections, alarms, calls. */
  evidenceEventIds?: Uint8Array[]
  /** The units on it, by their agencies' CADs. */
  units?: IncidentUnit[]
  /** The agency's own word for the priority, such as "1" or "P2"; on the floor 1 is highest. The common number is the event's. */
  localPriority?: string
  /** How it ended, one for each agency. */
  dispositions?: IncidentDisposition[]
  /** Incidents it belongs to or was merged with. */
  links?: IncidentLink[]
  /** FQDN of the agency that owns it (EIDO incidentOwningAgencyIndicator). */
  owningAgency?: string
  /** Beat, district or dispatch group, as the agency writes it. */
  dispatchGroup?: string
  /** When the CAD opened it. */
  openedAt?: Timestamp
  /** When the CAD closed it; absent while it is open. */
  closedAt?: Timestamp
  /** When the sender last changed it (EIDO lastUpdateTimeStamp). */
  updatedAt?: Timestamp
  /** Dangers to those who go there. */
  cautions?: IncidentCaution[]
  /** Pictures, sound and papers, as links. */
  media?: IncidentMedia[]
  /** Talkgroups and channels shared for it (EIDO sharedCommunicationResource), by their names. */
  communicationResources?: string[]
  /** Ids of the calls of it, URNs. */
  calls?: string[]
  /** Numbers of people, where the source counts them; each agency's count is an alternate when they differ. */
  casualties?: IncidentCasualties
  /** Name that people gave it, such as "Bear Creek Fire". */
  name?: string
}

/** IncidentStatus is the state of an incident. Source: NENA EIDO registry IncidentStatus. */
export const IncidentStatus = {
  /** Not said, or a word that is not in the registry: see `status_texts`. */
  UNSPECIFIED: 0,
  /** Active. */
  ACTIVE: 1,
  /** Cancelled. */
  CANCELLED: 2,
  /** Closed. */
  CLOSED: 3,
  /** FireUnderControl. */
  FIRE_UNDER_CONTROL: 4,
  /** NewLocation. */
  NEW_LOCATION: 5,
  /** ReOpened. */
  REOPENED: 6,
  /** ResourcesAssigned. */
  RESOURCES_ASSIGNED: 7,
  /** ResourcesEnroute. */
  RESOURCES_EN_ROUTE: 8,
  /** ResourcesOnscene. */
  RESOURCES_ON_SCENE: 9,
  /** StructureCleared. */
  STRUCTURE_CLEARED: 10,
} as const
export type IncidentStatus = (typeof IncidentStatus)[keyof typeof IncidentStatus]

/** IncidentNumber is an agency's own number for an incident. */
export type IncidentNumber = {
  /** FQDN of the agency. */
  agency?: string
  /** Its number, such as "F26-014233" (EIDO internalIncidentId). */
  number?: string
}

/** IncidentAgency is an agency's part in an incident. Source: EIDO agencyComponent. */
export type IncidentAgency = {
  /** FQDN of the agency (EIDO agencyId). */
  agency?: string
  /** Its name, as its people say it. */
  name?: string
  /** What it does in the incident. */
  roles?: AgencyRole[]
  /** EIDO agencyType as received, URNs such as "urn:emergency:service:responder.fire". */
  types?: string[]
  /** EIDO agencyRoleDescriptionRegistryText exactly as received. */
  roleTexts?: string[]
  /** Its 24-hour telephone number. */
  telephone?: string
  /** When it came in. */
  joinedAt?: Timestamp
}

/** AgencyRole is what an agency does in an incident. Source: NENA EIDO registry AgencyRole. */
export const AgencyRole = {
  /** Not said, or a word that is not in the registry: see `role_texts`. */
  UNSPECIFIED: 0,
  /** Assisting. */
  ASSISTING: 1,
  /** CallReceiving. */
  CALL_RECEIVING: 2,
  /** Dispatched. */
  DISPATCHED: 3,
  /** Dispatching. */
  DISPATCHING: 4,
  /** Informational. */
  INFORMATIONAL: 5,
  /** TransferredTo. */
  TRANSFERRED_TO: 6,
} as const
export type AgencyRole = (typeof AgencyRole)[keyof typeof AgencyRole]

/** IncidentLocation is a place and what it is to the incident. Source: EIDO locationComponent. */
export type IncidentLocation = {
  /** What it is. */
  type?: LocationType
  /** The place. */
  location?: Location
  /** EIDO locationTypeDescriptionRegistryText exactly as received. */
  typeText?: string
  /** Common name, such as "City Hall". */
  commonName?: string
  /** Cross streets. */
  crossStreets?: string
  /** How to get in: gate codes and the like. */
  accessNote?: string
  /** Where the place can be asked for (EIDO locationByReferenceUrl); a secret of the call. */
  referenceUri?: string
  /** When it was found. */
  locatedAt?: Timestamp
  /** Cell sector of the call. */
  cellSector?: string
}

/** LocationType is what a place is to an incident. Source: NENA EIDO registry LocationType. */
export const LocationType = {
  /** Not said, or a word that is not in the registry: see `type_text`. */
  UNSPECIFIED: 0,
  /** RoutingLocation: by which the call was routed. */
  ROUTING: 1,
  /** Caller. */
  CALLER: 2,
  /** CurrentIncident. */
  CURRENT_INCIDENT: 3,
  /** InitialIncident. */
  INITIAL_INCIDENT: 4,
  /** Investigation. */
  INVESTIGATION: 5,
  /** Staging. */
  STAGING: 6,
  /** TowerLocation. */
  TOWER: 7,
  /** UnitLocation. */
  UNIT: 8,
  /** Other. */
  OTHER: 9,
} as const
export type LocationType = (typeof LocationType)[keyof typeof LocationType]

/** IncidentPerson is a person in an incident. Source: EIDO personComponent. */
export type IncidentPerson = {
  /** Identity within the incident, as the source has it. */
  personId?: string
  /** What they are to it; a suspect's role is criminal-justice information. */
  roles?: PersonRole[]
  /** EIDO personIncidentRoleRegistryText exactly as received. */
  roleTexts?: string[]
  /** Name, as the source writes it. */
  name?: string
  /** Telephone numbers, E.164 where the source has it. */
  telephones?: string[]
  /** Date of birth, ISO 8601, as far as known ("1980", "1980-07-04"). */
  birthDate?: string
  /** Age in years, 0 to 150. */
  ageYears?: number
  /** Sex, as the source writes it. */
  sex?: string
  /** What they look like, in words. */
  description?: string
  /** Medical facts, in words. */
  medical?: string
  /** Home address. */
  address?: Location
  /** Warrants, records and warnings, in words. */
  criminalJustice?: string
  /** Language they speak, BCP 47. */
  language?: string
  /** Contact as received (jCard), where it says more. */
  contactSource?: string
}

/** PersonRole is what a person is to an incident. Source: NENA EIDO registry PersonRole. */
export const PersonRole = {
  /** Not said, or a word that is not in the registry: see `role_texts`. */
  UNSPECIFIED: 0,
  /** InvolvedPerson. */
  INVOLVED_PERSON: 1,
  /** Caller. */
  CALLER: 2,
  /** Patient. */
  PATIENT: 3,
  /** PatientAcquaintance. */
  PATIENT_ACQUAINTANCE: 4,
  /** PatientRelative. */
  PATIENT_RELATIVE: 5,
  /** PersonOfInterest. */
  PERSON_OF_INTEREST: 6,
  /** ReportingParty. */
  REPORTING_PARTY: 7,
  /** Suspect. */
  SUSPECT: 8,
  /** Victim. */
  VICTIM: 9,
  /** VictimAcquaintance. */
  VICTIM_ACQUAINTANCE: 10,
  /** VictimRelative. */
  VICTIM_RELATIVE: 11,
  /** Witness. */
  WITNESS: 12,
} as const
export type PersonRole = (typeof PersonRole)[keyof typeof PersonRole]

/** IncidentVehicle is a vehicle in an incident. Source: EIDO vehicleComponent. */
export type IncidentVehicle = {
  /** Identity within the incident, as the source has it. */
  vehicleId?: string
  /** What it is to the incident; a suspect's vehicle is criminal-justice information. */
  roles?: VehicleRole[]
  /** EIDO's role text exactly as received. */
  roleTexts?: string[]
  /** Licence plate. */
  plate?: string
  /** State or country of the plate, such as "US-TX". */
  plateRegion?: string
  /** Vehicle identification number, ISO 3779. */
  vin?: string
  /** Make. */
  make?: string
  /** Model. */
  model?: string
  /** Model year. */
  modelYear?: number
  /** Colour, in words. */
  color?: string
  /** What else it looks like, in words. */
  description?: string
  /** Registered owner, as the source writes it. */
  owner?: string
  /** UN number or words for dangerous goods on board, such as "1203". */
  hazardousMaterial?: string
}

/** VehicleRole is what a vehicle is to an incident. Source: NENA EIDO registry of vehicle roles. */
export const VehicleRole = {
  /** Not said, or a word that is not in the registry: see `role_texts`. */
  UNSPECIFIED: 0,
  /** Accident. */
  ACCIDENT: 1,
  /** Involved. */
  INVOLVED: 2,
  /** Suspect. */
  SUSPECT: 3,
  /** Victim. */
  VICTIM: 4,
  /** Witness. */
  WITNESS: 5,
  /** ResponseVehicle. */
  RESPONSE_VEHICLE: 6,
} as const
export type VehicleRole = (typeof VehicleRole)[keyof typeof VehicleRole]

/** IncidentNote is something written down about an incident; never changed, never removed. Source: EIDO notes. */
export type IncidentNote = {
  /** Identity of the note, as the source has it. */
  noteId?: string
  /** Place in the order of the notes of one agency, from 1; 0: the source has none. */
  number?: Int64
  /** What was written. Callers' words stand here, so it is labelled as a whole. */
  text?: string
  /** Who wrote it, as their agency names them. */
  author?: string
  /** FQDN of the author's agency. */
  agency?: string
  /** When it was written, by the CAD. */
  writtenAt?: Timestamp
  /** The source's own word for its kind, such as "premise history". */
  kind?: string
}

/** IncidentAlternate is another agency's differing value for a field; it is kept, and shown as theirs. */
export type IncidentAlternate = {
  /** Which field, such as "locations[0].location.civic_address.house_number". */
  fieldPath?: string
  /** Its value, as that agency has it. May be anything, so it is labelled as strictly as the strictest field here. */
  value?: string
  /** FQDN of the agency that says so. */
  agency?: string
  /** When it said so. */
  saidAt?: Timestamp
  /** Id of the event in which it said so, 16 bytes. */
  eventId?: Uint8Array
}

/** IncidentUnit is a unit on an incident, as a list for people; the unit's own state is a UnitStatus. */
export type IncidentUnit = {
  /** The unit, by its agency's name for it, such as "E12". */
  unitId?: string
  /** FQDN of the agency that owns it. */
  agency?: string
  /** URN of the unit. */
  subject?: string
  /** The agency's own word for its status. */
  statusText?: string
  /** When it was assigned. */
  assignedAt?: Timestamp
  /** When it was released; absent while it is assigned. */
  releasedAt?: Timestamp
}

/** IncidentDisposition is how an incident ended for an agency. Source: EIDO dispositionComponent. */
export type IncidentDisposition = {
  /** FQDN of the agency. */
  agency?: string
  /** Common code, as received. */
  commonCode?: string
  /** The agency's own code. */
  localCode?: string
  /** The agency's own words. */
  text?: string
  /** When it was given. */
  givenAt?: Timestamp
}

/** IncidentLink ties incidents together. Source: EIDO linkComponent and mergeComponent. */
export type IncidentLink = {
  /** URN of the other incident. */
  incident?: string
  /** How they belong together. */
  type?: IncidentLinkType
  /** Why, in words. */
  reason?: string
  /** When they were tied together, or taken apart. */
  at?: Timestamp
}

/** IncidentLinkType is how incidents belong together. */
export const IncidentLinkType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** They have to do with each other. */
  LINKED: 1,
  /** A former link that no longer holds. */
  UNLINKED: 2,
  /** This one was merged into the other; the other goes on. */
  MERGED_INTO: 3,
  /** The other was merged into this one. */
  MERGED_FROM: 4,
  /** A former merge that was taken back. */
  UNMERGED: 5,
  /** This one was split off the other. */
  SPLIT_FROM: 6,
  /** The other is the larger incident that this one is part of. */
  PARENT: 7,
  /** The other is part of this one. */
  CHILD: 8,
} as const
export type IncidentLinkType = (typeof IncidentLinkType)[keyof typeof IncidentLinkType]

/** IncidentCaution is a danger to those who go there. Source: EIDO cautionComponent. */
export type IncidentCaution = {
  /** What the danger is, in words; may speak of a person's past or health. */
  text?: string
  /** EIDO severity exactly as received, "highest" to "lowest". */
  severityText?: string
  /** Where it holds. */
  location?: Location
  /** FQDN of the agency that says so. */
  agency?: string
  /** Until when it holds. */
  expiresAt?: Timestamp
}

/** IncidentMedia is a picture, a recording or a paper; the bytes themselves are never in an event. Source: EIDO media. */
export type IncidentMedia = {
  /** Where it is. */
  uri?: string
  /** Media type, such as "video/mp4". */
  contentType?: string
  /** What it shows, in words. */
  label?: string
  /** When it was made. */
  madeAt?: Timestamp
}

/** IncidentCasualties counts people; a count that is absent is not known, which is not zero. */
export type IncidentCasualties = {
  /** People hurt. */
  injured?: number
  /** People dead. */
  dead?: number
  /** People missing. */
  missing?: number
  /** People trapped. */
  trapped?: number
  /** People evacuated. */
  evacuated?: number
}

/** Call is a 9-1-1, administrative or internal call, or a text session. Source: NENA EIDO callComponent, i3 (STA-010). */
export type Call = {
  /** The call's identifier, a URN (`urn:emergency:uid:callid:…`), or the source's own. */
  callId?: string
  /** State, by the words of the EIDO registry (callStateRegistryText), as received. */
  state?: string
  /** Phase, as far as it follows from the state's words and times. */
  phase?: CallPhase
  /** EIDO standardPrimaryCallType, as received, such as "emergency". */
  primaryType?: string
  /** EIDO standardSecondaryCallType and local types, as received. */
  secondaryTypes?: string[]
  /** Which way it goes. */
  direction?: CallDirection
  /** When it began. */
  startedAt?: Timestamp
  /** When a person answered; absent: not yet, or never. */
  answeredAt?: Timestamp
  /** When it ended; absent while it lasts. */
  endedAt?: Timestamp
  /** The queue it waits or waited in. */
  queue?: string
  /** Priority in the queue. */
  priority?: CallPriority
  /** The number to call back: E.164, a SIP or a tel URI. */
  callback?: string
  /** The caller's name, as the network gives it. */
  callerName?: string
  /** Whether the network vouches for the number (RFC 8225 verstat), as received, such as "TN-Validation-Passed". */
  verstat?: string
  /** The SIP Identity header that stands behind it, as received (RFC 8224). */
  sipIdentity?: string
  /** URN of the incident it belongs to. */
  incident?: string
  /** The network's service provider and class of service, such as "WRLS". */
  serviceClass?: string
  /** What is spoken or typed with. */
  media?: CallMedia[]
  /** The person who took it, as their agency names them. */
  callTaker?: string
  /** The position where it is. */
  position?: string
  /** FQDNs of the agencies that it was transferred to, in order. */
  transferredTo?: string[]
  /** Whether the caller hung up before it was answered. Absent: not said. */
  abandoned?: boolean
  /** Language the caller speaks, BCP 47. */
  language?: string
  /** The service asked for, a URN such as "urn:service:sos" (RFC 5031). */
  serviceUrn?: string
  /** Additional data about the call and caller, as links (RFC 7852). */
  additionalDataUris?: string[]
}

/** CallPhase is where a call is in its life. */
export const CallPhase = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It rings or waits. */
  WAITING: 1,
  /** People talk. */
  ACTIVE: 2,
  /** It is on hold. */
  HELD: 3,
  /** It is being transferred or bridged. */
  TRANSFERRING: 4,
  /** It is over. */
  ENDED: 5,
} as const
export type CallPhase = (typeof CallPhase)[keyof typeof CallPhase]

/** CallDirection is which way a call goes. Source: EIDO direction. */
export const CallDirection = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** From outside to the agency. */
  INCOMING: 1,
  /** From the agency to outside. */
  OUTGOING: 2,
  /** Within the agency. */
  INTERNAL: 3,
} as const
export type CallDirection = (typeof CallDirection)[keyof typeof CallDirection]

/** CallPriority is the priority in a queue. Source: EIDO priorityIdentifier. */
export const CallPriority = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** highest. */
  HIGHEST: 1,
  /** high. */
  HIGH: 2,
  /** normal. */
  NORMAL: 3,
  /** low. */
  LOW: 4,
  /** lowest. */
  LOWEST: 5,
} as const
export type CallPriority = (typeof CallPriority)[keyof typeof CallPriority]

/** CallMedia is what a call is made with. */
export const CallMedia = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Voice. */
  AUDIO: 1,
  /** Picture. */
  VIDEO: 2,
  /** Text-to-911 by SMS. */
  SMS: 3,
  /** Real-time text (RFC 4103). */
  REAL_TIME_TEXT: 4,
  /** Teletypewriter. */
  TTY: 5,
  /** No person speaks: a crash sensor or another machine calls (RFC 7852, RFC 8876). */
  NON_INTERACTIVE: 6,
} as const
export type CallMedia = (typeof CallMedia)[keyof typeof CallMedia]

/** Alarm is a signal that an alarm company passes on about a protected place. Source: the words of ASAP-to-PSAP (APCO/TMA 2.101). */
export type Alarm = {
  /** What the signal is about. */
  category?: AlarmCategory
  /** The source's own code or word for the category, exactly as received. */
  categoryText?: string
  /** What the alarm company is doing with this message. */
  messageType?: AlarmMessageType
  /** Kind of the protected place, as received, such as "COMMERCIAL", "RESIDENTIAL". */
  locationCategory?: string
  /** APCO common incident type that the sender proposes, such as "ALRBA"; a proposal, never an incident. */
  proposedIncidentType?: string
  /** What the alarm company writes about it. */
  description?: string
  /** Whether a siren or bell sounds at the place. Absent: not said. */
  audible?: boolean
  /** Whether somebody confirmed it by eye, ear or telephone. Absent: not said. */
  verified?: boolean
  /** How it was confirmed, in words. */
  verification?: string
  /** Where it can be seen or heard, as a link. */
  verificationUri?: string
  /** The alarm company's own number for the event. */
  monitoringNumber?: string
  /** The alarm company's account of the subscriber. */
  account?: string
  /** The agency's permit number for the alarm system. */
  permit?: string
  /** Name of the monitoring station. */
  monitoringStation?: string
  /** The monitoring station's telephone for the agency. */
  monitoringTelephone?: string
  /** The operator at the monitoring station. */
  monitoringOperator?: string
  /** Name of the subscriber or of the place. */
  subscriber?: string
  /** Telephone at the place. */
  premiseTelephone?: string
  /** Whether the monitoring station called the place, and what came of it. */
  callToPremise?: string
  /** Who has keys, how to reach them, whether they are on the way. */
  contacts?: AlarmContact[]
  /** Sensors that triggered, in order. */
  sensors?: AlarmSensor[]
  /** Directions, gate codes, dogs, and the like. */
  premiseNote?: string
  /** When the sensor triggered, by the monitoring station. */
  triggeredAt?: Timestamp
  /** The agency's CAD number, once it has answered. */
  incidentNumber?: string
  /** FQDN of the agency that is asked. */
  agency?: string
  /** Medical need at the place, in words. */
  medical?: string
  /** The company that services the alarm system. */
  serviceCompany?: string
}

/** AlarmCategory is what an alarm signal is about. */
export const AlarmCategory = {
  /** Not said, or another word: see `category_text`. */
  UNSPECIFIED: 0,
  /** Break-in. */
  BURGLARY: 1,
  /** Robbery, hold-up. */
  HOLDUP: 2,
  /** Somebody pressed for help. */
  PANIC: 3,
  /** Duress code. */
  DURESS: 4,
  /** Fire, smoke, heat, pull station. */
  FIRE: 5,
  /** Carbon monoxide. */
  CARBON_MONOXIDE: 6,
  /** Gas. */
  GAS: 7,
  /** Medical. */
  MEDICAL: 8,
  /** Water flow or sprinkler. */
  WATER_FLOW: 9,
  /** Flood or leak. */
  FLOOD: 10,
  /** A vehicle's alarm or crash signal. */
  VEHICLE: 11,
  /** The alarm system itself: trouble, tamper, loss of power. */
  TROUBLE: 12,
} as const
export type AlarmCategory = (typeof AlarmCategory)[keyof typeof AlarmCategory]

/** AlarmMessageType is what a message about an alarm does. */
export const AlarmMessageType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** The alarm company asks for a response. */
  REQUEST: 1,
  /** It adds or corrects something. */
  UPDATE: 2,
  /** It asks to cancel. */
  CANCEL: 3,
  /** The agency takes it. */
  ACCEPT: 4,
  /** The agency does not take it. */
  REJECT: 5,
  /** The agency says how far it is. */
  STATUS: 6,
} as const
export type AlarmMessageType = (typeof AlarmMessageType)[keyof typeof AlarmMessageType]

/** AlarmContact is somebody who answers for a protected place. */
export type AlarmContact = {
  /** Name. */
  name?: string
  /** Telephone. */
  telephone?: string
  /** Whether they were reached. Absent: not said. */
  reached?: boolean
  /** When they expect to be at the place. */
  eta?: Timestamp
  /** What they drive. */
  vehicle?: string
}

/** AlarmSensor is a sensor that triggered. */
export type AlarmSensor = {
  /** Zone or number, as the panel has it. */
  zone?: string
  /** What and where it is, in words, such as "kitchen smoke detector". */
  description?: string
  /** When it triggered, by the monitoring station. */
  triggeredAt?: Timestamp
  /** The panel's code, such as a Contact ID event "1110". */
  sourceCode?: string
  /** When it was restored; absent: not yet. */
  restoredAt?: Timestamp
}

/** Message is text from people to people: chat, a page, a paging system's text, a note between positions. It orders nothing of a machine. Source: CoT GeoChat (b-t-f), Meshtastic text, APRS message, XMPP, TETRA SDS. */
export type Message = {
  /** The text, UTF-8; at most 16,384 bytes. */
  text?: string
  /** BCP 47 language of the text, where known. */
  language?: string
  /** One line above it, where the source has one. */
  title?: string
  /** Who wrote it. */
  sender?: MessageParty
  /** Whom it is for; empty: everybody in `room`. */
  recipients?: MessageParty[]
  /** The room, channel or group, by the source's name, such as "All Chat Rooms" or "LongFast". */
  room?: string
  /** The thread within the room, by the source's identity of it. */
  thread?: string
  /** The message it answers: id of the event, 16 bytes; empty: none, or not known. */
  replyToEventId?: Uint8Array
  /** The message it answers, by the source's identity. */
  replyTo?: string
  /** The source's identity of this message. */
  messageId?: string
  /** How far it came. SEEN is said only by a Receipt of a person. */
  delivery?: MessageDelivery
  /** Why it failed, where it did. */
  deliveryText?: string
  /** URN of the incident it is about. */
  incident?: string
  /** Files that go with it, as links. */
  attachments?: MessageAttachment[]
  /** Whether the sender asks for an answer by a person. */
  answerRequested?: boolean
  /** Until when an answer is of use. */
  answerBy?: Timestamp
  /** A reaction rather than a text, such as "👍". */
  reaction?: string
}

/** MessageParty is a sender or a recipient. */
export type MessageParty = {
  /** How it is addressed in its own system: CoT uid, mesh node, APRS callsign, principal, telephone number. */
  address?: string
  /** What people call it. */
  name?: string
  /** FQDN of its agency. */
  agency?: string
  /** The position it works at, such as "Fire 2". */
  position?: string
}

/** MessageAttachment is a file that goes with a message; the bytes themselves are never in an event. */
export type MessageAttachment = {
  /** Where it is. */
  uri?: string
  /** Media type, such as "image/jpeg". */
  contentType?: string
  /** What it shows, in words. */
  description?: string
  /** Bytes. */
  sizeBytes?: Int64
  /** SHA-256 of the bytes, 32 bytes. */
  sha256?: Uint8Array
}

/** MessageDelivery is how far a message came on its way, by the transport. */
export const MessageDelivery = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Stored here, not yet given to the transport. */
  ACCEPTED: 1,
  /** Given to the transport. */
  SENT: 2,
  /** The recipient's device has it; no person need have seen it. */
  DELIVERED: 3,
  /** It could not be delivered. */
  FAILED: 4,
  /** Nobody said anything in time. */
  EXPIRED: 5,
} as const
export type MessageDelivery = (typeof MessageDelivery)[keyof typeof MessageDelivery]

/** Observation is what one thing measured at one time, or over one window of time. Source: OGC SensorThings Observation, SenML (RFC 8428). Heart rate and the like get LABEL_PHI by the event's handling. */
export type Observation = {
  /** The values, in the order of the source; at least one. */
  measurements?: Measurement[]
  /** Begin of the sampling window, for sums, means and extremes; absent: the values belong to the event's `observed_at`. */
  windowStart?: Timestamp
  /** End of the sampling window; absent: the event's `observed_at`. */
  windowEnd?: Timestamp
}

/** Measurement is one value of one quantity. */
export type Measurement = {
  /** What was measured, a lower-case name such as "air_temperature" or "water_level"; at most 64 bytes. Never empty. */
  quantity?: string
  /** UCUM code of the value's unit, such as "Cel", "Pa", "m/s", "%"; "1" for a pure number; empty: the value has no unit. */
  unit?: string
  /** The value exactly as the source wrote it, with its digits, where `number` was converted or rounded. */
  sourceValue?: string
  /** The unit exactly as the source wrote it, such as "degF" or "inHg". */
  sourceUnit?: string
  /** How far the value can be trusted. */
  quality?: Quality
  /** Integral of the value over time since the source's own start, in `unit` times seconds. Source: SenML sum "s". */
  sum?: number
  /** Which one, where one message repeats a quantity (four soil probes); from 0. It is part of the value's identity. */
  index?: number
  /** The sensor or channel inside the device, by the device's own name, such as "probe2"; at most 64 bytes. */
  channel?: string
  /** What the value is over the sampling window. */
  aggregation?: Aggregation
  /** Half width of the interval that holds the truth with 95 %, in `unit`, where the source states it; ≥ 0. */
  uncertainty?: number
  /** When this value was measured, where one message carries values of several times. Source: SenML time "t". */
  measuredAt?: Timestamp
  /** The source's own word for the quality, such as USGS "P" (provisional) or a METAR flag. */
  sourceQuality?: string
} & (
  | { value?: undefined }
  | { value: 'number'; number: number }
  | { value: 'integer'; integer: Int64 }
  | { value: 'flag'; flag: boolean }
  | { value: 'text'; text: string }
  | { value: 'blob'; blob: Uint8Array }
)

/** Quality is how far a value can be trusted. Source: the quality flags common to WMO, USGS and OPC UA. */
export const Quality = {
  /** Not judged by anybody. */
  UNSPECIFIED: 0,
  /** Checked by the source, or within what is physically possible and known of the sensor. */
  GOOD: 1,
  /** Doubtful; show it with a mark. */
  SUSPECT: 2,
  /** Wrong: a sentinel, outside what is physically possible, or a failed sensor. Never used for a mean. */
  BAD: 3,
  /** The source says that there is no value. */
  MISSING: 4,
  /** Computed or interpolated, not measured. */
  ESTIMATED: 5,
} as const
export type Quality = (typeof Quality)[keyof typeof Quality]

/** Aggregation is what a value stands for within its window. */
export const Aggregation = {
  /** Not said; read as INSTANT. */
  UNSPECIFIED: 0,
  /** At one moment. */
  INSTANT: 1,
  /** Arithmetic mean. */
  MEAN: 2,
  /** Smallest. */
  MINIMUM: 3,
  /** Largest, such as a gust. */
  MAXIMUM: 4,
  /** Amount within the window, such as rain. */
  TOTAL: 5,
  /** Number of things within the window, such as lightning strokes. */
  COUNT: 6,
  /** Counter since the device's start or reset; falls only when it is reset. */
  ACCUMULATED: 7,
} as const
export type Aggregation = (typeof Aggregation)[keyof typeof Aggregation]

/** Detection is a sensor's own judgement that something is wrong (or over): smoke, gas, radiation, a shot, a fall, a panic button. Whether it becomes an incident is for people and the agency's CAD. Source: CoT detection and radmeasurement, EIDO alarmsSensors. */
export type Detection = {
  /** What was detected, such as "smoke", "carbon_monoxide", "Cs-137", "gunshot", "panic_button"; never empty. */
  agent?: string
  /** The class the source puts it in, such as "blister" or "gamma". */
  agentClass?: string
  /** What was measured, in `unit`. */
  measured?: number
  /** The limit that was crossed, in `unit`. */
  limit?: number
  /** UCUM code of the unit of `measured` and `limit`. */
  unit?: string
  /** Whether the alarm is on; false: it has ended. Absent: the source does not say. */
  alarm?: boolean
  /** How sure the sensor is, 0 to 1. */
  confidence?: number
  /** APCO common incident type that the device's owner would use, such as "ALRGAS"; a proposal, never an incident. */
  proposedIncidentType?: string
  /** The source's own word for the level, such as "WARNING 2"; shown to people, never turned into CAP severity. */
  level?: string
  /** The values that led to it. */
  measurements?: Measurement[]
  /** How far above the background, in standard deviations. Source: CoT nalarmstddev. */
  deviationSigma?: number
  /** Area that the sensor holds to be endangered, where it computes one. */
  affectedArea?: Location
  /** When it began, by the source. */
  startedAt?: Timestamp
  /** When it ended, by the source. */
  endedAt?: Timestamp
  /** Whether somebody at the device has silenced it, which ends neither the cause nor the alarm. */
  silenced?: boolean
  /** The zone, loop, detector or sensor inside the device, by its own name; at most 64 bytes. */
  channel?: string
  /** The source's own code for it, such as a Contact ID event "1110". */
  sourceCode?: string
  /** How far the reading behind it can be trusted. */
  quality?: Quality
}

/** DeviceStatus is a device's own health. It never says that what the device watches is well. */
export type DeviceStatus = {
  /** Whether it can be reached. */
  online?: Online
  /** What has just changed, where the message is about a change. */
  transition?: DeviceTransition
  /** Charge of the battery, 0 to 1. */
  batteryFraction?: number
  /** Voltage of the battery, volts, ≥ 0. */
  batteryV?: number
  /** The source's warning that the battery is low. */
  batteryLow?: boolean
  /** Whether it runs on external power; false: on its battery. */
  externalPower?: boolean
  /** Whether the battery is being charged. */
  charging?: boolean
  /** Received signal strength, dBm, usually −150 to 0. */
  rssiDbm?: number
  /** Signal to noise ratio, decibels. */
  snrDb?: number
  /** Link quality in the source's own scale (Zigbee LQI: 0 to 255). */
  linkQuality?: number
  /** Version of the firmware, as the device says it. */
  firmware?: string
  /** Version or name of the hardware, as the device says it. */
  hardware?: string
  /** When somebody last heard it. */
  lastSeen?: Timestamp
  /** When it started. */
  startedAt?: Timestamp
  /** How long it has been running. */
  uptime?: Duration
  /** How often it means to report; silence for much longer is a fault. */
  reportInterval?: Duration
  /** Its own temperature, degrees Celsius, above −273.15. */
  temperatureCel?: number
  /** Share of the airtime that is in use, 0 to 1. Source: Meshtastic channel_utilization. */
  channelUseFraction?: number
  /** Free storage, 0 to 1. */
  storageFreeFraction?: number
  /** Whether its case was opened or moved. */
  tamper?: boolean
  /** Faults by its own names, such as "gps_no_fix"; empty: none stated. */
  faults?: string[]
  /** The devices or gateways that heard the message, best first. */
  receptions?: Reception[]
  /** What it can measure or report, by the quantities' names, where a birth message says so (Sparkplug NBIRTH, DBIRTH). */
  quantities?: string[]
  /** Make and model, as the device says it. */
  model?: string
  /** What people call it, as the source says it. */
  displayName?: string
  /** Number of the Sparkplug session (bdSeq) or boot counter that the message belongs to. */
  session?: Int64
}

/** Reception is how one receiver heard a device. Source: LoRaWAN rxInfo, Meshtastic rx_rssi and rx_snr. */
export type Reception = {
  /** The receiver, by the source's identifier. */
  receiver?: string
  /** Received signal strength, dBm. */
  rssiDbm?: number
  /** Signal to noise ratio, decibels. */
  snrDb?: number
  /** Where the receiver stands. */
  location?: Location
  /** When that receiver had it, by its clock. */
  receivedAt?: Timestamp
  /** Carrier frequency, hertz. */
  frequencyHz?: number
  /** LoRa spreading factor, 5 to 12. */
  spreadingFactor?: number
  /** How many hops the message made until that receiver. */
  hops?: number
}

/** Online says whether a device can be reached. */
export const Online = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It reports as it should. */
  ONLINE: 1,
  /** It said, or its broker said for it, that it is gone. */
  OFFLINE: 2,
  /** It should have reported and has not; its last values are old. */
  OVERDUE: 3,
  /** It reports, but says that part of it does not work. */
  DEGRADED: 4,
} as const
export type Online = (typeof Online)[keyof typeof Online]

/** DeviceTransition is what has just happened to a device. */
export const DeviceTransition = {
  /** Nothing, or not said: a periodic report. */
  UNSPECIFIED: 0,
  /** It has come up and says what it has (Sparkplug NBIRTH, DBIRTH; MQTT online). */
  BIRTH: 1,
  /** It is gone (Sparkplug NDEATH, DDEATH; MQTT will). */
  DEATH: 2,
  /** It has joined a radio network (LoRaWAN join, P25 registration). */
  JOIN: 3,
  /** It has left a radio network. */
  LEAVE: 4,
  /** It has restarted. */
  RESTART: 5,
} as const
export type DeviceTransition = (typeof DeviceTransition)[keyof typeof DeviceTransition]

/** Position says where a unit, a person or an asset is and how it moves. The place itself, with speed and course, stands in the event's `location`; how long it holds in the event's `expires_at` (CoT stale). Source: CoT, AIS, ADS-B, APRS, TAIP, NMEA 0183. */
export type Position = {
  /** What it calls itself or is called: a CoT callsign, an AIS ship's name, an ADS-B flight. */
  callsign?: string
  /** What kind of thing it is. */
  trackType?: TrackType
  /** The source's own code for the kind, such as CoT "a-f-G-U-C", AIS ship type "51", ADS-B category "A7". */
  sourceType?: string
  /** Where its nose points, degrees from true north, 0 to below 360; differs from the course over ground in wind and current. */
  headingDeg?: number
  /** Climb, metres per second; negative: falling. */
  verticalRateMps?: number
  /** What the receiver of satellite navigation says of its fix. */
  fixType?: FixType
  /** How many satellites were used. */
  satellites?: number
  /** Horizontal dilution of precision, a pure number ≥ 0. */
  hdop?: number
  /** Vertical dilution of precision, a pure number ≥ 0. */
  vdop?: number
  /** Position dilution of precision, a pure number ≥ 0. */
  pdop?: number
  /** Whether it declares an emergency (CoT emergency, ADS-B emergency, AIS-SART, a radio's emergency button); false: it has ended. Absent: the source does not say. */
  emergency?: boolean
  /** The source's own word for the emergency, such as "general", "unlawful", "911 Alert". */
  emergencyText?: string
  /** Transponder code, four octal digits, such as "7700". */
  squawk?: string
  /** Altitude above ground, metres. */
  heightAboveGroundM?: number
  /** Barometric altitude, metres at 1013.25 hPa. */
  pressureAltitudeM?: number
  /** Whether it stands on the ground or is moored. */
  onGround?: boolean
  /** What it is doing, in the source's code (AIS navigational status 0 to 15, APRS status, Hub Santé move). */
  sourceStatus?: string
  /** Rate of turn, degrees per second, positive to starboard. */
  turnRateDegps?: number
  /** Where it is bound, as the source says. */
  destination?: string
  /** When it expects to be there, by the source. */
  eta?: Timestamp
  /** The unit that this is, only by the owning agency's mapping table; a radio's or tracker's number is no unit. */
  unitId?: string
  /** The person who carries it, as the source names them. */
  person?: string
  /** The team it belongs to (CoT group name), such as "Cyan". */
  team?: string
  /** Its role in the team (CoT group role), such as "Team Lead", "Medic". */
  role?: string
  /** Length over all, metres, ≥ 0. */
  lengthM?: number
  /** Beam or width, metres, ≥ 0. */
  widthM?: number
  /** Draught, metres, ≥ 0. */
  draughtM?: number
  /** How old the position was when the source sent it, seconds, ≥ 0. Source: readsb seen_pos. */
  ageS?: number
  /** Charge of the tracker's battery, 0 to 1. */
  batteryFraction?: number
  /** Speed through air, metres per second, ≥ 0. */
  airspeedMps?: number
  /** Whether the engine runs. Source: Hub Santé engineOn. */
  engineOn?: boolean
}

/** TrackType is the kind of thing that has a position. */
export const TrackType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** A person on foot. */
  PERSON: 1,
  /** A land vehicle. */
  VEHICLE: 2,
  /** An aeroplane or helicopter. */
  AIRCRAFT: 3,
  /** An unmanned aircraft. */
  UNMANNED_AIRCRAFT: 4,
  /** A ship or boat. */
  VESSEL: 5,
  /** Something that does not move by itself: a sensor, a base station, a hydrant. */
  FIXED: 6,
  /** An animal, such as a search dog. */
  ANIMAL: 7,
  /** A mark that people set on a map. */
  MARKER: 8,
  /** A distress beacon: AIS-SART, EPIRB, MOB, ELT, PLB. */
  DISTRESS_BEACON: 9,
  /** An aid to navigation, real or virtual. */
  AID_TO_NAVIGATION: 10,
} as const
export type TrackType = (typeof TrackType)[keyof typeof TrackType]

/** FixType is what a receiver of satellite navigation says of its fix. Source: NMEA 0183 GGA quality, GSA mode. */
export const FixType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It has none; the position is its last one. */
  NONE: 1,
  /** Two dimensions. */
  TWO_D: 2,
  /** Three dimensions. */
  THREE_D: 3,
  /** With differential corrections. */
  DIFFERENTIAL: 4,
  /** Real-time kinematic, fixed ambiguities. */
  RTK_FIXED: 5,
  /** Real-time kinematic, float ambiguities. */
  RTK_FLOAT: 6,
  /** Dead reckoning. */
  DEAD_RECKONING: 7,
  /** Entered by a person. */
  MANUAL: 8,
  /** A simulator. Never shown as real. */
  SIMULATED: 9,
  /** Military precise positioning. */
  PRECISE: 10,
} as const
export type FixType = (typeof FixType)[keyof typeof FixType]

/** UnitStatus is what a response unit does. It comes only from the CAD of the agency that owns the unit; what others say about the unit stands beside it as other events. Source: NENA EIDO (STA-021) emergencyResourceComponent. */
export type UnitStatus = {
  /** The unit, by its agency's name for it, such as "E12"; never empty. People read this. */
  unitId?: string
  /** FQDN of the agency that owns the unit. */
  agency?: string
  /** Whether it can be sent. */
  primary?: PrimaryUnitStatus
  /** What it does; several may hold at once ("en route", "to the hospital"). */
  secondary?: SecondaryUnitStatus[]
  /** EIDO secondaryUnitStatusRegistryText exactly as received, each of them, those without an enum value too. */
  secondaryTexts?: string[]
  /** EIDO primaryUnitStatusRegistryText exactly as received. */
  primaryText?: string
  /** The agency's own code, such as "10-97" or "AOR". People are shown this first. */
  localCode?: string
  /** The agency's own words, such as "At Scene". */
  localText?: string
  /** URN of the incident it works on. Source: EIDO activeOnIncidentId. */
  incident?: string
  /** URNs of the incidents that wait for it. Source: EIDO stackedOnIncidentId. */
  stackedIncidents?: string[]
  /** When it expects to arrive at its destination. */
  eta?: Timestamp
  /** Where it is bound. */
  destination?: Location
  /** The destination's name, such as a hospital's. */
  destinationName?: string
  /** EIDO emergencyResourceTypeCommonRegistryText, such as "GroundALSAmbulance", "StructureFireEngineType1". */
  resourceType?: string
  /** EIDO resourceAttributeRegistryText: what it carries or can do. */
  attributes?: string[]
  /** The people on it, as the agency names them. */
  crew?: string[]
  /** When it entered this status, by the CAD. */
  since?: Timestamp
  /** Its station, beat or home. */
  home?: string
  /** Radio ids and talkgroups under which it can be reached, as the agency writes them. */
  radioIds?: string[]
}

/** PrimaryUnitStatus says whether a unit can be sent. Source: NENA EIDO registry PrimaryUnitStatus. */
export const PrimaryUnitStatus = {
  /** Not said, or a word that is not in the registry: see `primary_text` and `local_text`. */
  UNSPECIFIED: 0,
  /** Available. */
  AVAILABLE: 1,
  /** ConditionallyAvailable. */
  CONDITIONALLY_AVAILABLE: 2,
  /** NotAvailable. */
  NOT_AVAILABLE: 3,
} as const
export type PrimaryUnitStatus = (typeof PrimaryUnitStatus)[keyof typeof PrimaryUnitStatus]

/** SecondaryUnitStatus says what a unit does. Source: NENA EIDO registry SecondaryUnitStatus, the values dispatchers act on; every other value of the registry is kept in `secondary_texts`. */
export const SecondaryUnitStatus = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** AcknowledgedTransmission: it has confirmed the dispatch. */
  ACKNOWLEDGED_TRANSMISSION: 1,
  /** Arrived at the incident or elsewhere. */
  ARRIVED: 2,
  /** Assigned to an incident or another task. */
  ASSIGNED: 3,
  /** AssignmentCancelled. */
  ASSIGNMENT_CANCELLED: 4,
  /** Backup: it supports another unit. */
  BACKUP: 5,
  /** Cleared the incident or another place. */
  CLEARED: 6,
  /** Delayed. */
  DELAYED: 7,
  /** Departed. */
  DEPARTED: 8,
  /** Dispatched. */
  DISPATCHED: 9,
  /** EnRoute. */
  EN_ROUTE: 10,
  /** EquipmentIssues. */
  EQUIPMENT_ISSUES: 11,
  /** Hospital: at one, or, with another status, on the way to one. */
  HOSPITAL: 12,
  /** InService. */
  IN_SERVICE: 13,
  /** OnScene. */
  ON_SCENE: 14,
  /** OutofService. */
  OUT_OF_SERVICE: 15,
  /** PatientContact. */
  PATIENT_CONTACT: 16,
  /** Staging. */
  STAGING: 17,
  /** Station: at its station, or, with another status, on the way to it. */
  STATION: 18,
  /** Transporting. */
  TRANSPORTING: 19,
  /** Unmanned: not staffed well enough. */
  UNMANNED: 20,
} as const
export type SecondaryUnitStatus = (typeof SecondaryUnitStatus)[keyof typeof SecondaryUnitStatus]

/** RadioCall is a transmission, or a series of them, on a radio system. A radio's number becomes a unit only by the agency's mapping table. Source: trunk-recorder MQTT plugin, rdio-scanner, P25 (TIA-102), DMR, TETRA, Meshtastic. */
export type RadioCall = {
  /** Where the call is in its life. */
  phase?: RadioCallPhase
  /** What the signal is about. */
  callType?: RadioCallType
  /** The source's identity of the call, the same from START to END; empty: the source gives none. */
  callId?: string
  /** The system, by the source's short name, such as "countysafe". */
  system?: string
  /** The system's number on the air: P25 "WACN.SYSID" in hexadecimal, DMR network, TETRA "MCC.MNC". */
  systemId?: string
  /** The talkgroup's number, or absent for a conventional channel or a call between two radios. */
  talkgroup?: number
  /** What people call the talkgroup, such as "FD DISP 1". */
  talkgroupAlias?: string
  /** Its longer description, group and service tag, as the recorder has them. */
  talkgroupDescription?: string
  /** The group the talkgroup belongs to, such as "Fire". */
  talkgroupGroup?: string
  /** Its service tag, such as "Fire Dispatch". */
  talkgroupTag?: string
  /** The transmitting radio's number; absent: not known. Not a unit. */
  radioId?: Int64
  /** What people call the radio, by the recorder's list or over the air. */
  radioAlias?: string
  /** The called radio's number, for a call between two radios, a page or a call alert. */
  calledRadioId?: Int64
  /** Talkgroups patched together with this one at the time. */
  patches?: number[]
  /** Carrier frequency, hertz. */
  frequencyHz?: number
  /** TDMA time slot, 0 or 1. */
  slot?: number
  /** Whether it is encrypted; then there is no audio. Absent: not known. */
  encrypted?: boolean
  /** Whether the radio's emergency is active; false: stated as not active, or cleared. */
  emergency?: boolean
  /** When the call began, by the recorder. */
  startedAt?: Timestamp
  /** When the call ended, by the recorder; absent while it lasts. */
  endedAt?: Timestamp
  /** How long people talked; less than the time between start and end, because pauses are cut. */
  duration?: Duration
  /** The recording, as a link; the sound itself is never in an event. */
  audioUri?: string
  /** Media type of the recording, such as "audio/mp4". */
  audioContentType?: string
  /** SHA-256 of the recording, 32 bytes. */
  audioSha256?: Uint8Array
  /** What was said, as text made by a machine; may be wrong, and is to be shown as such. */
  transcript?: string
  /** The site or tower that was heard, by the source's name. */
  site?: string
  /** P25 RFSS and site, or the like, by number. */
  siteId?: string
  /** P25 network access code, 0 to 4,095. */
  nac?: number
  /** The recorder that made it, by its own name. */
  recorder?: string
  /** Mode on the air. */
  mode?: RadioMode
  /** Who transmitted when, within the call. */
  transmissions?: RadioTransmission[]
  /** Priority on the system, in its own scale (P25: 1 is highest). */
  systemPriority?: number
  /** Received signal strength, dBm. */
  rssiDbm?: number
  /** Number of frames that could not be decoded. */
  errorCount?: number
  /** The channel's name, for conventional and mesh channels. */
  channel?: string
  /** The source's own word for the state, such as trunk-recorder's call_state_type. */
  sourceState?: string
  /** Status or message number that was sent, for P25 status and TETRA SDS status. */
  statusCode?: number
}

/** RadioTransmission is one radio speaking within a call. */
export type RadioTransmission = {
  /** The transmitting radio's number; absent: not known. */
  radioId?: Int64
  /** What people call the radio. */
  radioAlias?: string
  /** When it began. */
  startedAt?: Timestamp
  /** How long it lasted. */
  duration?: Duration
  /** From the start of the recording. */
  offset?: Duration
  /** Whether the radio's emergency was active. */
  emergency?: boolean
  /** Carrier frequency, hertz. */
  frequencyHz?: number
}

/** RadioCallPhase is where a call is in its life. */
export const RadioCallPhase = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It has begun. */
  START: 1,
  /** It goes on; something about it is now known or has changed. */
  UPDATE: 2,
  /** It is over. */
  END: 3,
} as const
export type RadioCallPhase = (typeof RadioCallPhase)[keyof typeof RadioCallPhase]

/** RadioCallType is what a signal on a radio system is about. Source: trunk-recorder unit topics, TIA-102. */
export const RadioCallType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Voice to a talkgroup. */
  GROUP: 1,
  /** Voice between two radios. */
  PRIVATE: 2,
  /** Voice on a conventional channel. */
  CONVENTIONAL: 3,
  /** Interconnect with a telephone. */
  TELEPHONE: 4,
  /** A page or call alert: it asks a radio to call back. */
  ALERT: 5,
  /** A radio's emergency alarm, without voice. */
  EMERGENCY_ALARM: 6,
  /** A radio registered or was switched on. */
  REGISTRATION: 7,
  /** A radio deregistered or was switched off. */
  DEREGISTRATION: 8,
  /** A radio joined a talkgroup. */
  AFFILIATION: 9,
  /** A data grant. */
  DATA: 10,
  /** A radio answered or acknowledged. */
  ACKNOWLEDGEMENT: 11,
  /** A radio registered its place in the network; carries no latitude or longitude. */
  LOCATION_REGISTRATION: 12,
  /** A status number was sent. */
  STATUS: 13,
  /** A radio asked whether it is to answer (unit to unit answer request). */
  ANSWER_REQUEST: 14,
} as const
export type RadioCallType = (typeof RadioCallType)[keyof typeof RadioCallType]

/** RadioMode is the mode on the air. */
export const RadioMode = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Analogue voice. */
  ANALOG: 1,
  /** P25 phase 1. */
  P25_PHASE1: 2,
  /** P25 phase 2, TDMA. */
  P25_PHASE2: 3,
  /** DMR. */
  DMR: 4,
  /** TETRA. */
  TETRA: 5,
  /** NXDN. */
  NXDN: 6,
  /** LoRa mesh. */
  MESH: 7,
} as const
export type RadioMode = (typeof RadioMode)[keyof typeof RadioMode]

/** Receipt is what a recipient says back about an event. One kind never implies the next: stored is not displayed, displayed is not seen, seen is not taken over. Nothing but a person or an agency's own system says SEEN, ACCEPTED or DECLINED. */
export type Receipt = {
  /** Id of the event it is about, 16 bytes; empty only where just `subject` is known. */
  eventId?: Uint8Array
  /** URN of the thing it is about, such as an incident. */
  subject?: string
  /** What is said. */
  type?: ReceiptType
  /** Why, for REFUSED and DECLINED: a stable code of the error table, such as "forbidden"; else empty. */
  reason?: string
  /** The reason or a remark, in words for people. */
  text?: string
  /** FQDN of the agency that speaks. */
  agency?: string
  /** The gateway or system that speaks, by the name its certificate gives. */
  gateway?: string
  /** The person, for SEEN, ACCEPTED and DECLINED, as their agency names them. */
  person?: string
  /** The position the person works at, such as "Fire 2". */
  position?: string
  /** When it happened, by the recipient's clock. */
  at?: Timestamp
  /** The recipient's own number for the matter, such as its CAD number, for ACCEPTED. */
  localNumber?: string
  /** Code of the recipient's system, such as the STA-024 response code "488" or the EDXL-DE error, as received. */
  sourceCode?: string
}

/** ReceiptType is what a recipient says. */
export const ReceiptType = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It is safe on the recipient's disk. */
  STORED: 1,
  /** The recipient does not take it; `reason` says why. */
  REFUSED: 2,
  /** A console has drawn it; nobody need have looked. */
  DISPLAYED: 3,
  /** A person at a position says that they have seen it. */
  SEEN: 4,
  /** An agency takes the responsibility. */
  ACCEPTED: 5,
  /** An agency does not take the responsibility; `reason` says why. */
  DECLINED: 6,
} as const
export type ReceiptType = (typeof ReceiptType)[keyof typeof ReceiptType]

/** ResourceRequest asks, offers or reports about resources: the messages of EDXL-RM 1.0 that begin an exchange. Nothing is dispatched by it: the answer is a person's or an agency's own system's. */
export type ResourceRequest = {
  /** What is asked for or said. */
  verb?: ResourceVerb
  /** The message's identity at its sender (EDXL-RM MessageID). */
  messageId?: string
  /** The first message of the exchange (OriginatingMessageID). */
  originatingMessageId?: string
  /** The message just before (PrecedingMessageID). */
  precedingMessageId?: string
  /** What the message is about, in words (MessageDescription). */
  description?: string
  /** The resources. */
  resources?: Resource[]
  /** Whom to ask. */
  contacts?: ResourceContact[]
  /** URN of the incident. */
  incident?: string
  /** The incident's number or name at the sender (IncidentInformation). */
  incidentNumber?: string
  /** How the sender pays (Funding), in words. */
  funding?: string
  /** FQDNs of the agencies it is for; empty: whoever may read it. */
  recipients?: string[]
  /** Takes an earlier message back (MessageRecall): that message's identity; else empty. */
  recallsMessageId?: string
  /** Whether the recalled message is replaced by this one; false: only taken back. */
  recallIsUpdate?: boolean
  /** Until when an answer is of use. */
  answerBy?: Timestamp
  /** The verb exactly as received (MessageContentType). */
  verbText?: string
}

/** ResourceResponse answers a ResourceRequest: the messages of EDXL-RM 1.0 that answer. */
export type ResourceResponse = {
  /** What is answered. */
  verb?: ResourceVerb
  /** The message's identity at its sender (EDXL-RM MessageID). */
  messageId?: string
  /** The first message of the exchange (OriginatingMessageID). */
  originatingMessageId?: string
  /** The message that is answered (PrecedingMessageID). */
  precedingMessageId?: string
  /** Whether the answer is yes, no, or yes to a part. */
  answer?: ResourceAnswer
  /** Why, by the sender's code (ReasonCode). */
  reasonCode?: string
  /** Why, in words (ResponseReason). */
  reason?: string
  /** The resources, each with what is said of it. */
  resources?: Resource[]
  /** Whom to ask. */
  contacts?: ResourceContact[]
  /** URN of the incident. */
  incident?: string
  /** The incident's number or name at the sender. */
  incidentNumber?: string
  /** What the message is about, in words. */
  description?: string
  /** Response code of the conveyance, as received, such as STA-024 "200". */
  sourceCode?: string
  /** The verb exactly as received (MessageContentType). */
  verbText?: string
}

/** ResourceVerb is what a message about resources does. Source: EDXL-RM 1.0 message types. */
export const ResourceVerb = {
  /** Not said, or another word: see `verb_text`. */
  UNSPECIFIED: 0,
  /** RequestResource. */
  REQUEST_RESOURCE: 1,
  /** ResponseToRequestResource. */
  RESPONSE_TO_REQUEST_RESOURCE: 2,
  /** RequisitionResource: a binding order. */
  REQUISITION_RESOURCE: 3,
  /** CommitResource: it is promised. */
  COMMIT_RESOURCE: 4,
  /** RequestInformation. */
  REQUEST_INFORMATION: 5,
  /** ResponseToRequestInformation. */
  RESPONSE_TO_REQUEST_INFORMATION: 6,
  /** OfferUnsolicitedResource. */
  OFFER_UNSOLICITED_RESOURCE: 7,
  /** ReleaseResource: it is no longer needed. */
  RELEASE_RESOURCE: 8,
  /** RequestReturn: its owner wants it back. */
  REQUEST_RETURN: 9,
  /** ResponseToRequestReturn. */
  RESPONSE_TO_REQUEST_RETURN: 10,
  /** RequestQuote. */
  REQUEST_QUOTE: 11,
  /** ResponseToRequestQuote. */
  RESPONSE_TO_REQUEST_QUOTE: 12,
  /** RequestResourceDeploymentStatus. */
  REQUEST_DEPLOYMENT_STATUS: 13,
  /** ReportResourceDeploymentStatus. */
  REPORT_DEPLOYMENT_STATUS: 14,
  /** RequestExtendedDeploymentDuration. */
  REQUEST_EXTENDED_DEPLOYMENT: 15,
  /** ResponseToRequestExtendedDeploymentDuration. */
  RESPONSE_TO_REQUEST_EXTENDED_DEPLOYMENT: 16,
} as const
export type ResourceVerb = (typeof ResourceVerb)[keyof typeof ResourceVerb]

/** ResourceAnswer is an answer. Source: EDXL-RM ResponseType. */
export const ResourceAnswer = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Accept. */
  ACCEPT: 1,
  /** Decline. */
  DECLINE: 2,
  /** Provisional: yes, with conditions or in part. */
  PROVISIONAL: 3,
} as const
export type ResourceAnswer = (typeof ResourceAnswer)[keyof typeof ResourceAnswer]

/** Resource is one kind of thing, team or person that is spoken of. Source: EDXL-RM ResourceInformation. */
export type Resource = {
  /** Identity of the entry within the exchange (ResourceInfoElementID). */
  entryId?: string
  /** URN of the resource, where it is a single one (ResourceID). */
  subject?: string
  /** Its name (Name). */
  name?: string
  /** EIDO emergencyResourceTypeCommonRegistryText or FEMA/NIMS type (TypeStructure), such as "GroundALSAmbulance". */
  type?: string
  /** The list that `type` is from, a URI; empty: EIDO. */
  typeList?: string
  /** What it must be or have, in words (Keyword, SpecialRequirements, Description). */
  requirements?: string[]
  /** What it is, in words (Description). */
  description?: string
  /** How much; absent: one, or not said (Quantity). */
  quantity?: number
  /** UCUM code of the quantity, "1" for pieces. */
  quantityUnit?: string
  /** The quantity exactly as written, where it is words. */
  quantityText?: string
  /** For what it is needed, in words (AnticipatedFunction). */
  anticipatedFunction?: string
  /** When and where, in order. */
  schedule?: ResourceSchedule[]
  /** Where it is in its deployment (DeploymentStatus), as received. */
  deploymentStatus?: string
  /** Whether it is available, as received (Availability). */
  availability?: string
  /** FQDN of the agency that owns it. */
  owner?: string
  /** Price or estimate, in the sender's words (PriceQuote). */
  price?: string
  /** Credentials or certificates, in words (Credentials, Certifications). */
  credentials?: string[]
  /** Numbers of people it consists of; absent: not said. */
  staff?: number
  /** Order, requisition or request number (OrderID). */
  orderNumber?: string
}

/** ResourceSchedule is when and where a resource is to be or is. Source: EDXL-RM ScheduleInformation. */
export type ResourceSchedule = {
  /** What the entry is about. */
  type?: ResourceScheduleType
  /** When. */
  at?: Timestamp
  /** Where. */
  location?: Location
  /** The type exactly as received. */
  typeText?: string
}

/** ResourceScheduleType is what an entry of a schedule is about. Source: EDXL-RM ScheduleType. */
export const ResourceScheduleType = {
  /** Not said, or another word: see `type_text`. */
  UNSPECIFIED: 0,
  /** Where it is now (Current). */
  CURRENT: 1,
  /** When it is asked to arrive (RequestedArrival). */
  REQUESTED_ARRIVAL: 2,
  /** When it is expected to arrive (EstimatedArrival). */
  ESTIMATED_ARRIVAL: 3,
  /** When it arrived (ActualArrival). */
  ACTUAL_ARRIVAL: 4,
  /** When it is asked to leave (RequestedDeparture). */
  REQUESTED_DEPARTURE: 5,
  /** When it is expected to leave (EstimatedDeparture). */
  ESTIMATED_DEPARTURE: 6,
  /** When it left (ActualDeparture). */
  ACTUAL_DEPARTURE: 7,
  /** When it is expected back (EstimatedReturnArrival). */
  ESTIMATED_RETURN: 8,
  /** When it was back (ActualReturnArrival). */
  ACTUAL_RETURN: 9,
  /** Where it begins (ReportTo). */
  REPORT_TO: 10,
  /** Its way (Route). */
  ROUTE: 11,
  /** From when it is committed or needed (BeginAvailable). */
  BEGIN_AVAILABLE: 12,
  /** Until when it is committed or needed (EndAvailable). */
  END_AVAILABLE: 13,
} as const
export type ResourceScheduleType = (typeof ResourceScheduleType)[keyof typeof ResourceScheduleType]

/** ResourceContact is somebody to ask. Source: EDXL-RM ContactInformation. */
export type ResourceContact = {
  /** What they are in the exchange, as received (ContactRole), such as "Requester", "Approver". */
  role?: string
  /** Name. */
  name?: string
  /** FQDN of their agency. */
  agency?: string
  /** Telephones. */
  telephones?: string[]
  /** Mail addresses. */
  emails?: string[]
  /** Radio, in words: talkgroup, frequency, call sign. */
  radio?: string
  /** Where they are. */
  location?: Location
}

/** FacilityStatus is what a hospital, shelter or other facility can take and do. Counts of people are never facts of one person. Source: OASIS EDXL-HAVE 1.0 and 2.0. */
export type FacilityStatus = {
  /** The facility's identity, as its registry has it. */
  facilityId?: string
  /** Its name. */
  name?: string
  /** What it is, as received, such as "Hospital", "Shelter", "LongTermCare". */
  kind?: string
  /** The organisation that runs it: FQDN or name. */
  organization?: string
  /** Whether it works as a whole. */
  operations?: FacilityOperations
  /** The source's own word for it. */
  operationsText?: string
  /** Remark on it, for people. */
  comment?: string
  /** Whether its emergency department takes patients. */
  traffic?: FacilityTraffic
  /** The source's own word for it (EMSTraffic), such as "Advisory", and its reason. */
  trafficText?: string
  /** Beds, by kind. */
  beds?: FacilityBeds[]
  /** What it offers. */
  services?: FacilityService[]
  /** How many patients it can take, by triage. */
  triage?: FacilityTriage[]
  /** State of buildings, staff, power and the like. */
  resources?: FacilityResource[]
  /** When the facility last said so. */
  updatedAt?: Timestamp
  /** Whom to ask. */
  contacts?: ResourceContact[]
  /** Whether it works under its emergency plan. Absent: not said. */
  emergencyPlanActive?: boolean
  /** Whether it can decontaminate. Absent: not said. */
  decontaminationAvailable?: boolean
  /** Time until a patient is offloaded from an ambulance, seconds, ≥ 0. */
  offloadTimeS?: number
  /** Places in all (shelters), and how many are taken: as one entry of `beds` with kind "Shelter" where the source counts beds. */
  capacity?: number
  /** Places taken. */
  occupied?: number
  /** What a shelter admits or has, in words, such as "pets", "wheelchairs". */
  amenities?: string[]
}

/** FacilityOperations says whether a facility works. Source: EDXL-HAVE facilityOperations, colour codes. */
export const FacilityOperations = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** As usual. */
  NORMAL: 1,
  /** With less than usual, but it takes people. */
  LIMITED: 2,
  /** It cannot take more. */
  FULL: 3,
  /** It does not work. */
  CLOSED: 4,
  /** It is being evacuated. */
  EVACUATING: 5,
  /** It gets ready and is not open yet. */
  STANDBY: 6,
} as const
export type FacilityOperations = (typeof FacilityOperations)[keyof typeof FacilityOperations]

/** FacilityTraffic says whether ambulances may come. Source: EDXL-HAVE EMSTraffic. */
export const FacilityTraffic = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Normal: open. */
  NORMAL: 1,
  /** Advisory: open, with the problem that `traffic_text` says. */
  ADVISORY: 2,
  /** Closed: go elsewhere. */
  CLOSED: 3,
  /** NotApplicable: it has no emergency department. */
  NOT_APPLICABLE: 4,
} as const
export type FacilityTraffic = (typeof FacilityTraffic)[keyof typeof FacilityTraffic]

/** FacilityBeds counts beds of one kind; a count that is absent is not known, which is not zero. Source: EDXL-HAVE bed capacity. */
export type FacilityBeds = {
  /** The kind, by HAVE's name, such as "AdultICU", "PediatricICU", "MedicalSurgical", "Burn", "Ventilators". */
  kind?: string
  /** Free, with staff. */
  available?: number
  /** In all, with staff (BaselineCount). */
  baseline?: number
  /** That could be added within 24 hours. */
  additional_24h?: number
  /** That could be added within 72 hours. */
  additional_72h?: number
  /** Taken. */
  occupied?: number
  /** "Vacant/Available", "NotAvailable" and the like, as received, where the source gives no number. */
  statusText?: string
}

/** FacilityService is something a facility offers. Source: EDXL-HAVE services. */
export type FacilityService = {
  /** Its name by HAVE, such as "Cardiology", "Dialysis", "TraumaCenterServices". */
  name?: string
  /** Whether it is available now. Absent: not said. */
  available?: boolean
  /** Level or remark, such as "Level I". */
  detail?: string
}

/** FacilityTriage is how many patients of one triage colour a facility can take and has. Source: EDXL-HAVE TriageCount, START. */
export type FacilityTriage = {
  /** The colour. */
  color?: TriageColor
  /** How many it can take; absent: not known. */
  capacity?: number
  /** How many it has; absent: not known. */
  patients?: number
}

/** TriageColor is a colour of triage. Source: START, EDXL-HAVE. */
export const TriageColor = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Red: immediate. */
  RED: 1,
  /** Yellow: delayed. */
  YELLOW: 2,
  /** Green: minor. */
  GREEN: 3,
  /** Black: dead or expectant. */
  BLACK: 4,
} as const
export type TriageColor = (typeof TriageColor)[keyof typeof TriageColor]

/** FacilityResource is the state of something a facility needs. Source: EDXL-HAVE HospitalResourceStatus. */
export type FacilityResource = {
  /** What, by HAVE's name, such as "FacilityOperations", "Staffing", "Power", "Oxygen", "Generators". */
  name?: string
  /** Whether there is enough. Absent: not said. */
  adequate?: boolean
  /** The source's own word, such as "Adequate", "Insufficient". */
  statusText?: string
  /** How long it lasts, hours, ≥ 0. */
  hoursLeft?: number
  /** What is needed, in words. */
  need?: string
}

/** SystemEvent is what a gateway or another element of the network says of itself: alarms, changes, links that come and go. Source: NENA i3 LogEvent (STA-010), whose names the first values have, and the gateway's own alarms. */
export type SystemEvent = {
  /** What happened. */
  type?: SystemEventType
  /** The element that says so, an FQDN or the gateway's identity (i3 elementId). */
  element?: string
  /** FQDN of the agency it belongs to (i3 agencyId). */
  agency?: string
  /** Stable code for programs and runbooks, such as "disk_low", "link_down"; lower case, never reworded. */
  code?: string
  /** One sentence for people. */
  text?: string
  /** Facts for people and programs. */
  details?: SystemDetail[]
  /** How much it matters to those who run the gateway. */
  level?: SystemLevel
  /** Whether an alarm is on; false: it has cleared. Absent: not an alarm. */
  active?: boolean
  /** The alarm this one clears or repeats: the same for all events of one alarm. */
  alarmKey?: string
  /** The call, a URN (i3 callId). */
  call?: string
  /** The incident, a URN (i3 incidentId). */
  incident?: string
  /** The person (i3 agencyAgentId). */
  agent?: string
  /** The position (i3 agencyPositionId). */
  position?: string
  /** The other end's address and port (i3 ipAddressPort). */
  address?: string
  /** The sender's own identity of the event (i3 clientAssignedIdentifier). */
  clientIdentifier?: string
  /** logEventType exactly as received, words without an enum value too. */
  typeText?: string
  /** Since when it has been so. */
  since?: Timestamp
  /** How many times it happened within what this event stands for; 0: once. */
  count?: Int64
}

/** SystemDetail is a fact about a system event. */
export type SystemDetail = {
  /** Its name; lower case with underscores; at most 128 bytes. */
  name?: string
  /** Its value as text; at most 4,096 bytes. */
  value?: string
}

/** SystemLevel is how much a system event matters to those who run the gateway. It makes no noise on a dispatch floor. */
export const SystemLevel = {
  /** Not said; read as NOTICE. */
  UNSPECIFIED: 0,
  /** For the record. */
  NOTICE: 1,
  /** Somebody should look in working hours. */
  WARNING: 2,
  /** Somebody must look now: messages may be delayed or lost. */
  ALARM: 3,
} as const
export type SystemLevel = (typeof SystemLevel)[keyof typeof SystemLevel]

/** SystemEventType is what happened. Values 1 to 99 are NENA i3 LogEvent types; values from 100 are the gateway's own. */
export const SystemEventType = {
  /** Not said, or a word without a value here: see `type_text`. */
  UNSPECIFIED: 0,
  /** i3 CallProcessLogEvent. */
  CALL_PROCESS: 1,
  /** i3 CallStartLogEvent. */
  CALL_START: 2,
  /** i3 CallEndLogEvent. */
  CALL_END: 3,
  /** i3 RecCallStartLogEvent. */
  REC_CALL_START: 4,
  /** i3 RecCallEndLogEvent. */
  REC_CALL_END: 5,
  /** i3 CallTransferLogEvent. */
  CALL_TRANSFER: 6,
  /** i3 RouteLogEvent. */
  ROUTE: 7,
  /** i3 MediaStartLogEvent. */
  MEDIA_START: 8,
  /** i3 MediaEndLogEvent. */
  MEDIA_END: 9,
  /** i3 RecMediaStartLogEvent. */
  REC_MEDIA_START: 10,
  /** i3 RecMediaEndLogEvent. */
  REC_MEDIA_END: 11,
  /** i3 RecordingFailedLogEvent. */
  RECORDING_FAILED: 12,
  /** i3 MessageLogEvent. */
  MESSAGE: 13,
  /** i3 AdditionalAgencyLogEvent. */
  ADDITIONAL_AGENCY: 14,
  /** i3 IncidentMergeLogEvent. */
  INCIDENT_MERGE: 15,
  /** i3 IncidentUnMergeLogEvent. */
  INCIDENT_UNMERGE: 16,
  /** i3 IncidentLinkLogEvent. */
  INCIDENT_LINK: 17,
  /** i3 IncidentUnLinkLogEvent. */
  INCIDENT_UNLINK: 18,
  /** i3 IncidentClearLogEvent. */
  INCIDENT_CLEAR: 19,
  /** i3 IncidentReopenLogEvent. */
  INCIDENT_REOPEN: 20,
  /** i3 LostQueryLogEvent. */
  LOST_QUERY: 21,
  /** i3 LostResponseLogEvent. */
  LOST_RESPONSE: 22,
  /** i3 CallSignalingMessageLogEvent. */
  CALL_SIGNALING_MESSAGE: 23,
  /** i3 SipRecMetadataLogEvent. */
  SIP_REC_METADATA: 24,
  /** i3 NonRtpMediaMessageLogEvent. */
  NON_RTP_MEDIA_MESSAGE: 25,
  /** i3 AliLocationQueryLogEvent. */
  ALI_LOCATION_QUERY: 26,
  /** i3 AliLocationResponseLogEvent. */
  ALI_LOCATION_RESPONSE: 27,
  /** i3 MalformedMessageLogEvent. */
  MALFORMED_MESSAGE: 28,
  /** i3 IncidentSplitLogEvent. */
  INCIDENT_SPLIT: 29,
  /** i3 DiscrepancyReportLogEvent. */
  DISCREPANCY_REPORT: 30,
  /** i3 ElementStateChangeLogEvent. */
  ELEMENT_STATE_CHANGE: 31,
  /** i3 ServiceStateChangeLogEvent. */
  SERVICE_STATE_CHANGE: 32,
  /** i3 AdditionalDataQueryLogEvent. */
  ADDITIONAL_DATA_QUERY: 33,
  /** i3 AdditionalDataResponseLogEvent. */
  ADDITIONAL_DATA_RESPONSE: 34,
  /** i3 LocationQueryLogEvent. */
  LOCATION_QUERY: 35,
  /** i3 LocationResponseLogEvent. */
  LOCATION_RESPONSE: 36,
  /** i3 CallStateChangeLogEvent. */
  CALL_STATE_CHANGE: 37,
  /** i3 GatewayCallLogEvent. */
  GATEWAY_CALL: 38,
  /** i3 HookflashLogEvent. */
  HOOKFLASH: 39,
  /** i3 LegacyDigitsLogEvent. */
  LEGACY_DIGITS: 40,
  /** i3 AgentStateChangeLogEvent. */
  AGENT_STATE_CHANGE: 41,
  /** i3 QueueStateChangeLogEvent. */
  QUEUE_STATE_CHANGE: 42,
  /** i3 KeepAliveFailureLogEvent. */
  KEEP_ALIVE_FAILURE: 43,
  /** i3 RouteRuleMsgLogEvent. */
  ROUTE_RULE_MSG: 44,
  /** i3 PolicyChangeLogEvent. */
  POLICY_CHANGE: 45,
  /** i3 VersionsLogEvent. */
  VERSIONS: 46,
  /** i3 SubscribeLogEvent. */
  SUBSCRIBE: 47,
  /** i3 EidoLogEvent. */
  EIDO: 48,
  /** i3 EidoDereferenceFactoryQueryLogEvent. */
  EIDO_DEREFERENCE_FACTORY_QUERY: 49,
  /** i3 EidoDereferenceFactoryQueryResponse. */
  EIDO_DEREFERENCE_FACTORY_QUERY_RESPONSE: 50,
  /** i3 SubscriptionRequestedLogEvent. */
  SUBSCRIPTION_REQUESTED: 51,
  /** i3 SubscriptionRequestedResponseLogEvent. */
  SUBSCRIPTION_REQUESTED_RESPONSE: 52,
  /** i3 SubscriptionTerminatedLogEvent. */
  SUBSCRIPTION_TERMINATED: 53,
  /** i3 EidoDeniedLogEvent. */
  EIDO_DENIED: 54,
  /** i3 EidoTransmissionErrorLogEvent. */
  EIDO_TRANSMISSION_ERROR: 55,
  /** i3 WebSocketEstablishedLogEvent. */
  WEBSOCKET_ESTABLISHED: 56,
  /** i3 WebSocketTerminatedLogEvent. */
  WEBSOCKET_TERMINATED: 57,
  /** The gateway has started; the details say which version, and how it stopped before. */
  GATEWAY_STARTED: 100,
  /** The gateway stops in order. */
  GATEWAY_STOPPED: 101,
  /** The gateway's clock was moved by more than its limit. */
  CLOCK_STEP: 102,
  /** The gateway's clock is off from its time servers, or it cannot reach them. */
  CLOCK_OFFSET: 103,
  /** The disk has less room than the low-water mark; routine messages are no longer acknowledged. */
  DISK_LOW: 104,
  /** The disk has no room for urgent messages; nothing is acknowledged. */
  DISK_FULL: 105,
  /** A write or a sync failed; what was not acknowledged before is with the senders. */
  DISK_FAILED: 106,
  /** A record's checksum is wrong; the record is passed over, its place is told. */
  RECORD_DAMAGED: 107,
  /** Readers or partners cannot have some records; the details say which and why. */
  GAP: 108,
  /** An output makes no progress; its bookmark lags. */
  OUTPUT_STALLED: 109,
  /** An output that stalled has caught up. */
  OUTPUT_RECOVERED: 110,
  /** A source that should report has not. */
  INPUT_SILENT: 111,
  /** A source that was silent reports again. */
  INPUT_RECOVERED: 112,
  /** A link to a partner or a broker is established. */
  LINK_UP: 113,
  /** A link to a partner or a broker is lost. */
  LINK_DOWN: 114,
  /** Segments were removed because their time had come, or for room. */
  RETENTION_REMOVED: 115,
  /** The payload of a record was removed by order; its place and checksum remain. */
  PAYLOAD_REMOVED: 116,
  /** Refused frames were read again, after a fix. */
  REFUSALS_REPLAYED: 117,
  /** A store's budget of series is used up; new series are held back. */
  CARDINALITY_EXCEEDED: 118,
  /** Frames were not taken, because of overload; they were not acknowledged. */
  FRAME_SHED: 119,
  /** A sender's urgent messages are above its rate; the excess goes last in the lane. */
  URGENT_OVER_RATE: 120,
  /** A sender's messages are refused more often than its limit. */
  REFUSALS_HIGH: 121,
  /** A principal was refused: wrong credentials, or not permitted. */
  ACCESS_DENIED: 122,
  /** A certificate or token will expire soon. */
  CREDENTIAL_EXPIRING: 123,
  /** The settings, an agreement or the registry were changed. */
  SETTINGS_CHANGED: 124,
  /** A backup was made and read back. */
  BACKUP_MADE: 125,
  /** A backup could not be made or read back. */
  BACKUP_FAILED: 126,
  /** The log was restored from a backup; a new epoch begins. */
  RESTORED: 127,
  /** A connection was closed because it broke a limit, such as not reading. */
  CLIENT_CUT: 128,
  /** An output set aside lines that its store does not take. */
  QUARANTINED: 129,
  /** A principal was let in. */
  SIGNED_IN: 130,
  /** A principal that was let in has left, or was cut off. */
  SIGNED_OUT: 131,
  /** Somebody was given data. */
  DATA_READ: 132,
  /** Somebody used a right of those who run the gateway. */
  ADMINISTERED: 133,
  /** How far the audit is: number and digest of its last entry, so that a tail that is cut off is noticed. */
  AUDIT_HEAD: 134,
  /** The audit cannot be written. */
  AUDIT_FAILED: 135,
  /** Entries of the audit are missing, or are not as they were written. */
  AUDIT_DAMAGED: 136,
  /** Accounts or addresses are locked out of signing in, after too many failures. */
  SIGN_IN_LOCKED: 137,
  /** The sealed account for emergencies was opened, or must be sealed again. */
  BREAK_GLASS: 138,
} as const
export type SystemEventType = (typeof SystemEventType)[keyof typeof SystemEventType]

/** GetStatusRequest asks for the gateway's state. */
export type GetStatusRequest = {
}

/** GetStatusResponse is the gateway's state at one moment. */
export type GetStatusResponse = {
  /** The gateway's identity. */
  gateway?: string
  /** Its jurisdiction. */
  jurisdiction?: string
  /** Version of the software. */
  version?: string
  /** When it started. */
  startedAt?: Timestamp
  /** Its time. */
  now?: Timestamp
  /** How far its clock is ahead of its time servers; absent: not known. */
  clockOffset?: Duration
  /** Epoch of the log. */
  epoch?: Int64
  /** The lanes. */
  lanes?: LaneStatus[]
  /** Bytes free on the disk of the log. */
  diskFreeBytes?: Int64
  /** Bytes in all on the disk of the log. */
  diskTotalBytes?: Int64
  /** Bytes that the log takes. */
  logBytes?: Int64
  /** What became of the frames of this process. Together with `pending` they are as many as `received`. */
  fates?: FateCount[]
  /** Frames received by this process. */
  received?: Int64
  /** Frames on their way to the disk. */
  pending?: Int64
  /** Alarms that are on. */
  alarms?: SystemEvent[]
  /** When it was last stopped in order; absent: it was not. */
  stoppedAt?: Timestamp
  /** When the last backup was made and read back; absent: never. */
  backupAt?: Timestamp
  /** Digest of the settings that hold, for comparing gateways; says nothing of what they are. */
  settingsDigest?: string
  /** Measurements of quantities that the registry does not have, by adapter. They passed under their own names. */
  unknownQuantities?: UnknownQuantities[]
  /** The inputs and how they fare, ordered by name; last the one called "none", for channels that no adapter reads. */
  inputs?: InputStatus[]
  /** Frames received per second, over the last minute. */
  framesPerSecond?: number
  /** MQTT connections that are open. */
  mqttConnections?: number
  /** Subscriptions over gRPC that are open. */
  grpcStreams?: number
  /** After how long the disk is full if it fills on as it did; absent: it does not fill, or not for long enough to tell. */
  diskFullIn?: Duration
  /** How long its filling was watched; absent: not for long enough to tell. */
  diskWatched?: Duration
  /** Links to other MQTT brokers and how they fare, in the order of the settings. */
  links?: LinkStatus[]
  /** The exceptions for plain text that the settings make, and what came by them. */
  plaintextExceptions?: PlaintextExceptionStatus[]
  /** What is not as safe as it should be, and stopped no start: sentences with what to do, as they were at the start. */
  warnings?: string[]
}

/** PlaintextExceptionStatus is a listener in plain text for devices that can do nothing else. They may publish only. */
export type PlaintextExceptionStatus = {
  /** Its name in the settings. */
  name?: string
  /** Where it listens. */
  listen?: string
  /** The addresses and networks that it is for. */
  onlyFrom?: string[]
  /** Filters of the topics on which may be published. */
  topics?: string[]
  /** Why it is there. */
  reason?: string
  /** When it closes. */
  endsAt?: Timestamp
  /** Who answers for it. */
  officer?: string
  /** Connections since the start. */
  connections?: Int64
  /** Messages since the start. */
  messages?: Int64
  /** Connections that were turned away since the start: of other addresses, or after its end. */
  turnedAway?: Int64
}

/** LinkStatus is a link to another MQTT broker and how it fares. */
export type LinkStatus = {
  /** Its name in the settings. */
  name?: string
  /** Whether it is up. */
  up?: boolean
  /** Since when it is up, or down. */
  since?: Timestamp
  /** What is wrong, in words; empty: nothing. */
  problem?: string
  /** Messages of the log that it has not dealt with; those that are not for it are among them until they are looked at. */
  waiting?: Int64
  /** Messages from there that were acknowledged, since the start. */
  received?: Int64
  /** Messages that the other broker acknowledged, since the start. */
  published?: Int64
  /** Messages that did not go out, since the start: refused there, too large, expired, gone from the log. */
  dropped?: Int64
  /** When the last message came from there; absent: none since the start. */
  lastReceivedAt?: Timestamp
  /** When the last message was acknowledged there; absent: none since the start. */
  lastPublishedAt?: Timestamp
}

/** UnknownQuantities is what one adapter measured that the registry of quantities does not have. */
export type UnknownQuantities = {
  /** The adapter. */
  adapter?: string
  /** Measurements since the start. */
  measurements?: Int64
  /** Names, the most frequent first; at most 20. */
  names?: string[]
}

/** LaneStatus is a lane of the log. */
export type LaneStatus = {
  /** The lane. */
  lane?: Lane
  /** Last durable sequence; 0: none yet. */
  head?: Int64
  /** First sequence that is kept. */
  oldest?: Int64
  /** When the oldest record that is kept was logged. */
  oldestAt?: Timestamp
  /** When the last record was logged; absent: none is kept. */
  newestAt?: Timestamp
}

/** FateCount counts the frames of one fate. */
export type FateCount = {
  /** The fate. */
  fate?: Fate
  /** How many. */
  count?: Int64
}

/** ListInputsRequest asks for the inputs. */
export type ListInputsRequest = {
}

/** ListInputsResponse is all inputs. */
export type ListInputsResponse = {
  /** The inputs, ordered by name. */
  inputs?: InputStatus[]
}

/** InputStatus is an input and how it fares. */
export type InputStatus = {
  /** Its name in the settings. */
  name?: string
  /** What it is, such as "mqtt", "http", "udp", "poll". */
  kind?: string
  /** The adapter that reads it; empty: chosen by channel. */
  adapter?: string
  /** Where it listens or what it polls, without credentials. */
  address?: string
  /** Whether it is up. */
  up?: boolean
  /** What is wrong, in words; empty: nothing. */
  problem?: string
  /** Connections that are open. */
  connections?: number
  /** Frames since the start. */
  frames?: Int64
  /** Bytes since the start. */
  bytes?: Int64
  /** What became of the frames. */
  fates?: FateCount[]
  /** When the last frame came. */
  lastFrameAt?: Timestamp
  /** True while it is told to wait because the log cannot take more. */
  heldBack?: boolean
  /** Frames per second, over the last minute. */
  framesPerSecond?: number
}

/** ListBookmarksRequest asks for the readers. */
export type ListBookmarksRequest = {
  /** Only readers whose names begin with this; empty: all. */
  namePrefix?: string
}

/** ListBookmarksResponse is the readers. */
export type ListBookmarksResponse = {
  /** The readers, ordered by name. */
  bookmarks?: BookmarkStatus[]
}

/** BookmarkStatus is a reader's place in the log. */
export type BookmarkStatus = {
  /** The reader, such as "influx", "mqtt", "link:county-b.example", "console:fire-2". */
  reader?: string
  /** Last sequence of the urgent lane that it has dealt with. */
  urgent?: Int64
  /** Last sequence of the routine lane that it has dealt with. */
  routine?: Int64
  /** Records that wait for it in the urgent lane. */
  urgentLag?: Int64
  /** Records that wait for it in the routine lane. */
  routineLag?: Int64
  /** How old the oldest record is that waits for it; absent: none waits. */
  lagAge?: Duration
  /** When the bookmark last moved. */
  movedAt?: Timestamp
  /** Whether it keeps segments from removal. */
  holds?: boolean
  /** What is wrong, in words; empty: nothing. */
  problem?: string
  /** Whether it is connected now. */
  connected?: boolean
  /** Until when segments are held for it at the latest. */
  heldUntil?: Timestamp
}

/** ListRefusalsRequest says which refusals. */
export type ListRefusalsRequest = {
  /** Any of these adapters; empty: all. */
  adapters?: string[]
  /** Any of these channels, as MQTT topic filters with `+` and `#`; empty: all. */
  channels?: string[]
  /** Any of these senders; empty: all. */
  senders?: string[]
  /** Any of these kinds of fault; empty: all. */
  faults?: string[]
  /** Received at or after this time. */
  from?: Timestamp
  /** Received before this time. */
  to?: Timestamp
  /** Also those that were read again since. */
  includeReplayed?: boolean
  /** Also the bytes, where the reader may see them. */
  includePayload?: boolean
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
  /** Instead of what was refused: what came on channels that no adapter read (CARRIED), and that one may read by now. */
  carried?: boolean
}

/** ListRefusalsResponse is a page of the quarantine. */
export type ListRefusalsResponse = {
  /** Each is a Frame with fate REFUSED, encoded; without `payload` unless it was asked for and the reader may see it. */
  frames?: Uint8Array[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
}

/** ReplayRefusalsRequest says what to read again. Frames that were refused as forbidden or not trusted are judged by today's rules. */
export type ReplayRefusalsRequest = {
  /** These frames, 16 bytes each; empty: all that `matching` lets pass. */
  frameIds?: Uint8Array[]
  /** Which, when `frame_ids` is empty; its page and include fields are not used. */
  matching?: ListRefusalsRequest
  /** Tells what would come of it, and changes nothing. */
  dryRun?: boolean
}

/** ReplayRefusalsResponse is how far the replay is. */
export type ReplayRefusalsResponse = {
  /** How many frames there are to read. */
  total?: Int64
  /** How many were read. */
  read?: Int64
  /** How many are now stored. */
  stored?: Int64
  /** How many were refused again. */
  refused?: Int64
  /** How many were here before. */
  duplicate?: Int64
  /** How many say nothing that the schema knows. */
  ignored?: Int64
  /** True in the last message. */
  done?: boolean
}

/** ListWaitingRequest says which devices. */
export type ListWaitingRequest = {
  /** Names that begin with this; empty: all. */
  devicePrefix?: string
  /** Only behind this principal; empty: any. */
  principal?: string
  /** Instead: those that were admitted or blocked. */
  decided?: boolean
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
}

/** ListWaitingResponse is a page of the waiting room. */
export type ListWaitingResponse = {
  /** The devices, ordered by principal and name. */
  devices?: WaitingDevice[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
  /** Routine messages that were let go because too many waited, since the gateway was started. */
  dropped?: Int64
  /** Urgent messages of devices for which the list has no room; they are kept, and listed when there is. */
  unlisted?: Int64
}

/** WaitingDevice is a device that nobody has admitted, or about which somebody has decided. */
export type WaitingDevice = {
  /** The subject of its events, or the name in its certificate. */
  device?: string
  /** Behind which principal it stands, such as "system:chirpstack"; "unknown": it has a certificate, and its name is not entered. */
  principal?: string
  /** When the first and the last message came that wait. */
  firstSeen?: Timestamp
  /** See `first_seen`. */
  lastSeen?: Timestamp
  /** Messages that wait. */
  messages?: Int64
  /** As many of them are urgent. */
  urgent?: Int64
  /** Routine messages of it that were let go because too many waited. */
  dropped?: Int64
  /** Where it came from, at most 8. */
  addresses?: string[]
  /** On which topics, at most 8. */
  topics?: string[]
  /** The adapter that reads it. */
  adapter?: string
  /** What it said last, in a few words; empty: nothing that the caller may see. */
  says?: string
  /** Somebody has admitted it; while messages of it wait still, they are on their way. */
  admitted?: boolean
  /** Somebody has blocked it. */
  blocked?: boolean
  /** When that was. */
  decidedAt?: Timestamp
}

/** AdmitDeviceRequest says which device may pass. */
export type AdmitDeviceRequest = {
  /** Its name, as ListWaiting has it; with a * at its end, all that wait and begin so. */
  device?: string
  /** Behind which principal; may be left out where one alone has a device of this name waiting. */
  principal?: string
}

/** AdmitDeviceResponse says what was admitted. */
export type AdmitDeviceResponse = {
  /** Devices that may pass from now on. */
  devices?: number
  /** Messages of them that are on their way through the gateway now. */
  messages?: Int64
}

/** BlockDeviceRequest says which device may not. */
export type BlockDeviceRequest = {
  /** As in AdmitDeviceRequest. */
  device?: string
  /** As in AdmitDeviceRequest. */
  principal?: string
}

/** BlockDeviceResponse says what was blocked. */
export type BlockDeviceResponse = {
  /** Devices that may not. */
  devices?: number
  /** Messages of them that are kept in quarantine. */
  messages?: Int64
}

/** ListDevicesRequest says which devices. */
export type ListDevicesRequest = {
  /** Names that begin with this; empty: all. */
  namePrefix?: string
  /** Any of these adapters; empty: all. */
  adapters?: string[]
  /** Only devices that should have reported and have not. */
  onlyOverdue?: boolean
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
}

/** ListDevicesResponse is a page of the registry. */
export type ListDevicesResponse = {
  /** The devices, ordered by name. */
  devices?: DeviceEntry[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
}

/** DeviceEntry is a device of the registry, or one that was only heard of. */
export type DeviceEntry = {
  /** The device, as its adapter names it; unique within the jurisdiction. */
  device?: string
  /** What people call it. */
  displayName?: string
  /** Its class, such as "river_gauge". */
  deviceClass?: string
  /** The adapter that reads it. */
  adapter?: string
  /** FQDN of the agency that owns it. */
  owner?: string
  /** The principal under which it connects; empty: it comes through another system. */
  principal?: string
  /** Whether somebody has entered it, or it was only heard of. */
  registered?: boolean
  /** How often it means to report; absent: not known. */
  reportInterval?: Duration
  /** When it was last heard. */
  lastSeen?: Timestamp
  /** When it was first heard. */
  firstSeen?: Timestamp
  /** Whether it should have reported and has not. */
  overdue?: boolean
  /** Verbs that are enabled for it; empty: it takes no commands. */
  verbs?: string[]
  /** Events since the log began that are counted. */
  events?: Int64
  /** Version of its firmware, as it said last. */
  firmware?: string
  /** Charge of its battery, 0 to 1, as it said last; absent: not said. */
  batteryFraction?: number
  /** Messages that it seems to have sent and that never came, by its frame counter. */
  missed?: Int64
}

/** ListPrincipalsRequest says which principals. */
export type ListPrincipalsRequest = {
  /** Names that begin with this; empty: all. */
  namePrefix?: string
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
}

/** ListPrincipalsResponse is a page of principals. */
export type ListPrincipalsResponse = {
  /** The principals, ordered by name. */
  principals?: PrincipalEntry[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
}

/** PrincipalEntry is somebody or something that can authenticate. */
export type PrincipalEntry = {
  /** Its name, such as "device:gauge-7", "person:anna": its kind, a colon, and up to 128 letters, digits and `-`, `_`, `.`, `@`. */
  principal?: string
  /** What it is: "device", "system" (one login for many devices), "person", "service" (a program) or "partner". */
  kind?: string
  /** FQDN of its agency. */
  agency?: string
  /** Its roles. */
  roles?: string[]
  /** Labels that it may see. */
  labels?: Label[]
  /** Topic filters it may publish on. */
  publishTopics?: string[]
  /** Topic filters it may subscribe to. */
  subscribeTopics?: string[]
  /** How it authenticates, such as "certificate", "token", "password". */
  methods?: string[]
  /** When its certificate or token ends; absent: it does not. */
  credentialExpiresAt?: Timestamp
  /** When it last authenticated since the gateway was started; absent: it did not. */
  lastAuthenticatedAt?: Timestamp
  /** Whether it is switched off. */
  disabled?: boolean
  /** It reads only these kinds of events; empty: any. */
  kinds?: EventKind[]
  /** It reads only events of these statuses; empty: any. */
  messageStatuses?: MessageStatus[]
  /** It reads only events of these jurisdictions; empty: any. */
  jurisdictions?: string[]
  /** It reads only events that these agencies own, FQDNs; empty: any. */
  owners?: string[]
  /** It reads only events in these boxes, and none without a place; empty: anywhere. */
  areas?: Box[]
  /** Certificates by which it is known beside those that carry its name: SHA-256 of the DER, hexadecimal. */
  certificateSha256?: string[]
  /** Its tokens, without what is secret of them. */
  tokens?: PrincipalToken[]
  /** For people: who answers for it, why it is there. */
  note?: string
  /** Whether places of law-enforcement units are shown to it. */
  lawEnforcementPositions?: boolean
  /** For a system: what it sends must have a subject that begins with one of these, and a subject that nobody has admitted waits. Empty: any, and none waits. */
  subjects?: string[]
  /** Subjects that are new are admitted at once. */
  admitsNew?: boolean
}

/** PrincipalToken lets a program in: it sends `authorization: Bearer tocsin_<id>_<secret>`. The gateway knows the secret's digest only. */
export type PrincipalToken = {
  /** Its name within the text, 12 characters of base64url. */
  id?: string
  /** SHA-256 of the secret's 32 bytes; in requests only. */
  sha256?: Uint8Array
  /** When it ends; a token that does not end is refused. */
  expiresAt?: Timestamp
  /** Only these of the principal's roles; empty: all of them. */
  roles?: string[]
  /** For people: where it is used. */
  note?: string
}

/** PutPrincipalRequest is how a principal is to be. */
export type PutPrincipalRequest = {
  /** All of it but what is found out or secret: `labels`, `law_enforcement_positions`, `methods`, `credential_expires_at`, `last_authenticated_at` and `tokens` are not taken from here. */
  principal?: PrincipalEntry
  /** Hash of a new secret, as `tocsin secret` makes it; empty: it keeps the one that it has. */
  secretHash?: string
  /** Takes the secret away. */
  removeSecret?: boolean
  /** Tokens to add. */
  addTokens?: PrincipalToken[]
  /** Ids of tokens to take away. */
  removeTokens?: string[]
  /** Refuse when there is one of this name already. */
  onlyNew?: boolean
  /** Secret of a person's authenticator app, 20 bytes (RFC 6238: SHA-1, six digits, 30 s); empty: it keeps the one that it has. */
  totpSecret?: Uint8Array
  /** Takes the app away. */
  removeTotp?: boolean
}

/** PutPrincipalResponse is the principal as it is now. */
export type PutPrincipalResponse = {
  /** It. */
  principal?: PrincipalEntry
}

/** RemovePrincipalRequest names a principal. */
export type RemovePrincipalRequest = {
  /** Its name, such as "device:gauge-7". */
  principal?: string
}

/** RemovePrincipalResponse says nothing further. */
export type RemovePrincipalResponse = {
}

/** UnlockPrincipalRequest names a person. */
export type UnlockPrincipalRequest = {
  /** Such as "person:anna". */
  principal?: string
}

/** UnlockPrincipalResponse says nothing further. */
export type UnlockPrincipalResponse = {
}

/** SealBreakGlassRequest is what the envelope holds, as a hash. */
export type SealBreakGlassRequest = {
  /** Hash of the code, as `tocsin secret` makes one. */
  secretHash?: string
}

/** SealBreakGlassResponse is the sealed account. */
export type SealBreakGlassResponse = {
  /** The name to sign in with. */
  principal?: string
  /** Its roles, as the settings say. */
  roles?: string[]
}

/** ListAgreementsRequest asks for the agreements. */
export type ListAgreementsRequest = {
  /** Only with this partner; empty: all. */
  partner?: string
}

/** ListAgreementsResponse is the agreements. */
export type ListAgreementsResponse = {
  /** The agreements, ordered by partner. */
  agreements?: Agreement[]
}

/** Agreement is what a partner may be given. What it does not name is not given. */
export type Agreement = {
  /** Its identity and version, such as "county-b-2026-1". */
  agreement?: string
  /** The partner: the name its certificate gives. */
  partner?: string
  /** Kinds of events that are given. */
  kinds?: EventKind[]
  /** Labels that are given; fields of others are taken out. */
  labels?: Label[]
  /** Only events of these owners; empty: those of this jurisdiction. */
  owners?: string[]
  /** Whether frames as received are given. */
  frames?: boolean
  /** Whether exercise and test events are given. */
  exercises?: boolean
  /** From when it holds. */
  startsAt?: Timestamp
  /** Until when it holds; absent: until it is ended. */
  endsAt?: Timestamp
  /** Digest of the partner's pinned certificate or key, SHA-256, hexadecimal. */
  certificateSha256?: string
  /** What is taken from the partner, by kind; empty: nothing. Never COMMAND. */
  acceptsKinds?: EventKind[]
  /** Who signed it and where the paper is, in words. */
  note?: string
  /** How long the log is held for the partner. */
  hold?: Duration
  /** Places of this jurisdiction's law-enforcement units are given; false: taken out. */
  lawEnforcementPositions?: boolean
}

/** ListAuditRequest says which entries. */
export type ListAuditRequest = {
  /** Only by this principal; empty: all. */
  principal?: string
  /** Any of these actions; empty: all. */
  actions?: string[]
  /** At or after this time. */
  from?: Timestamp
  /** Before this time. */
  to?: Timestamp
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
  /** Only from addresses that begin with this; empty: all. */
  addressPrefix?: string
  /** Any of these outcomes; empty: all. */
  outcomes?: AuditOutcome[]
}

/** ListAuditResponse is a page of the audit. */
export type ListAuditResponse = {
  /** The entries, newest first, each exactly as it lies in the file: the digest of its bytes is what the next one says. */
  entries?: AuditEntry[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
  /** Number of the last entry that is on disk; 0: there is none. */
  headNumber?: Int64
  /** Its SHA-256, 32 bytes: kept elsewhere, it shows later that nothing before it was changed or taken away. */
  headSha256?: Uint8Array
}

/** AuditEntry is one thing that somebody did, or tried to. Entries are chained by digests, so that a missing one is noticed. */
export type AuditEntry = {
  /** Its number, 1, 2, 3 … without holes. */
  number?: Int64
  /** When. */
  at?: Timestamp
  /** Who. */
  principal?: string
  /** From where: address and port. */
  address?: string
  /** What, such as "subscribe", "get_event", "replay_refusals", "request_command". */
  action?: string
  /** With what: an event, a device, a setting. */
  object?: string
  /** Whether it was done. */
  outcome?: AuditOutcome
  /** Why not, or what came of it, in words. */
  text?: string
  /** Further facts. */
  details?: SystemDetail[]
  /** SHA-256 of the entry before, as it lies in the file, 32 bytes; zeros in the first. */
  previousSha256?: Uint8Array
  /** What kind of thing it was (i3 logEventType). */
  type?: SystemEventType
  /** The element that says so: the gateway's identity (i3 elementId). */
  element?: string
  /** FQDN of the agency it belongs to (i3 agencyId). */
  agency?: string
  /** How many times it was done within what this entry stands for; 0: once. */
  count?: Int64
  /** When it was done first, where the entry stands for several times. */
  since?: Timestamp
}

/** AuditOutcome is whether something was done. */
export const AuditOutcome = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** It was done. */
  DONE: 1,
  /** It was not allowed. */
  DENIED: 2,
  /** It was allowed and failed. */
  FAILED: 3,
} as const
export type AuditOutcome = (typeof AuditOutcome)[keyof typeof AuditOutcome]

/** BackupRequest asks for a backup. */
export type BackupRequest = {
  /** Name of the backup, letters, digits, `-` and `_`, at most 64; empty: the time. It is written into the folder that the settings name, never elsewhere. */
  name?: string
  /** Without frames as received. */
  withoutFrames?: boolean
}

/** BackupResponse is how far the backup is. */
export type BackupResponse = {
  /** Bytes there are to copy. */
  totalBytes?: Int64
  /** Bytes copied and read back. */
  copiedBytes?: Int64
  /** True in the last message: the backup is whole. */
  done?: boolean
  /** Where it is, in the last message. */
  location?: string
  /** The place in the log that it reaches, in the last message: last sequence of the urgent lane. */
  urgent?: Int64
  /** The same of the routine lane. */
  routine?: Int64
  /** SHA-256 of its list of files, 32 bytes, in the last message. */
  sha256?: Uint8Array
}

/** Filter says which records a reader wants. Empty fields let everything pass; those that are set must all hold. */
export type Filter = {
  /** Any of these kinds. */
  kinds?: EventKind[]
  /** Any of these; empty: all, so check `message_status` before acting. */
  messageStatuses?: MessageStatus[]
  /** Any of these lanes. */
  lanes?: Lane[]
  /** Any of these subjects; a trailing `*` stands for any ending. */
  subjects?: string[]
  /** Any of these jurisdictions. */
  jurisdictions?: string[]
  /** Any of these owning agencies. */
  owners?: string[]
  /** At least this bad: EXTREME lets only EXTREME pass, MINOR all that state one; UNKNOWN counts as MODERATE. Unspecified severities pass only when this is unset. */
  minSeverity?: Severity
  /** Any of these adapters. */
  adapters?: string[]
  /** Any of these devices; a trailing `*` stands for any ending. */
  devices?: string[]
  /** Any of these channels, as MQTT topic filters with `+` and `#`. */
  topics?: string[]
  /** Only what lies in this box. Records without a place do not pass. */
  box?: Box
  /** Only records that carry no label beside these. */
  labels?: Label[]
}

/** Box is an area between two parallels and two meridians, WGS 84. East may be less than west: it then spans 180°. */
export type Box = {
  /** Southern edge, degrees north. */
  south?: number
  /** Western edge, degrees east. */
  west?: number
  /** Northern edge, degrees north. */
  north?: number
  /** Eastern edge, degrees east. */
  east?: number
}

/** SubscribeRequest says what a reader wants and from where. */
export type SubscribeRequest = {
  /** Which records. */
  filter?: Filter
  /** Longest time without any message of the stream; default and least 2 s heartbeats. */
  heartbeatInterval?: Duration
  /** Shortest time between two batches, for readers on narrow lines; default 0: a batch is what has gathered, never a wait. */
  minBatchInterval?: Duration
  /** Most records in one batch; default and most 5,000. */
  maxBatchRecords?: number
  /** Also the frames as received, where the reader may see them. */
  includeRaw?: boolean
  /** The stream ends after this time; 0: it does not. */
  expiresIn?: Duration
} & (
  | { start?: undefined }
  | { start: 'current'; current: Empty }
  | { start: 'latest'; latest: Empty }
  | { start: 'earliest'; earliest: Empty }
  | { start: 'afterCursor'; afterCursor: Uint8Array }
  | { start: 'afterTime'; afterTime: Timestamp }
)

/** SubscribeResponse is one message of the stream. */
export type SubscribeResponse = {
} & (
  | { item?: undefined }
  | { item: 'batch'; batch: Batch }
  | { item: 'caughtUp'; caughtUp: CaughtUp }
  | { item: 'heartbeat'; heartbeat: Heartbeat }
  | { item: 'gap'; gap: Gap }
)

/** Batch is records in order, with the cursor to resume after them. Skip a record whose `flags` bit 1 is set. */
export type Batch = {
  /** The records. In the start phase of `current` they are a snapshot and not in sequence order. */
  records?: Record[]
  /** Where the group commits began; may be ignored. */
  marks?: CommitMark[]
  /** Opaque; store it after dealing with the records. */
  cursor?: Uint8Array
  /** The frames of these records, when `include_raw` was asked for. */
  frames?: Frame[]
  /** True for the snapshot that a `current` start begins with. */
  snapshot?: boolean
}

/** CaughtUp says that the reader has all there was. */
export type CaughtUp = {
  /** Opaque; as in Batch. */
  cursor?: Uint8Array
}

/** Heartbeat says that the gateway lives and how far its log is. */
export type Heartbeat = {
  /** Last durable sequence of the urgent lane. */
  urgentHead?: Int64
  /** Last durable sequence of the routine lane. */
  routineHead?: Int64
  /** The gateway's time. */
  sentAt?: Timestamp
  /** Opaque; as in Batch: moves on although the filter let nothing pass. */
  cursor?: Uint8Array
}

/** Gap says that records are missing from the stream. */
export type Gap = {
  /** The lane. */
  lane?: Lane
  /** First missing sequence; 0: not known. */
  from?: Int64
  /** Last missing sequence; 0: not known. */
  to?: Int64
  /** Why. */
  reason?: GapReason
  /** The same for people. */
  text?: string
}

/** GapReason is why records are missing. */
export const GapReason = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** They were removed by retention before the reader came back. */
  RETENTION: 1,
  /** The cursor is of another epoch: the log was restored from a backup. The stream resumes by time. */
  FOREIGN_EPOCH: 2,
  /** The cursor is beyond the head. The stream resumes by time. */
  BEYOND_HEAD: 3,
  /** They are damaged on disk. */
  DAMAGED: 4,
  /** They were shed under overload, or the disk was full. */
  SHED: 5,
} as const
export type GapReason = (typeof GapReason)[keyof typeof GapReason]

/** ListEventsRequest asks for a page of records. */
export type ListEventsRequest = {
  /** Which records. */
  filter?: Filter
  /** Logged at or after this time; absent: from the oldest. */
  from?: Timestamp
  /** Logged before this time; absent: up to now. */
  to?: Timestamp
  /** Newest first. */
  newestFirst?: boolean
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
}

/** ListEventsResponse is a page of records. */
export type ListEventsResponse = {
  /** The records. */
  records?: Record[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
}

/** GetEventRequest names an event. */
export type GetEventRequest = {
  /** Its id, 16 bytes. */
  id?: Uint8Array
  /** Also the frame it came in, where the reader may see it. */
  includeRaw?: boolean
}

/** GetEventResponse is one event as it is kept. */
export type GetEventResponse = {
  /** The record. */
  record?: Record
  /** The frame, when asked for. */
  frame?: Frame
}

/** GetFateRequest names a message. */
export type GetFateRequest = {
  /** With `channel`: at most so many, newest first; default 1, most 100. */
  limit?: number
} & (
  | { of?: undefined }
  | { of: 'id'; id: Uint8Array }
  | { of: 'channel'; channel: string }
)

/** GetFateResponse is what became of messages. */
export type GetFateResponse = {
  /** Newest first; empty: no such message is known, or no longer. */
  fates?: FrameFate[]
}

/** FrameFate is what became of one message, and when. */
export type FrameFate = {
  /** The frame. */
  frameId?: Uint8Array
  /** What became of it. */
  fate?: Fate
  /** The kind of fault of a refused one. */
  fault?: string
  /** Why, in words. */
  why?: string
  /** When the gateway had the whole of it. */
  receivedAt?: Timestamp
  /** When it was settled. */
  settledAt?: Timestamp
  /** Its events in the log. */
  places?: RecordPlace[]
  /** The channel it came by. */
  channel?: string
  /** Who sent it. */
  sender?: string
  /** The adapter that read it. */
  adapter?: string
  /** What was odd about one that was stored, such as a clock that is wrong, in words. */
  warnings?: string[]
}

/** RecordPlace is where a record stands in the log. */
export type RecordPlace = {
  /** The lane. */
  lane?: Lane
  /** The sequence. */
  sequence?: Int64
  /** The event's id. */
  eventId?: Uint8Array
}

/** PublishRequest is a batch of events from an authenticated program. */
export type PublishRequest = {
  /** The client's own number of this batch; comes back in the answer. */
  batch?: Int64
  /** Up to 1,000 events, each encoded, at most 1 MB in all. `id` may be empty: the gateway then gives one. An event whose id is known already is a duplicate and is answered as such. */
  events?: Uint8Array[]
}

/** PublishResponse answers one batch when all that is stored of it is durable. */
export type PublishResponse = {
  /** The number of the batch. */
  batch?: Int64
  /** One for each event, in order. */
  results?: PublishResult[]
}

/** PublishResult is what became of one published event. */
export type PublishResult = {
  /** Its fate. */
  fate?: Fate
  /** The kind of fault of a refused one. */
  fault?: string
  /** Why, in words. */
  why?: string
  /** The id it has. */
  eventId?: Uint8Array
  /** Its place in the log, when it is stored. */
  place?: RecordPlace
}

/** Lane is the order of delivery, never a reason to make a noise: every reader is given `urgent` before `routine`, at every moment. */
export const Lane = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** Alerts, incidents, calls, alarms, detections, messages, commands, receipts, radio emergencies, and all of severity SEVERE or EXTREME. */
  URGENT: 1,
  /** The rest. */
  ROUTINE: 2,
} as const
export type Lane = (typeof Lane)[keyof typeof Lane]

/** EventKind is the name of an event's body; the same names in the same order as `Event.body`. */
export const EventKind = {
  /** None: a record without a body that this schema knows. */
  UNSPECIFIED: 0,
  /** Observation. */
  OBSERVATION: 1,
  /** Detection. */
  DETECTION: 2,
  /** DeviceStatus. */
  DEVICE_STATUS: 3,
  /** Position. */
  POSITION: 4,
  /** UnitStatus. */
  UNIT_STATUS: 5,
  /** Incident. */
  INCIDENT: 6,
  /** Call. */
  CALL: 7,
  /** Alarm. */
  ALARM: 8,
  /** RadioCall. */
  RADIO_CALL: 9,
  /** Alert. */
  ALERT: 10,
  /** ResourceRequest. */
  RESOURCE_REQUEST: 11,
  /** ResourceResponse. */
  RESOURCE_RESPONSE: 12,
  /** FacilityStatus. */
  FACILITY_STATUS: 13,
  /** Message. */
  MESSAGE: 14,
  /** Command. */
  COMMAND: 15,
  /** Receipt. */
  RECEIPT: 16,
  /** SystemEvent. */
  SYSTEM_EVENT: 17,
} as const
export type EventKind = (typeof EventKind)[keyof typeof EventKind]

/** Record is an event as the log keeps it. Its first four fields are always written, in this order and at a fixed width, so that a scan reads them at fixed offsets; the segments of the log are a run of these records in the form of `RecordBatch`, so that a batch for a reader is bytes as they lie on disk. */
export type Record = {
  /** CRC-32 (ISO 3309, as zlib) of every byte of this record after this field. */
  crc?: number
  /** The record's number in its lane of this gateway's log: 1, 2, 3 … without holes; below 2^53. Higher is later. */
  sequence?: Int64
  /** When the log took it, nanoseconds since 1970-01-01 UTC by the gateway's clock. */
  loggedAtNs?: Int64
  /** Bit 0: the payload was removed, the event's bytes are zeros. Bit 1: void, left from a write that was never acknowledged; readers skip it. The other bits are 0. */
  flags?: number
  /** Its lane. */
  lane?: Lane
  /** The frame it came in: UUIDv7, 16 bytes. */
  frameId?: Uint8Array
  /** Which event of that frame this is, from 0. */
  index?: number
  /** How many events that frame gave. */
  frameEvents?: number
  /** What filters and policy read; nothing here is secret to one who may see the record at all. */
  header?: RecordHeader
  /** Labels that were taken out of this copy for this reader. Empty in the log itself. */
  withheldLabels?: number[]
  /** Whether the place of a law-enforcement unit was taken out of this copy. False in the log itself. */
  placeWithheld?: boolean
  /** Whether fields that this gateway does not know were taken out of this copy. False in the log itself. */
  unknownFieldsWithheld?: boolean
  /** The event, encoded; zeros when the payload was removed. Never rewritten: a relay appends one `provenance` element. */
  event?: Uint8Array
}

/** RecordHeader repeats what filters, permissions and indexes need of an event, so that none of them opens it. */
export type RecordHeader = {
  /** Its body. */
  kind?: EventKind
  /** As in the event. */
  messageStatus?: MessageStatus
  /** As in the event. */
  subject?: string
  /** As in the event's origin. */
  jurisdiction?: string
  /** As in the event's origin: FQDN of the owning agency. */
  owner?: string
  /** As in the event. */
  severity?: Severity
  /** Bit n is set when `Label` n holds for anything in the event. */
  labels?: number
  /** H3 cell of resolution 9 of the event's point; 0: it has none. Source: h3geo. */
  cell?: Int64
  /** The principal that sent the frame, such as "mqtt:gauge-7". */
  sender?: string
  /** The channel it came by: the MQTT topic, the HTTP path. */
  topic?: string
  /** MQTT quality of service of the PUBLISH, 0–2. */
  qos?: number
  /** MQTT retain flag of the PUBLISH. */
  retain?: boolean
  /** MQTT 5 properties that belong to the message, and the like of other transports. */
  properties?: Property[]
  /** What, with its payload, makes this frame recognisable when its sender sends it again after a broken connection (MQTT: client, packet id, topic, length); 16 bytes; empty: it cannot be. */
  resendKey?: Uint8Array
  /** As in the event; what `dedup` sets are rebuilt from at start. */
  dedupKey?: Uint8Array
  /** As in the event's origin. */
  device?: string
  /** As in the event's origin. */
  adapter?: string
  /** As in the event's `expires_at`, nanoseconds since 1970-01-01 UTC; 0: it does not expire. */
  expiresAtNs?: Int64
  /** True when the event has polygons or circles, which `cell` does not tell. */
  hasArea?: boolean
  /** Bit n is set when `Label` n holds for single fields of the event only, which can be taken out for a reader without it; where it holds for the event as a whole the bit is not set. Never more than `labels`. */
  fieldLabels?: number
  /** True when the event tells the place of a law-enforcement unit. */
  lawEnforcementPlace?: boolean
}

/** Property is a name and value that a transport carried beside the payload. */
export type Property = {
  /** Its name. */
  name?: string
  /** Its value. */
  value?: string
}

/** CommitMark opens what one group commit wrote into one series of segments. Readers of batches may ignore it; recovery uses it to tell a write that was cut off, and never acknowledged, from a record that was damaged later. */
export type CommitMark = {
  /** CRC-32 of every byte of this mark after this field. */
  crc?: number
  /** Number of the commit, 1, 2, 3 … over all series. */
  commit?: Int64
  /** First sequence that this commit wrote here. */
  firstSequence?: Int64
  /** How many records it wrote here. */
  records?: number
  /** How many bytes they take, without this mark. */
  bytes?: number
  /** The other series that this commit wrote to: bit n stands for series n of the segment header. */
  parts?: number
}

/** RecordBatch is a run of records as it lies in a segment. A decoder that knows only `records` reads it rightly. */
export type RecordBatch = {
  /** The records, in sequence order within a lane. */
  records?: Record[]
  /** Where the group commits began that wrote them. */
  marks?: CommitMark[]
}

/** Frame is one message as it was received, byte for byte: evidence, and what a corrected adapter reads again. It is kept apart from its events, with a retention of its own, and is sent only to readers who ask for it and may. */
export type Frame = {
  /** UUIDv7, 16 bytes; `Record.frame_id`. */
  id?: Uint8Array
  /** When the gateway had the whole of it. */
  receivedAt?: Timestamp
  /** The adapter that was to read it; empty: none. */
  adapter?: string
  /** The channel it came by: the MQTT topic, the HTTP path. */
  channel?: string
  /** The principal that sent it. */
  sender?: string
  /** Media type, where the transport says one. */
  contentType?: string
  /** What the transport carried beside it. */
  properties?: Property[]
  /** The bytes. */
  payload?: Uint8Array
  /** SHA-256 of the bytes, 32 bytes. */
  sha256?: Uint8Array
  /** What the adapter noticed and did not refuse it for. */
  warnings?: string[]
  /** What became of it. */
  fate?: Fate
  /** For REFUSED and IGNORED: what was wrong, in words that quote no payload. */
  why?: string
  /** For REFUSED: the kind of fault, such as "syntax", "range", "forbidden"; see docs. */
  fault?: string
  /** The strictest labels its source can carry; bit n stands for `Label` n. */
  labels?: number
  /** For a frame of the quarantine that was read again: when, and what came of it. */
  replayedAt?: Timestamp
  /** See `replayed_at`. */
  replayFate?: Fate
  /** By which, with its payload, a frame is recognised when it is sent again; as in RecordHeader. */
  resendKey?: Uint8Array
  /** How many events it gave. */
  events?: number
  /** How sure the gateway was of its sender. */
  authenticity?: Authenticity
  /** Its number in this gateway's log: 1, 2, 3 … over all frames, refused ones too, in the order in which they were appended; below 2^53. 0: it is older than numbers are. */
  number?: Int64
  /** Present on exactly those frames that MQTT subscribers may be given: a PUBLISH that was permitted. */
  mqtt?: MqttEnvelope
  /** The lane of its events, URGENT when that of any is; LANE_UNSPECIFIED: it gave none, or it is older than numbers are. */
  lane?: Lane
  /** What its events are, when all are of one kind. */
  kind?: EventKind
  /** Present on a frame with the fate WAITING. */
  waiting?: WaitingFrame
}

/** WaitingFrame is what whoever runs the gateway must know of a frame to decide about its device. */
export type WaitingFrame = {
  /** The device: the subject of its events, or the name in its certificate. */
  device?: string
  /** Where it is connected from, such as "192.0.2.7"; empty: not known. */
  address?: string
  /** Whether anything in it is urgent. */
  urgent?: boolean
  /** What it says, in a few words, as far as an adapter reads it; it has the frame's labels. */
  says?: string
  /** How sure the gateway was of its sender; `Frame.authenticity` is UNVERIFIED while it waits. */
  authenticity?: Authenticity
}

/** MqttEnvelope is what a PUBLISH says beside topic and payload and its receivers are to be given; content type and user properties stand in the frame. Source: OASIS MQTT 5.0, 3.3. */
export type MqttEnvelope = {
  /** Quality of service with which it was published, 0–2. */
  qos?: number
  /** RETAIN: it is also the last known good value of its topic. */
  retain?: boolean
  /** Client identifier of its publisher, for No Local. */
  clientId?: string
  /** Topic Name for a response. */
  responseTopic?: string
  /** Correlation Data, which the sender of a request knows its response by; may be present and empty. */
  correlationData?: Uint8Array
  /** Message Expiry Interval, seconds from `Frame.received_at`; absent: it does not expire. */
  messageExpirySeconds?: number
  /** Payload Format Indicator. 0: bytes; 1: UTF-8 text; absent: not said, which means bytes. */
  payloadFormatIndicator?: number
}

/** Fate is what became of a frame. Every frame has exactly one. */
export const Fate = {
  /** Not known here. */
  UNSPECIFIED: 0,
  /** Every event of it is in the log. */
  STORED: 1,
  /** It was here before; nothing was stored. */
  DUPLICATE: 2,
  /** Sound, but says nothing that the schema knows; the frame is kept. */
  IGNORED: 3,
  /** MQTT between others; no adapter reads its topic. */
  CARRIED: 4,
  /** Kept in quarantine with its bytes and the reason. */
  REFUSED: 5,
  /** Never acknowledged: overload or disk. The sender still has it. */
  NOT_TAKEN: 6,
  /** Still on its way to the disk. */
  PENDING: 7,
  /** Kept, and given to nobody until its device is admitted: `AdminService.ListWaiting`. What becomes of it then is told by a frame with the same id. */
  WAITING: 8,
} as const
export type Fate = (typeof Fate)[keyof typeof Fate]

/** LinkRequest is what the gateway that opened the link sends. */
export type LinkRequest = {
  /** What it says. */
  turn?: LinkTurn
}

/** LinkResponse is what the gateway that was called sends. */
export type LinkResponse = {
  /** What it says. */
  turn?: LinkTurn
}

/** LinkTurn is one message of either side; the link is symmetrical. */
export type LinkTurn = {
} & (
  | { item?: undefined }
  | { item: 'hello'; hello: LinkHello }
  | { item: 'batch'; batch: LinkBatch }
  | { item: 'ack'; ack: LinkAck }
  | { item: 'heartbeat'; heartbeat: LinkHeartbeat }
  | { item: 'gap'; gap: LinkGap }
  | { item: 'budget'; budget: LinkBudget }
  | { item: 'goodbye'; goodbye: LinkGoodbye }
)

/** LinkHello says who speaks, what it understands, and what it has already. */
export type LinkHello = {
  /** Versions of this protocol that are understood, such as 1; the highest common one holds. */
  protocolVersions?: number[]
  /** The gateway's identity: the name its certificate gives. Anything else ends the link. */
  gateway?: string
  /** Its jurisdiction. */
  jurisdiction?: string
  /** Version of its software, for people. */
  software?: string
  /** Epoch of its own log; changes when that is restored from a backup. */
  epoch?: Int64
  /** What it has of the other's log, durably: where the other goes on. Absent: it has nothing yet. */
  have?: LinkBookmark
  /** Its own heads: how much there is to come at most. */
  heads?: LinkBookmark
  /** The agreement it thinks holds, by identity and version; a difference is told to people on both sides. */
  agreement?: string
  /** Largest record it takes, bytes. */
  maxRecordBytes?: Int64
  /** Its time; both sides compute the offset from it, and none corrects a clock by it. */
  sentAt?: Timestamp
  /** What it can take at first. */
  budget?: LinkBudget
  /** First time only: where it wants to begin when it has nothing; absent: with what comes. */
  startAt?: Timestamp
}

/** LinkBookmark is a place in a log. */
export type LinkBookmark = {
  /** Epoch of that log. */
  epoch?: Int64
  /** Last sequence of the urgent lane; 0: none. */
  urgent?: Int64
  /** Last sequence of the routine lane; 0: none. */
  routine?: Int64
}

/** LinkBatch is a run of records of one lane. */
export type LinkBatch = {
  /** The lane. */
  lane?: Lane
  /** Each is a Record, encoded, with `withheld_labels` where fields were taken out for the partner; at most 1 MB in all, unless it is one record. */
  records?: Uint8Array[]
  /** The giver's bookmark in this lane before the batch; the taker has it, or has skipped up to it by a gap. */
  after?: Int64
  /** The giver's bookmark in this lane after the batch. Sequences between that are not among the records are not for the partner. */
  through?: Int64
  /** Frames as received, each a Frame, encoded; only where the agreement grants them. */
  frames?: Uint8Array[]
}

/** LinkAck says what is safe on this side's disk; the other may forget what lies before. */
export type LinkAck = {
  /** The place up to which all is durable, or was refused as told here. */
  durable?: LinkBookmark
  /** Records that this side does not keep, and why. */
  refusals?: LinkRefusal[]
  /** How many records of this acknowledgement were here already. */
  duplicates?: Int64
}

/** LinkRefusal is a record that the taker does not keep. The giver shows it to its people. */
export type LinkRefusal = {
  /** The lane. */
  lane?: Lane
  /** The giver's sequence. */
  sequence?: Int64
  /** Id of the event, 16 bytes; empty: it could not be read. */
  eventId?: Uint8Array
  /** The kind of fault, such as "forbidden", "loop", "invalid"; of the table of errors. */
  fault?: string
  /** Why, in words that quote no payload. */
  why?: string
}

/** LinkHeartbeat says that this side lives. */
export type LinkHeartbeat = {
  /** Its time. */
  sentAt?: Timestamp
  /** Its heads. */
  heads?: LinkBookmark
  /** Round trip that it measured, from the other's last heartbeat; absent: not yet. */
  roundTrip?: Duration
  /** `sent_at` of the last heartbeat that it had from the other side. */
  echoSentAt?: Timestamp
  /** How long it kept that heartbeat before this one. */
  echoHeld?: Duration
}

/** LinkGap says that records will not come. */
export type LinkGap = {
  /** The lane. */
  lane?: Lane
  /** First missing sequence. */
  from?: Int64
  /** Last missing sequence. */
  to?: Int64
  /** Why. */
  reason?: LinkGapReason
  /** The same for people. */
  text?: string
}

/** LinkGapReason is why records will not come. */
export const LinkGapReason = {
  /** Not said. */
  UNSPECIFIED: 0,
  /** They were removed by retention, or for room, before the partner came back. */
  RETENTION: 1,
  /** The giver's log was restored from a backup; a new epoch begins. */
  NEW_EPOCH: 2,
  /** They are damaged on disk. */
  DAMAGED: 3,
  /** They are larger than the partner takes. */
  TOO_LARGE: 4,
  /** The partner's bookmark is beyond the giver's head; it goes on by time. */
  BEYOND_HEAD: 5,
} as const
export type LinkGapReason = (typeof LinkGapReason)[keyof typeof LinkGapReason]

/** LinkBudget is what a side can take from the other. On a narrow line routine records wait; urgent records never wait for routine ones. */
export type LinkBudget = {
  /** Bytes per second, as a mean over 10 s; 0: no limit. */
  bytesPerSecond?: Int64
  /** Records given and not yet acknowledged, at most; 0: 10,000. */
  recordsInFlight?: number
  /** Bytes given and not yet acknowledged, at most; 0: 8 MB. */
  bytesInFlight?: Int64
  /** Only the urgent lane for now. */
  urgentOnly?: boolean
}

/** LinkGoodbye ends the link in order. */
export type LinkGoodbye = {
  /** Why, such as "stopping", "settings_changed", "agreement_ended". */
  reason?: string
  /** When to come back; absent: with the usual back-off. */
  retryAfter?: Duration
}

/** SignInRequest is what a person shows. */
export type SignInRequest = {
  /** "anna" or "person:anna". */
  name?: string
  /** The secret. */
  secret?: string
  /** Six digits of the app; empty where the person has none and the position shows a certificate. */
  totpCode?: string
  /** Where, in the person's own words, such as "fire 2"; the position's certificate says it where there is one. At most 64 characters. */
  position?: string
}

/** SignInResponse is the session that begins. */
export type SignInResponse = {
  /** To be sent with every call, and kept as a secret. */
  token?: string
  /** Who it is for, "person:anna". */
  principal?: string
  /** Where. */
  position?: string
  /** When it ends. */
  endsAt?: Timestamp
}

/** SignOutRequest ends the session it comes with. */
export type SignOutRequest = {
}

/** SignOutResponse says nothing further. */
export type SignOutResponse = {
}

/** WhoAmIRequest asks who the caller is. */
export type WhoAmIRequest = {
}

/** WhoAmIResponse is the caller as the gateway sees it. */
export type WhoAmIResponse = {
  /** Its name, such as "person:anna"; "grpc:anonymous" for who shows nothing on the gateway's own machine. */
  principal?: string
  /** Where; empty without a session. */
  position?: string
  /** When what it showed ends; absent: it does not. */
  endsAt?: Timestamp
  /** Labels that it may see. */
  labels?: Label[]
  /** Calls that it may make beside reading, such as "ListRefusals"; empty for who may make all of them: see `may_all`. */
  calls?: string[]
  /** Whether it may do everything. */
  mayAll?: boolean
}

/** QuerySeriesRequest says which values. */
export type QuerySeriesRequest = {
  /** The quantity, such as "water_level". Never empty. */
  quantity?: string
  /** Any of these devices; empty: every device that the reader may see, within the limit of series. */
  devices?: string[]
  /** Any of these subjects, URNs; empty: all. */
  subjects?: string[]
  /** Observed at or after this time. Never absent. */
  from?: Timestamp
  /** Observed before this time; absent: up to now. */
  to?: Timestamp
  /** Length of a window, at least 1 s; absent: the values as they are. */
  window?: Duration
  /** What stands for a window. Needs `window`. */
  aggregate?: SeriesAggregate
  /** Any of these; empty: ACTUAL only. */
  messageStatuses?: MessageStatus[]
  /** Also values of quality BAD and MISSING, which are left out otherwise. */
  includeBad?: boolean
  /** At most so many points for each series; default 10,000, most 100,000. */
  maxPoints?: number
  /** At most so many series; default 100, most 1,000. */
  maxSeries?: number
  /** Only values of this index, where a message repeats a quantity. */
  index?: number
}

/** SeriesAggregate is what stands for the values of one window. Values that are text or bytes have only FIRST, LAST and COUNT. */
export const SeriesAggregate = {
  /** Not said: MEAN where there is a window. */
  UNSPECIFIED: 0,
  /** Arithmetic mean. */
  MEAN: 1,
  /** Smallest. */
  MINIMUM: 2,
  /** Largest. */
  MAXIMUM: 3,
  /** Sum. */
  SUM: 4,
  /** How many. */
  COUNT: 5,
  /** The first. */
  FIRST: 6,
  /** The last. */
  LAST: 7,
} as const
export type SeriesAggregate = (typeof SeriesAggregate)[keyof typeof SeriesAggregate]

/** QuerySeriesResponse is the values, series by series. */
export type QuerySeriesResponse = {
  /** The series, ordered by device and index. */
  series?: SeriesData[]
  /** The store has everything that was logged before this time; later values may still be missing. */
  completeUntil?: Timestamp
  /** True when there was more than `max_points` or `max_series` let through. */
  truncated?: boolean
}

/** SeriesData is a series with its points. */
export type SeriesData = {
  /** Which series. */
  series?: Series
  /** Its points, oldest first. */
  points?: SeriesPoint[]
  /** True when this series has more points than were asked for. */
  truncated?: boolean
}

/** SeriesPoint is one value, or what stands for one window. */
export type SeriesPoint = {
  /** When it was observed, or the begin of the window. */
  at?: Timestamp
  /** The quality of the value, or the worst within the window. */
  quality?: Quality
  /** How many values the window has; 0 where there are no windows. */
  count?: Int64
} & (
  | { value?: undefined }
  | { value: 'number'; number: number }
  | { value: 'integer'; integer: Int64 }
  | { value: 'flag'; flag: boolean }
  | { value: 'text'; text: string }
)

/** Series is one quantity of one device. */
export type Series = {
  /** The quantity, such as "water_level". */
  quantity?: string
  /** The device, as its adapter names it. */
  device?: string
  /** URN of the thing that is measured. */
  subject?: string
  /** The jurisdiction of the device. */
  jurisdiction?: string
  /** FQDN of the agency that owns the data. */
  owner?: string
  /** UCUM code of the unit. */
  unit?: string
  /** Which one, where a message repeats the quantity. */
  index?: number
  /** The class of the device, such as "river_gauge". */
  deviceClass?: string
  /** When its first value that is still kept was observed. */
  firstAt?: Timestamp
  /** When its last value was observed. */
  lastAt?: Timestamp
  /** Real or exercise. */
  messageStatus?: MessageStatus
}

/** ListSeriesRequest says which series. */
export type ListSeriesRequest = {
  /** Any of these quantities; empty: all. */
  quantities?: string[]
  /** Any of these devices; a trailing `*` stands for any ending; empty: all. */
  devices?: string[]
  /** Any of these jurisdictions; empty: all. */
  jurisdictions?: string[]
  /** Only series with a value at or after this time. */
  activeSince?: Timestamp
  /** At most so many; default 100, most 1,000. */
  pageSize?: number
  /** `next_page_token` of the page before. */
  pageToken?: Uint8Array
}

/** ListSeriesResponse is a page of series. */
export type ListSeriesResponse = {
  /** The series, ordered by quantity, device and index. */
  series?: Series[]
  /** Empty: this is the last page. */
  nextPageToken?: Uint8Array
}

export type Timestamp = {
  seconds?: Int64
  nanos?: number
}

export type Duration = {
  seconds?: Int64
  nanos?: number
}

export type Empty = {
}

/** Every message by its full name, so that wire.ts can be typed. */
export interface Messages {
  'tocsin.v1.AcknowledgeRequest': AcknowledgeRequest
  'tocsin.v1.AcknowledgeResponse': AcknowledgeResponse
  'tocsin.v1.CommentRequest': CommentRequest
  'tocsin.v1.CommentResponse': CommentResponse
  'tocsin.v1.LinkEventsRequest': LinkEventsRequest
  'tocsin.v1.LinkEventsResponse': LinkEventsResponse
  'tocsin.v1.ProposeIncidentRequest': ProposeIncidentRequest
  'tocsin.v1.ProposeIncidentResponse': ProposeIncidentResponse
  'tocsin.v1.SendMessageRequest': SendMessageRequest
  'tocsin.v1.SendMessageResponse': SendMessageResponse
  'tocsin.v1.RequestCommandRequest': RequestCommandRequest
  'tocsin.v1.RequestCommandResponse': RequestCommandResponse
  'tocsin.v1.Command': Command
  'tocsin.v1.CommandParameter': CommandParameter
  'tocsin.v1.CommandReadBack': CommandReadBack
  'tocsin.v1.Handling': Handling
  'tocsin.v1.Event': Event
  'tocsin.v1.Reference': Reference
  'tocsin.v1.Origin': Origin
  'tocsin.v1.Provenance': Provenance
  'tocsin.v1.Text': Text
  'tocsin.v1.Attribute': Attribute
  'tocsin.v1.Alert': Alert
  'tocsin.v1.AlertInfo': AlertInfo
  'tocsin.v1.AlertNamedValue': AlertNamedValue
  'tocsin.v1.AlertArea': AlertArea
  'tocsin.v1.AlertResource': AlertResource
  'tocsin.v1.Location': Location
  'tocsin.v1.CivicAddress': CivicAddress
  'tocsin.v1.Polygon': Polygon
  'tocsin.v1.Point': Point
  'tocsin.v1.Circle': Circle
  'tocsin.v1.Geocode': Geocode
  'tocsin.v1.Incident': Incident
  'tocsin.v1.IncidentNumber': IncidentNumber
  'tocsin.v1.IncidentAgency': IncidentAgency
  'tocsin.v1.IncidentLocation': IncidentLocation
  'tocsin.v1.IncidentPerson': IncidentPerson
  'tocsin.v1.IncidentVehicle': IncidentVehicle
  'tocsin.v1.IncidentNote': IncidentNote
  'tocsin.v1.IncidentAlternate': IncidentAlternate
  'tocsin.v1.IncidentUnit': IncidentUnit
  'tocsin.v1.IncidentDisposition': IncidentDisposition
  'tocsin.v1.IncidentLink': IncidentLink
  'tocsin.v1.IncidentCaution': IncidentCaution
  'tocsin.v1.IncidentMedia': IncidentMedia
  'tocsin.v1.IncidentCasualties': IncidentCasualties
  'tocsin.v1.Call': Call
  'tocsin.v1.Alarm': Alarm
  'tocsin.v1.AlarmContact': AlarmContact
  'tocsin.v1.AlarmSensor': AlarmSensor
  'tocsin.v1.Message': Message
  'tocsin.v1.MessageParty': MessageParty
  'tocsin.v1.MessageAttachment': MessageAttachment
  'tocsin.v1.Observation': Observation
  'tocsin.v1.Measurement': Measurement
  'tocsin.v1.Detection': Detection
  'tocsin.v1.DeviceStatus': DeviceStatus
  'tocsin.v1.Reception': Reception
  'tocsin.v1.Position': Position
  'tocsin.v1.UnitStatus': UnitStatus
  'tocsin.v1.RadioCall': RadioCall
  'tocsin.v1.RadioTransmission': RadioTransmission
  'tocsin.v1.Receipt': Receipt
  'tocsin.v1.ResourceRequest': ResourceRequest
  'tocsin.v1.ResourceResponse': ResourceResponse
  'tocsin.v1.Resource': Resource
  'tocsin.v1.ResourceSchedule': ResourceSchedule
  'tocsin.v1.ResourceContact': ResourceContact
  'tocsin.v1.FacilityStatus': FacilityStatus
  'tocsin.v1.FacilityBeds': FacilityBeds
  'tocsin.v1.FacilityService': FacilityService
  'tocsin.v1.FacilityTriage': FacilityTriage
  'tocsin.v1.FacilityResource': FacilityResource
  'tocsin.v1.SystemEvent': SystemEvent
  'tocsin.v1.SystemDetail': SystemDetail
  'tocsin.v1.GetStatusRequest': GetStatusRequest
  'tocsin.v1.GetStatusResponse': GetStatusResponse
  'tocsin.v1.PlaintextExceptionStatus': PlaintextExceptionStatus
  'tocsin.v1.LinkStatus': LinkStatus
  'tocsin.v1.UnknownQuantities': UnknownQuantities
  'tocsin.v1.LaneStatus': LaneStatus
  'tocsin.v1.FateCount': FateCount
  'tocsin.v1.ListInputsRequest': ListInputsRequest
  'tocsin.v1.ListInputsResponse': ListInputsResponse
  'tocsin.v1.InputStatus': InputStatus
  'tocsin.v1.ListBookmarksRequest': ListBookmarksRequest
  'tocsin.v1.ListBookmarksResponse': ListBookmarksResponse
  'tocsin.v1.BookmarkStatus': BookmarkStatus
  'tocsin.v1.ListRefusalsRequest': ListRefusalsRequest
  'tocsin.v1.ListRefusalsResponse': ListRefusalsResponse
  'tocsin.v1.ReplayRefusalsRequest': ReplayRefusalsRequest
  'tocsin.v1.ReplayRefusalsResponse': ReplayRefusalsResponse
  'tocsin.v1.ListWaitingRequest': ListWaitingRequest
  'tocsin.v1.ListWaitingResponse': ListWaitingResponse
  'tocsin.v1.WaitingDevice': WaitingDevice
  'tocsin.v1.AdmitDeviceRequest': AdmitDeviceRequest
  'tocsin.v1.AdmitDeviceResponse': AdmitDeviceResponse
  'tocsin.v1.BlockDeviceRequest': BlockDeviceRequest
  'tocsin.v1.BlockDeviceResponse': BlockDeviceResponse
  'tocsin.v1.ListDevicesRequest': ListDevicesRequest
  'tocsin.v1.ListDevicesResponse': ListDevicesResponse
  'tocsin.v1.DeviceEntry': DeviceEntry
  'tocsin.v1.ListPrincipalsRequest': ListPrincipalsRequest
  'tocsin.v1.ListPrincipalsResponse': ListPrincipalsResponse
  'tocsin.v1.PrincipalEntry': PrincipalEntry
  'tocsin.v1.PrincipalToken': PrincipalToken
  'tocsin.v1.PutPrincipalRequest': PutPrincipalRequest
  'tocsin.v1.PutPrincipalResponse': PutPrincipalResponse
  'tocsin.v1.RemovePrincipalRequest': RemovePrincipalRequest
  'tocsin.v1.RemovePrincipalResponse': RemovePrincipalResponse
  'tocsin.v1.UnlockPrincipalRequest': UnlockPrincipalRequest
  'tocsin.v1.UnlockPrincipalResponse': UnlockPrincipalResponse
  'tocsin.v1.SealBreakGlassRequest': SealBreakGlassRequest
  'tocsin.v1.SealBreakGlassResponse': SealBreakGlassResponse
  'tocsin.v1.ListAgreementsRequest': ListAgreementsRequest
  'tocsin.v1.ListAgreementsResponse': ListAgreementsResponse
  'tocsin.v1.Agreement': Agreement
  'tocsin.v1.ListAuditRequest': ListAuditRequest
  'tocsin.v1.ListAuditResponse': ListAuditResponse
  'tocsin.v1.AuditEntry': AuditEntry
  'tocsin.v1.BackupRequest': BackupRequest
  'tocsin.v1.BackupResponse': BackupResponse
  'tocsin.v1.Filter': Filter
  'tocsin.v1.Box': Box
  'tocsin.v1.SubscribeRequest': SubscribeRequest
  'tocsin.v1.SubscribeResponse': SubscribeResponse
  'tocsin.v1.Batch': Batch
  'tocsin.v1.CaughtUp': CaughtUp
  'tocsin.v1.Heartbeat': Heartbeat
  'tocsin.v1.Gap': Gap
  'tocsin.v1.ListEventsRequest': ListEventsRequest
  'tocsin.v1.ListEventsResponse': ListEventsResponse
  'tocsin.v1.GetEventRequest': GetEventRequest
  'tocsin.v1.GetEventResponse': GetEventResponse
  'tocsin.v1.GetFateRequest': GetFateRequest
  'tocsin.v1.GetFateResponse': GetFateResponse
  'tocsin.v1.FrameFate': FrameFate
  'tocsin.v1.RecordPlace': RecordPlace
  'tocsin.v1.PublishRequest': PublishRequest
  'tocsin.v1.PublishResponse': PublishResponse
  'tocsin.v1.PublishResult': PublishResult
  'tocsin.v1.Record': Record
  'tocsin.v1.RecordHeader': RecordHeader
  'tocsin.v1.Property': Property
  'tocsin.v1.CommitMark': CommitMark
  'tocsin.v1.RecordBatch': RecordBatch
  'tocsin.v1.Frame': Frame
  'tocsin.v1.WaitingFrame': WaitingFrame
  'tocsin.v1.MqttEnvelope': MqttEnvelope
  'tocsin.v1.LinkRequest': LinkRequest
  'tocsin.v1.LinkResponse': LinkResponse
  'tocsin.v1.LinkTurn': LinkTurn
  'tocsin.v1.LinkHello': LinkHello
  'tocsin.v1.LinkBookmark': LinkBookmark
  'tocsin.v1.LinkBatch': LinkBatch
  'tocsin.v1.LinkAck': LinkAck
  'tocsin.v1.LinkRefusal': LinkRefusal
  'tocsin.v1.LinkHeartbeat': LinkHeartbeat
  'tocsin.v1.LinkGap': LinkGap
  'tocsin.v1.LinkBudget': LinkBudget
  'tocsin.v1.LinkGoodbye': LinkGoodbye
  'tocsin.v1.SignInRequest': SignInRequest
  'tocsin.v1.SignInResponse': SignInResponse
  'tocsin.v1.SignOutRequest': SignOutRequest
  'tocsin.v1.SignOutResponse': SignOutResponse
  'tocsin.v1.WhoAmIRequest': WhoAmIRequest
  'tocsin.v1.WhoAmIResponse': WhoAmIResponse
  'tocsin.v1.QuerySeriesRequest': QuerySeriesRequest
  'tocsin.v1.QuerySeriesResponse': QuerySeriesResponse
  'tocsin.v1.SeriesData': SeriesData
  'tocsin.v1.SeriesPoint': SeriesPoint
  'tocsin.v1.Series': Series
  'tocsin.v1.ListSeriesRequest': ListSeriesRequest
  'tocsin.v1.ListSeriesResponse': ListSeriesResponse
  'google.protobuf.Timestamp': Timestamp
  'google.protobuf.Duration': Duration
  'google.protobuf.Empty': Empty
}

/** The label of every field that has one (the field option `handling`), by full field name. */
export const handlingOf = {
  'tocsin.v1.CommentRequest.text': Label.PII,
  'tocsin.v1.Command.requestedBy': Label.PII,
  'tocsin.v1.Command.approvedBy': Label.PII,
  'tocsin.v1.Origin.agent': Label.PII,
  'tocsin.v1.AlertInfo.contact': Label.PII,
  'tocsin.v1.CivicAddress.street': Label.PII,
  'tocsin.v1.CivicAddress.houseNumber': Label.PII,
  'tocsin.v1.CivicAddress.detail': Label.PII,
  'tocsin.v1.IncidentLocation.accessNote': Label.CJI,
  'tocsin.v1.IncidentLocation.referenceUri': Label.PII,
  'tocsin.v1.IncidentLocation.cellSector': Label.PII,
  'tocsin.v1.IncidentPerson.roles': Label.CJI,
  'tocsin.v1.IncidentPerson.roleTexts': Label.CJI,
  'tocsin.v1.IncidentPerson.name': Label.PII,
  'tocsin.v1.IncidentPerson.telephones': Label.PII,
  'tocsin.v1.IncidentPerson.birthDate': Label.PII,
  'tocsin.v1.IncidentPerson.ageYears': Label.PII,
  'tocsin.v1.IncidentPerson.sex': Label.PII,
  'tocsin.v1.IncidentPerson.description': Label.PII,
  'tocsin.v1.IncidentPerson.medical': Label.PHI,
  'tocsin.v1.IncidentPerson.address': Label.PII,
  'tocsin.v1.IncidentPerson.criminalJustice': Label.CJI,
  'tocsin.v1.IncidentPerson.contactSource': Label.PII,
  'tocsin.v1.IncidentVehicle.roles': Label.CJI,
  'tocsin.v1.IncidentVehicle.roleTexts': Label.CJI,
  'tocsin.v1.IncidentVehicle.plate': Label.PII,
  'tocsin.v1.IncidentVehicle.vin': Label.PII,
  'tocsin.v1.IncidentVehicle.owner': Label.PII,
  'tocsin.v1.IncidentNote.text': Label.PII,
  'tocsin.v1.IncidentNote.author': Label.PII,
  'tocsin.v1.IncidentAlternate.value': Label.CJI,
  'tocsin.v1.IncidentCaution.text': Label.CJI,
  'tocsin.v1.IncidentMedia.uri': Label.PII,
  'tocsin.v1.IncidentMedia.label': Label.PII,
  'tocsin.v1.Call.callback': Label.PII,
  'tocsin.v1.Call.callerName': Label.PII,
  'tocsin.v1.Call.sipIdentity': Label.PII,
  'tocsin.v1.Call.callTaker': Label.PII,
  'tocsin.v1.Call.additionalDataUris': Label.PII,
  'tocsin.v1.Alarm.description': Label.PII,
  'tocsin.v1.Alarm.verification': Label.PII,
  'tocsin.v1.Alarm.verificationUri': Label.PII,
  'tocsin.v1.Alarm.account': Label.PII,
  'tocsin.v1.Alarm.permit': Label.PII,
  'tocsin.v1.Alarm.monitoringOperator': Label.PII,
  'tocsin.v1.Alarm.subscriber': Label.PII,
  'tocsin.v1.Alarm.premiseTelephone': Label.PII,
  'tocsin.v1.Alarm.callToPremise': Label.PII,
  'tocsin.v1.Alarm.contacts': Label.PII,
  'tocsin.v1.Alarm.premiseNote': Label.PII,
  'tocsin.v1.Alarm.medical': Label.PHI,
  'tocsin.v1.AlarmContact.name': Label.PII,
  'tocsin.v1.AlarmContact.telephone': Label.PII,
  'tocsin.v1.AlarmContact.vehicle': Label.PII,
  'tocsin.v1.Message.text': Label.PII,
  'tocsin.v1.Message.title': Label.PII,
  'tocsin.v1.MessageParty.address': Label.PII,
  'tocsin.v1.MessageParty.name': Label.PII,
  'tocsin.v1.MessageAttachment.uri': Label.PII,
  'tocsin.v1.MessageAttachment.description': Label.PII,
  'tocsin.v1.Position.person': Label.PII,
  'tocsin.v1.UnitStatus.crew': Label.PII,
  'tocsin.v1.RadioCall.audioUri': Label.PII,
  'tocsin.v1.RadioCall.transcript': Label.PII,
  'tocsin.v1.Receipt.person': Label.PII,
  'tocsin.v1.ResourceContact.name': Label.PII,
  'tocsin.v1.ResourceContact.telephones': Label.PII,
  'tocsin.v1.ResourceContact.emails': Label.PII,
  'tocsin.v1.ResourceContact.location': Label.PII,
  'tocsin.v1.SystemEvent.agent': Label.PII,
  'tocsin.v1.SystemEvent.address': Label.PII,
  'tocsin.v1.AuditEntry.principal': Label.PII,
  'tocsin.v1.AuditEntry.address': Label.PII,
  'tocsin.v1.SignInRequest.name': Label.PII,
  'tocsin.v1.SignInResponse.principal': Label.PII,
  'tocsin.v1.WhoAmIResponse.principal': Label.PII,
} as const satisfies { readonly [field: string]: Label }
