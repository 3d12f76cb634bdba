// 64-bit numbers as the wire has them: protobufjs gives `Long` on decode and takes `Long` or a safe number on encode; ours to
// compute with is bigint. Nothing is rounded on the way.

import Long from 'long'

export type Int64 = Long | number

export const int64 = (value: bigint): Long => Long.fromBigInt(value)
export const uint64 = (value: bigint): Long => Long.fromBigInt(value, true)

export function toBigInt(value: Int64 | undefined | null): bigint {
  if (value === undefined || value === null) return 0n
  return typeof value === 'number' ? BigInt(value) : value.toBigInt()
}

/** For numbers known to be below 2^53, such as sequences. */
export function toNumber(value: Int64 | undefined | null): number {
  if (value === undefined || value === null) return 0
  return typeof value === 'number' ? value : value.toNumber()
}
