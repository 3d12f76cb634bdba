// A name with a value: <valueName> and <value> since CAP 1.1; "name=value" in one text in CAP 1.0.

import type { XmlElement } from '../xml.ts'
import { type Notes, fieldsOf, neededText, textOf, warn } from './fields.ts'

/** Both are texts; a value may be empty. Undefined, with a warning, when there is no name. */
export function namedValue(element: XmlElement, notes: Notes): { name: string; value: string } | undefined {
  if (element.children.length === 0) {
    const said = textOf(notes, element) ?? ''
    const at = said.indexOf('=')
    if (at > 0) return { name: said.slice(0, at).trim(), value: said.slice(at + 1).trim() }
    warn(notes, element, said === '' ? 'is empty' : 'has no name and is left out')
    return undefined
  }
  const fields = fieldsOf(element, notes, ['valueName', 'value'])
  const name = neededText(fields, 'valueName')
  // An empty value is common, and says that there is none: no warning for it.
  const [said] = fields.byName.get('value') ?? []
  return name === undefined ? undefined : { name, value: (said && textOf(notes, said)) ?? '' }
}
