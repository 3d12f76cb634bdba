// `npm run attacks`: every attack on a whole gateway, with dispatch at work beside it, and one table. Exit code 1: one was not survived.

import { parseArgs } from 'node:util'
import { machine } from '../../bench/machine.ts'
import { attacks } from './attacks.ts'
import { type Survived, survive } from './run.ts'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      test: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  })
  const unknown = positionals.filter((name) => !attacks.some((attack) => attack.name === name))
  if (values.help || unknown.length > 0) {
    for (const name of unknown) process.stderr.write(`attacks: there is no attack "${name}"\n`)
    const list = attacks.map(({ name, about }) => `  ${name.padEnd(18)}${about}`)
    process.stderr.write(['npm run attacks -- [name …] [--test] [--json]', ...list, ''].join('\n'))
    return values.help ? 0 : 2
  }
  process.stdout.write(`${machine()}\n\n`)
  const wanted = positionals.length === 0 ? attacks : attacks.filter(({ name }) => positionals.includes(name))
  const all: Survived[] = []
  for (const attack of wanted) {
    process.stderr.write(`${attack.name}: ${attack.about}\n`)
    const survived = await survive(attack, values.test ? 'test' : 'full')
    all.push(survived)
    if (!values.json) process.stdout.write(`${lineOf(survived)}\n`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
  return all.every(({ faults }) => faults.length === 0) ? 0 : 1
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0)

function lineOf({ name, before, during, residentMb, auditKb, text, counted, faults, inTime }: Survived): string {
  const verdict = faults.length > 0 ? 'NOT SURVIVED' : inTime === undefined ? 'survived, delay not judged' : 'survived'
  return [
    `${name.padEnd(18)}${verdict}`,
    `    dispatch p50/p99/max: before ${ms(before.p50Ms)}/${ms(before.p99Ms)}/${ms(before.maxMs)} ms, during ${ms(during.p50Ms)}/${ms(during.p99Ms)}/${ms(during.maxMs)} ms (n ${during.count}; machine ${ms(during.machineMs)})`,
    `    memory ${residentMb.before.toFixed(0)} → ${residentMb.most.toFixed(0)} → ${residentMb.after.toFixed(0)} MB; audit +${auditKb.toFixed(0)} kB`,
    `    ${text}`,
    ...(counted === '' ? [] : [`    counted: ${counted}`]),
    ...faults.slice(0, 8).map((fault) => `    ! ${fault}`),
  ].join('\n')
}

process.exitCode = await main()
