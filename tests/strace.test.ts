// Watched by strace: no PUBACK is written before the data sync that covers its record has returned.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startGatewayProcess } from './gateway/process.ts'
import { createPublisher } from './gateway/publisher.ts'
import { describeWithTools } from './tools/present.ts'
import { stracePath } from './tools/strace.ts'
import { tempFolder } from './tools/temp-folder.ts'

const marker = 'proof'

interface Call {
  readonly at: number
  readonly name: string
  readonly args: string
}

describeWithTools('strace', () => {
  test(
    'every PUBACK leaves after a write of its message and the sync that follows it',
    { timeout: 120_000 },
    async () => {
      const trace = join(tempFolder('strace'), 'trace')
      const calls = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync,sendmsg,sendto'
      const prefix = [stracePath(), '-f', '-ttt', '-s', '65536', '-xx', '-e', calls, '-o', trace]
      const gateway = await startGatewayProcess({ prefix: [...prefix, '--'], settings: { LOGGING_LEVEL: 'error' } })
      const publisher = createPublisher({
        port: gateway.mqttPort,
        clientId: 'traced',
        window: 1,
        payload: (n) => `[{"n":"${marker}-${String(n).padStart(4, '0')}","v":${n}}]`,
      })
      const running = publisher.run()
      for (let i = 0; i < 600 && publisher.acknowledged.size < 200; i++) await sleep(50)
      await publisher.finish()
      await running
      await gateway.stop()

      const checked = check(parse(readFileSync(trace, 'latin1')))
      expect(checked.early).toEqual([])
      expect(checked.pubacks).toBeGreaterThanOrEqual(200)
      process.stdout.write(`strace: ${checked.pubacks} PUBACKs, each after a sync that covers it\n`)
    },
  )
})

/** Calls in the order of their end; a call that strace shows in two halves ends with the second. */
function parse(text: string): Call[] {
  const open = new Map<string, { name: string; args: string }>()
  const calls: Call[] = []
  for (const line of text.split('\n')) {
    const [, pid = '', at = '', rest = ''] = /^(\d+)\s+(\d+\.\d+) (.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const begun = /^(\w+)\((.*)$/.exec(rest)
    if (resumed) {
      const first = open.get(pid)
      if (first) calls.push({ at: Number(at), name: first.name, args: first.args })
      open.delete(pid)
    } else if (begun?.[2]?.includes('<unfinished ...>')) open.set(pid, { name: begun[1] ?? '', args: begun[2] })
    else if (begun) calls.push({ at: Number(at), name: begun[1] ?? '', args: begun[2] ?? '' })
  }
  return calls
}

/**
 * With one message in flight, the n-th PUBACK (40 02 and a packet id) belongs to the n-th message. Its record is in clear in a
 * write to the segment of its lane; a sync of that very file must have ended after that write and before the PUBACK.
 */
function check(calls: readonly Call[]): { pubacks: number; early: string[] } {
  const early: string[] = []
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  const written = new Map<string, { fd: string; i: number }>()
  let pubacks = 0
  calls.forEach(({ name, args }, i) => {
    const fd = /^\d+/.exec(args)?.[0] ?? ''
    if (name === 'pwrite64' || name === 'pwritev') {
      for (let n = pubacks; n <= pubacks + 1; n++) {
        const word = hex(`${marker}-${String(n).padStart(4, '0')}`)
        if (!written.has(word) && args.includes(word)) written.set(word, { fd, i })
      }
      return
    }
    if (!args.includes('"\\x40\\x02') || !/^(write|writev|sendto|sendmsg)$/.test(name)) return
    const record = written.get(hex(`${marker}-${String(pubacks).padStart(4, '0')}`))
    const synced =
      record &&
      calls
        .slice(record.i, i)
        .some((call) => /^f(data)?sync$/.test(call.name) && /^\d+/.exec(call.args)?.[0] === record.fd)
    if (!synced)
      early.push(`PUBACK ${pubacks} at call ${i}: ${record ? 'no sync between' : 'its record was not written'}`)
    pubacks += 1
  })
  return { pubacks, early }
}
