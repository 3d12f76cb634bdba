// `$share/<group>/<filter>` (MQTT 5 §4.8.2): the members of a group have one subscription together. Older clients may use it too, as
// other brokers let them.

export interface SharedFilter {
  readonly group: string
  readonly filter: string
}

/** Undefined: it is none, or a broken one. */
export function sharedFilter(filter: string): SharedFilter | undefined {
  const [, group, rest] = /^\$share\/([^/+#]+)\/(.+)$/.exec(filter) ?? []
  return group !== undefined && rest !== undefined ? { group, filter: rest } : undefined
}
