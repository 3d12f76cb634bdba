// Runs after npm has installed the packages, on whatever Node the machine has, and completes what an older npm or Node
// leaves unfinished, so that every npm script runs on our own Node 24 with all of its packages. Where nothing is
// missing, as with Node 20 and later and their npm, it does nothing.

import { spawnSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const modules = new URL('../node_modules/', import.meta.url)
const node = `node-${process.platform}-${process.arch}/bin/node`
const link = fileURLToPath(new URL('.bin/node', modules))

if (existsSync(new URL(node, modules))) {
  // npm on Node 18 leaves out optional packages made for a later one: the native parts of test runner and compiler.
  const npmNodeMajor = Number(/node\/v(\d+)/.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? 24)
  if (npmNodeMajor < 20 && process.env.npm_execpath !== undefined) installAgain(process.env.npm_execpath)
  // npm 9, which Debian 12 ships, links .bin/node and then removes it again together with the packages of other
  // platforms that bring a program of the same name.
  if (!existsSync(link)) symlinkSync(`../${node}`, link)
}

/** The same npm on Node 24, which keeps what is there, adds what was left out, and leaves the lock file as it is. */
function installAgain(npm) {
  const args = [npm, 'install', '--no-save', '--ignore-scripts']
  const { status } = spawnSync(fileURLToPath(new URL(node, modules)), args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
