// What aedes says in CONNACK, made true: of sessions and shared subscriptions it knows nothing.

/** In place; whether it lets the client in. */
export function correctConnack(bytes: Buffer, version: number, sessionPresent: boolean): boolean {
  const flags = bytes[1]! < 0x80 ? 2 : 3
  if (bytes[flags + 1] !== 0) return false
  // MQTT 3.1.1 and 5 §3.2.2.1; MQTT 3.1 §3.2 has nothing in that place.
  if (sessionPresent && version !== 3) bytes[flags] = 1
  // MQTT 5 §3.2.2.3.13: aedes says before all else that there are no shared subscriptions.
  if (version === 5 && bytes[flags + 3] === 0x2a) bytes[flags + 4] = 1
  return true
}
