// When a certificate is to be replaced, and alarms before it ends: 30, 7 and 1 days before, and when it has ended; each is told once, and goes when there is a newer one.

import type { X509Certificate } from 'node:crypto'
import type { Alarms } from '../alarms.ts'

export interface Ending {
  /** "tls.certificate", "authority CN=…". */
  readonly what: string
  readonly endsAtMs: number
  /** What to do, as a sentence. */
  readonly remedy: string
}

const dayMs = 86_400_000
const stagesDays = [30, 7, 1, 0] as const

/** The stage that a certificate is in; undefined: there is time. */
export function stageOf({ endsAtMs }: Ending, nowMs: number): (typeof stagesDays)[number] | undefined {
  return stagesDays.findLast((days) => endsAtMs - nowMs <= days * dayMs)
}

export function createExpiryAlarms(
  alarms: Pick<Alarms, 'raise' | 'clear'>,
): (endings: readonly Ending[], nowMs: number) => void {
  let raised = new Set<string>()
  return (endings, nowMs) => {
    const now = new Set<string>()
    for (const ending of endings) {
      const stage = stageOf(ending, nowMs)
      if (stage === undefined) continue
      const about = `${ending.what}, ${stage === 0 ? 'ended' : `${stage} day${stage === 1 ? '' : 's'}`}`
      now.add(about)
      const day = new Date(ending.endsAtMs).toISOString().slice(0, 16).replace('T', ' ')
      const verb = stage === 0 ? 'ended' : 'ends'
      alarms.raise(
        'certificate_expiry',
        about,
        `The certificate of ${ending.what} ${verb} on ${day} UTC. ${ending.remedy}`,
      )
    }
    for (const about of raised) if (!now.has(about)) alarms.clear('certificate_expiry', about)
    raised = now
  }
}

/** When less than a third of its life is left. */
export function isDue(certificate: X509Certificate, nowMs: number): boolean {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  return until - nowMs < (until - from) / 3
}
