// The labels of MQTT topics: what comes in by a labelled input, or in a format whose fields have labels, is
// for who may see those labels, and the events that the gateway publishes
// are for who may see all that it gives out.

import { eventRoot } from '../outputs/mqtt/topic.ts'
import { maskOf } from '../record-header.ts'
import type { Routes } from '../routes.ts'
import type { Settings } from '../settings.ts'
import { includedOf } from './configured-view.ts'
import { labelsAllowed } from './view.ts'

/** As a mask; 0: whoever may subscribe. */
export function labelsOfTopics(routes: Routes, settings: Settings): (topic: string) => number {
  const included = includedOf(settings['mqtt.out_include'], 'mqtt.out_include')
  const given = labelsAllowed({ ops: true, include: new Set(included) })
  return (topic) => {
    if (topic.startsWith(`${eventRoot}/`)) return given
    const input = routes.find(topic)?.input
    return input ? maskOf(input.site.labels) | maskOf(input.adapter.labels) : 0
  }
}
