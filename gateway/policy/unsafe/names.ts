// Names that stand twice where the second would silently count instead of the first.

import type { Site } from './unsafe-check.ts'

export function* namesTwice({ settings }: Site): Generator<string> {
  for (const key of ['mqtt.users', 'inputs', 'roles', 'plaintext_exceptions'] as const) {
    const seen = new Set<string>()
    for (const name of namesIn(settings[key])) {
      if (seen.has(name)) yield `${key}: there are two of the name ${name}; take one out, or give it a name of its own`
      seen.add(name)
    }
  }
}

/** What is wrong with a tree that is no such list is said where it is read. */
const namesIn = (tree: unknown): string[] =>
  (Array.isArray(tree) ? tree : []).flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'name' in entry && typeof entry.name === 'string'
      ? [entry.name]
      : [],
  )
