// Every head of the audit that a data folder knows of: what state.sqlite says, and what the main log does. Read before the files, so that
// a gateway that writes meanwhile is only ahead of them.

import { type Anchor, logAnchors, readStateAnchor } from './anchors.ts'

/** Of the log, the newest first: years of starts, stops and minutes. */
const logBytesMax = 1 << 30

export function findAnchors(dataDir: string): readonly Anchor[] {
  const state = readStateAnchor(dataDir)
  return [...(state ? [state] : []), ...logAnchors(dataDir, logBytesMax)]
}
