// One attack, in a process of its own: `node tests/attacks/attacker.ts NAME TARGET` does it and prints what came of it, as JSON.

import type { Target } from './attack.ts'
import { attacks } from './attacks.ts'

const [name, target = '{}'] = process.argv.slice(2)
const attack = attacks.find((each) => each.name === name)
if (!attack) throw new Error(`there is no attack "${name}"`)
const deeds = await attack.run(JSON.parse(target) as Target)
process.stdout.write(`${JSON.stringify(deeds)}\n`)
process.exit(0)
