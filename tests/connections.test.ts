// Who opens all the connections that he can get leaves places to others, at every door, and costs its socket and nothing else.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'

import { createAdmission, networkOf } from '../broker/admission.ts'
import { defaultLimits } from '../broker/limits.ts'
import { boundConnections } from '../gateway/connections.ts'
import { until } from './tools/broker.ts'

const second = 1_000_000_000n

function admission(limits = {}) {
  let now = 0n
  const clock = { now: () => now, monotonic: () => now }
  const made = createAdmission({ ...defaultLimits, ...limits }, clock)
  return {
    /** How many of so many are let in; each leaves at once. */
    letIn(address: string, count: number): number {
      let taken = 0
      for (let i = 0; i < count; i++) {
        const admitted = made.admit(address)
        if (typeof admitted === 'string') continue
        taken++
        admitted()
      }
      return taken
    },
    wait: (seconds: number) => (now += BigInt(seconds) * second),
  }
}

test('one address that does nothing but connect is let in 400 times a second, and others meanwhile', () => {
  const { letIn, wait } = admission()
  expect(letIn('192.0.2.1', 5_000)).toBe(1_500)
  expect(letIn('192.0.2.2', 100)).toBe(100)
  wait(1)
  expect(letIn('192.0.2.1', 5_000)).toBe(400)
  expect(letIn('192.0.2.2', 80)).toBe(80)
})

test('addresses that are invented do not take memory without end', () => {
  const { letIn } = admission({ connectsBurst: 1e6 })
  for (let i = 0; i < 30_000; i++) letIn(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1)
  expect(letIn('192.0.2.1', 1)).toBe(1)
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('%j counts as %j', (address, network) => expect(networkOf(address)).toBe(network))

test('a door takes so many of one address and turns the next away; a place that is given back is taken again', async () => {
  const server = createServer()
  const counts = boundConnections(server, { inAll: 3, perAddress: 2 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const come = (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    return socket
  }
  const first = [come('127.0.0.2'), come('127.0.0.2')]
  await until(() => counts.open === 2, 'two are in')
  const third = come('127.0.0.2')
  await once(third, 'close')
  const others = [come('127.0.0.3')]
  await until(() => counts.open === 3, 'another address is in')
  await once(come('127.0.0.4'), 'close')
  expect(counts).toEqual({ open: 3, refused: 2 })
  first[0]!.destroy()
  await until(() => counts.open === 2, 'one has gone')
  others.push(come('127.0.0.2'))
  await until(() => counts.open === 3, 'its place is taken')
  for (const socket of [...first, ...others]) socket.destroy()
  await until(() => counts.open === 0, 'all have gone')
  server.close()
})
