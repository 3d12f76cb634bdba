// The table of commands. Help is made from it; each is loaded when it is called for, so that none waits for another's libraries.

import type { Command } from './command.ts'

export interface Entry {
  readonly name: string
  readonly load: () => Promise<Command>
}

export const commands: readonly Entry[] = [
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'status', load: async () => (await import('./status.ts')).status },
  { name: 'watch', load: async () => (await import('./watch.ts')).watch },
  { name: 'events', load: async () => (await import('./events.ts')).events },
  { name: 'query', load: async () => (await import('./query.ts')).query },
  { name: 'series', load: async () => (await import('./series.ts')).series },
  { name: 'publish', load: async () => (await import('./publish.ts')).publish },
  { name: 'fate', load: async () => (await import('./fate.ts')).fate },
  { name: 'refusals', load: async () => (await import('./refusals.ts')).refusals },
  { name: 'audit', load: async () => (await import('./audit.ts')).audit },
  { name: 'check', load: async () => (await import('./check-mapping.ts')).check },
  { name: 'doctor', load: async () => (await import('./doctor.ts')).doctor },
  { name: 'ports', load: async () => (await import('./ports.ts')).ports },
  { name: 'settings', load: async () => (await import('./settings.ts')).settings },
  { name: 'devices', load: async () => (await import('./devices.ts')).devices },
  { name: 'principals', load: async () => (await import('./principals.ts')).principals },
  { name: 'sign-in', load: async () => (await import('./sign-in.ts')).signIn },
  { name: 'sign-out', load: async () => (await import('./sign-in.ts')).signOut },
  { name: 'whoami', load: async () => (await import('./sign-in.ts')).whoami },
  { name: 'break-glass', load: async () => (await import('./break-glass.ts')).breakGlass },
  { name: 'ca', load: async () => (await import('./ca.ts')).ca },
  { name: 'enroll', load: async () => (await import('./enroll.ts')).enroll },
  { name: 'revoke', load: async () => (await import('./revoke.ts')).revoke },
  { name: 'secret', load: async () => (await import('./secret.ts')).secret },
  { name: 'backup', load: async () => (await import('./backup.ts')).backup },
  { name: 'restore', load: async () => (await import('./restore.ts')).restore },
  { name: 'telemetry', load: async () => (await import('./telemetry.ts')).telemetry },
  { name: 'hold', load: async () => (await import('./hold.ts')).hold },
  { name: 'completion', load: async () => (await import('./completion.ts')).completion },
  { name: 'version', load: async () => (await import('./version.ts')).version },
]
