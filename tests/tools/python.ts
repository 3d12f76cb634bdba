// Python from Debian with grpcio, grpc_tools, protobuf, paho-mqtt and cbor2: clients that were made by others. It is always
// the unpacked one, never the machine's: the modules were compiled for it, and it is the same everywhere.

import { startChild, type Child, type ChildOptions } from './child.ts'
import { debian } from './debian.ts'
import { run, type Outcome, type RunOptions } from './run.ts'

/** Runs a script to its end; `script` is a file, or `-c` or `-m` with the code or the module first in `args`. */
export function runPython(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Outcome> {
  return run(debian.programPath('python3'), [script, ...args], { ...options, env: pythonEnvironment(options) })
}

/** Starts a script that goes on, e.g. a subscriber to be killed. */
export function startPython(script: string, args: readonly string[] = [], options: ChildOptions = {}): Child {
  return startChild(debian.programPath('python3'), [script, ...args], { ...options, env: pythonEnvironment(options) })
}

function pythonEnvironment({ env }: ChildOptions): Record<string, string> {
  return debian.environment({
    // Python takes the folders around its own program for its home, so it finds its library and Debian's modules by itself.
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    ...env,
  })
}
