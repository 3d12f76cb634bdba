// Every bound of the MQTT road, with its reason. A site may change each; none can be switched off.

export interface Limits {
  readonly packetBytesMax: number
  readonly firstPacketBytesMax: number
  readonly heldBytesMax: number
  readonly connectMsMax: number
  readonly authenticateMsMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly connectsPerSecond: number
  readonly connectsBurst: number
  readonly connectsPerSecondPerAddress: number
  readonly connectsBurstPerAddress: number
  readonly clientIdBytesMax: number
  readonly topicBytesMax: number
  readonly topicLevelsMax: number
  readonly userPropertiesMax: number
  readonly keepAliveSecondsMax: number
  readonly topicAliasesMax: number
  readonly inFlightMax: number
  readonly inFlightBytesMax: number
  readonly unreleasedKeptMax: number
  readonly unreleasedInAllMax: number
  readonly subscriptionsPerClientMax: number
  readonly subscriptionsInAllMax: number
  readonly sessionsMax: number
  readonly sessionsPerPrincipalMax: number
  readonly sessionExpirySecondsMax: number
  readonly expireEveryMs: number
  readonly sentUnansweredMax: number
  readonly queuedMessagesMax: number
  readonly queuedMessagesInAllMax: number
  readonly waitingQos0Max: number
  readonly recentBytesMax: number
  readonly retainedMessagesMax: number
  readonly retainedBytesMax: number
  readonly unreadBytesQos0Max: number
  readonly unreadBytesMax: number
  readonly unreadMsMax: number
  readonly unstoredCutMs: number
  readonly willsWaitingMax: number
}

export const defaultLimits: Limits = {
  // A camera's still picture fits in 1 MB; the standard's own 256 MB would let one device fill the memory.
  packetBytesMax: 1 << 20,
  // A CONNECT holds a name, a secret, a token and a will; nobody has shown who he is yet.
  firstPacketBytesMax: 64 << 10,
  // All unfinished packets of all connections together: 10,000 half-sent megabytes must not add up.
  heldBytesMax: 128 << 20,
  // A radio link needs a second or two; half-open connections are an attack or a fault.
  connectMsMax: 5_000,
  // A password check takes 50 ms; a directory that does not answer must not collect connections.
  authenticateMsMax: 10_000,
  // About 20 kB each: what a small machine serves, and below the usual limit of file descriptors where that is raised.
  connectionsMax: 10_000,
  // A whole fleet may stand behind one address of a mobile network, but not all that the gateway has.
  connectionsPerAddressMax: 5_000,
  // A county's devices that come back after a power cut are let in within seconds, without starving those already here.
  connectsPerSecond: 500,
  connectsBurst: 2_000,
  // From one address: a fleet behind one comes back as fast as that, and who does nothing but connect leaves a fifth to the others.
  connectsPerSecondPerAddress: 400,
  connectsBurstPerAddress: 1_500,
  // The standard allows 65,535; names are kept in memory and in the log.
  clientIdBytesMax: 256,
  topicBytesMax: 256,
  // Matching costs grow with levels; aedes' own matcher stops the process above 100.
  topicLevelsMax: 16,
  // In one packet. A message has a handful; of the 200,000 that fit in a megabyte each costs an object here and at each subscriber.
  userPropertiesMax: 100,
  // A dead connection is noticed within 1.5 times this, whatever the client asked for.
  keepAliveSecondsMax: 3_600,
  // Kept for each connection; devices that use aliases have a handful of topics.
  topicAliasesMax: 10,
  // Enough to fill a group commit from ten clients; told to MQTT 5 clients as Receive Maximum. QoS 2 messages that wait for
  // PUBREL are bounded by it too.
  inFlightMax: 1_000,
  inFlightBytesMax: 4 << 20,
  // QoS 2 without PUBREL, of a client whose session is kept: a mosquitto 2.0.11 that comes back sends all that has gathered at once, whatever
  // Receive Maximum says, and is cut for more than this. About 400 bytes each.
  unreleasedKeptMax: 10_000,
  // The same over all sessions, whatever connections they came over: 200 MB.
  unreleasedInAllMax: 500_000,
  // A console has dozens; each costs memory and matching.
  subscriptionsPerClientMax: 1_000,
  // Twenty for each session; 0.7 kB each in memory, and 3.7 kB where each has sixteen levels of its own. They are there again after a
  // restart, so that more than the memory holds would end the process at each start.
  subscriptionsInAllMax: 200_000,
  // Sessions that outlive their connection, present or absent.
  sessionsMax: 10_000,
  // A client that comes with another id each time, or with none, leaves a session each time: it must not take everybody's places.
  sessionsPerPrincipalMax: 5_000,
  // A week: a unit that was in the workshop. Longer absence starts afresh.
  sessionExpirySecondsMax: 7 * 24 * 3_600,
  // How often sessions and retained messages whose time is over are looked for.
  expireEveryMs: 60_000,
  // To one subscriber at once, sent and not acknowledged. Enough for a link of a second's delay; the rest waits in the log.
  sentUnansweredMax: 100,
  // What one session is owed and was not sent, as numbers of the log: 16 bytes each. Beyond it what is new is dropped for this
  // session, counted and told; what is urgent never.
  queuedMessagesMax: 100_000,
  // The same over all sessions, and over all groups of shared subscriptions: 160 MB each.
  queuedMessagesInAllMax: 10_000_000,
  // QoS 0 behind messages of a higher QoS that wait for their acknowledgement: a burst, not a backlog.
  waitingQos0Max: 1_000,
  // Copies of what somebody was not sent at once, over all sessions; who is further behind is read for from the log.
  recentBytesMax: 32 << 20,
  // Last known states of a large county's devices; they are held in memory.
  retainedMessagesMax: 50_000,
  retainedBytesMax: 64 << 20,
  // Waiting to be read by one client, beyond what the kernel holds. Above the first it is sent nothing more: it is behind from that
  // moment, and what it is to get waits in the log. Above the second it is not read from either; above four times the second it is cut.
  // Who takes nothing at all for `unreadMsMax` is cut. Nobody waits for it meanwhile. The time is not 250 ms, since the kernel takes
  // data in steps of up to a megabyte, which is a second on a 10 Mbit/s link: such a reader would never get through a large
  // retained state.
  unreadBytesQos0Max: 512 << 10,
  unreadBytesMax: 1 << 20,
  unreadMsMax: 5_000,
  // Within a second the publisher knows that its message is not stored.
  unstoredCutMs: 1_000,
  // Wills of vanished clients that could not be stored yet; nobody else has a copy.
  willsWaitingMax: 1_000,
}
