// What clients answer to the messages that they are sent: PUBACK, PUBREC, PUBCOMP (MQTT 3.1.1 and 5 §4.3). After PUBREC a message is never
// sent again, not over a restart either.

import { packetType, reasonCode } from './packets.ts'
import type { Principal } from './port.ts'
import type { Connection, Flight, Session } from './session.ts'
import type { MessageSource, SessionStore } from './stored.ts'

export interface Answering<P extends Principal> {
  /** PUBACK, PUBREC or PUBCOMP came. */
  answer(session: Session<P>, type: number, packetId: number, reason: number): void
  /** Asks the client to forget the identifier. */
  release(session: Session<P>, connection: Connection, packetId: number, flight: Flight<P>): void
}

export interface AnsweringParts<P extends Principal> {
  readonly sources: readonly MessageSource[]
  readonly store: Pick<SessionStore, 'write'>
  /** The message has arrived. */
  complete(session: Session<P>, packetId: number, flight: Flight<P>): void
  /** There is room for more. */
  pump(session: Session<P>): void
  whenDurable(session: Session<P>, connection: Connection, then: () => void): void
}

export function createAnswering<P extends Principal>(parts: AnsweringParts<P>): Answering<P> {
  const { sources, store, complete, pump, whenDurable } = parts

  function release(session: Session<P>, connection: Connection, packetId: number, flight: Flight<P>): void {
    flight.state = 'released'
    connection.again.delete(packetId)
    if (!session.kept || flight.retained) return connection.gate.sendShort('pubrel', packetId)
    // After PUBREC the message must not be sent again, whatever happens (§4.3.3).
    const { clientId } = session
    const { source, number } = flight
    store.write({
      kind: 'sent',
      clientId,
      sent: { packetId, source: sources[source]!.name, number, state: 'released' },
    })
    whenDurable(session, connection, () => connection.gate.sendShort('pubrel', packetId))
  }

  function answer(session: Session<P>, type: number, packetId: number, reason: number): void {
    const { connection } = session
    if (!connection) return
    const flight = session.flights.get(packetId)
    if (!flight || flight.waiting) {
      // Of a connection before, or of a message that is gone: the other side must come to an end with it.
      if (type === packetType.pubrec && reason < 0x80) connection.gate.sendShort('pubrel', packetId)
      return
    }
    const fits =
      type === packetType.puback
        ? flight.qos === 1
        : flight.qos === 2 && (type === packetType.pubrec || flight.state === 'released')
    // MQTT 3.1.1 and 5 §4.3.2, §4.3.3, §4.8: the acknowledgements of another QoS, or out of turn.
    if (!fits) {
      connection.gate.fault = 'an acknowledgement that is not the one of its message'
      return connection.gate.cut('protocol', reasonCode.protocol)
    }
    if (type !== packetType.pubrec || reason >= 0x80) complete(session, packetId, flight)
    else if (flight.state === 'released') connection.gate.sendShort('pubrel', packetId)
    else return release(session, connection, packetId, flight)
    pump(session)
  }

  return { answer, release }
}
