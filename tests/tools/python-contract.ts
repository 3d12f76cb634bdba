// Our contract as a Python program gets it: made of the .proto files by Debian's protoc.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { debian } from './debian.ts'
import { run } from './run.ts'
import { tempFolder } from './temp-folder.ts'

/** What Debian's protoc makes of proto/tocsin, and nothing else of ours. */
export async function generatedFolder(): Promise<string> {
  const proto = join(import.meta.dirname, '../../proto')
  const files = globSync('tocsin/v1/*.proto', { cwd: proto })
  const folder = tempFolder('python-client')
  const plugin = `--plugin=protoc-gen-grpc_python=${debian.programPath('grpc_python_plugin')}`
  // timestamp.proto and its like come with grpc_tools.
  const include = [`-I${proto}`, `-I${join(debian.root, 'usr/lib/python3/dist-packages/grpc_tools/_proto')}`]
  const output = [`--python_out=${folder}`, `--grpc_python_out=${folder}`]
  const options = [...include, ...output, plugin, ...files]
  const made = await run(debian.programPath('protoc'), options, { env: debian.environment() })
  if (made.code !== 0 || made.stderr !== '') throw new Error(`protoc ended with ${made.code}: ${made.stderr}`)
  return folder
}
