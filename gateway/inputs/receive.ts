// What an input needs of the house: one function that takes a frame and answers when it is settled for good. Acknowledge only
// then; when it rejects, nothing was taken and the sender must keep its copy.

import type { Frame, Fault } from '../../adapters/adapter.ts'
import type { MqttEnvelope } from '../../proto/generated/types.ts'
import type { Place } from '../log/log.ts'

export type Receive = (sender: Sender, frame: Frame, transport?: Transport) => Promise<Fate>

/** The same without a promise, for an input that has many: `told` is told later, never before it returns. */
export type Take = (sender: Sender, frame: Frame, transport: Transport | undefined, told: ToldFate) => void

/** Told once; it must not throw. */
export interface ToldFate {
  /** In place of `settled`, for those who ask no more of a frame that was stored than that it was, and without a clock fault. */
  storedPlainly?(): void
  settled(fate: Fate): void
  /** Nothing was taken; the sender must keep its copy. */
  notTaken(error: unknown): void
}

/** Who is at the other end, as an authenticated principal. */
export interface Sender {
  /** Such as "mqtt:gauge-7"; part of every record. */
  readonly name: string
  readonly authenticity: 'authenticated' | 'unverified'
  /** The listener or link it came in by, for provenance: "mqtt", "grpc", "http". */
  readonly link: string
  /** Where it is connected from, as far as that is known. */
  readonly address?: string
  /** Present where devices stand behind it, or it is one, that nobody may know. */
  readonly guard?: Guard
}

/** What a sender with many devices behind it may say of which; one look into a table for each event. */
export interface Guard {
  /** `outside`: a subject for which it may not speak at all. */
  judge(subject: string): 'pass' | 'wait' | 'blocked' | 'outside'
  /** It is a device itself that nobody has admitted, of this name: whatever it sends waits. */
  readonly whole?: string
}

/** What the transport knows of a message beside its bytes. */
export interface Transport {
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** The transport says that it is sent again. */
  readonly resent: boolean
  /** With the payload, recognises the message when it is sent again after a broken connection; 16 bytes; absent: it cannot be. */
  readonly resendKey?: Uint8Array
  /** The id that the frame is to have, when it was promised one. */
  readonly frameId?: Uint8Array
  /** Policy has said no to the channel already: the frame goes to quarantine with this reason, and is not decoded. */
  readonly forbidden?: string
  /** Its content type chooses no adapter: the sender may not publish where that format is read. */
  readonly byTopicOnly?: boolean
  /** Present when MQTT subscribers may be given the message. */
  readonly envelope?: MqttEnvelope
  /** Somebody is to be given it, also when it says nothing new. */
  readonly wanted?: boolean
}

export type Fate = { readonly frameId: Uint8Array } & (
  | {
      readonly fate: 'stored'
      readonly places: readonly Place[]
      readonly eventIds: readonly Uint8Array[]
      readonly clockFault?: ClockFault
    }
  | { readonly fate: 'duplicate' }
  | { readonly fate: 'ignored'; readonly why: string }
  | { readonly fate: 'carried' }
  /** Kept, and given to nobody until its device is admitted. */
  | { readonly fate: 'waiting' }
  | { readonly fate: 'refused'; readonly fault: RefusalFault; readonly why: string }
)

/** An event of the frame has a time that no sound clock gives; it was flagged and stored all the same. */
export interface ClockFault {
  /** In the format's own words; '' when it names none. */
  readonly device: string
  /** Nanoseconds by which it is ahead of the gateway's clock; below zero: behind. */
  readonly aheadNs: bigint
}

/** A decoder's fault, or one of ours: the event breaks the schema, policy says no, its device is blocked, or the adapter itself failed. */
export type RefusalFault = Fault | 'invalid' | 'forbidden' | 'blocked' | 'adapter'
