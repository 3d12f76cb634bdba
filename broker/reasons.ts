// What a client is told in words when it is turned away or its connection is closed: what was wrong and what to do. One line each; no
// secret, no payload, and nothing that only somebody else may know.

import type { CutReason, RefusalReason } from './port.ts'

const packetAdvice = {
  too_large: 'send smaller messages, or raise mqtt.packet_bytes_max of the gateway',
  protocol: 'correct the client: this is not according to the MQTT standard',
} as const

/** Of a packet that was not taken, for the device and the log. */
export const cutAdvice = {
  too_large: `${packetAdvice.too_large}; the message was not taken`,
  protocol: `${packetAdvice.protocol}; the message was not taken`,
} as const

const cutWords: Readonly<Partial<Record<CutReason, string>>> = {
  keep_alive:
    'nothing was heard for one and a half times the keep-alive; send PINGREQ in time, or ask for a longer one',
  unstored: 'it could not be stored and is not acknowledged; connect again and send it again',
  receive_maximum: 'too many messages of QoS 2 wait for their PUBREL; keep to the Receive Maximum of CONNACK',
  taken_over: 'another connection came with this client id; give each client an id of its own',
  rights_changed: 'the rights of this sender have changed; connect again',
  closing: 'the gateway is stopping; connect again in a while',
}

/** Of a connection that is closed. `fault`: what was wrong with the packet that it is closed for. */
export function closingWords(reason: CutReason, fault: string | undefined): string | undefined {
  if (fault === undefined) return cutWords[reason]
  return reason === 'too_large' || reason === 'protocol' ? `${fault}; ${packetAdvice[reason]}` : fault
}

/** Of a CONNECT that is turned away. One answer for a wrong name and a wrong secret. */
export const refusalWords: Readonly<Partial<Record<RefusalReason, string>>> = {
  credentials: 'name and secret are missing or wrong; set both as the gateway has them',
  not_allowed: 'this client may not connect here; ask who runs the gateway',
  client_id: 'this client id is in use by another sender; choose one of your own',
  unavailable: 'who you are could not be checked now; connect again in a while',
  sessions: 'as many sessions are kept as may be; ask for a session expiry of 0',
  authentication_method: 'enhanced authentication is not spoken here; connect without an authentication method',
}

export const unusableId = (bytesMax: number): string =>
  `this client id cannot be used; choose one of at most ${bytesMax} bytes that does not begin with $share/ and is no word of a program, such as constructor`
