// What a Node.js process keeps alive, asked through its own inspector after a full garbage collection: resident memory follows the
// collector's rhythm by tens of megabytes, and would hide the two that are looked for.

export interface LiveMemory {
  /** Objects and buffers that are still referred to. */
  bytes(): Promise<number>
  close(): void
}

/** For `startGatewayProcess`: the inspector on a free port of loopback. */
export const inspectorArgs: readonly string[] = ['--inspect=127.0.0.1:0']

const answerTimeoutMs = 30_000

interface Answer {
  readonly id?: number
  readonly result?: { readonly result?: { readonly value?: number } }
}

/** `stderr` holds the line in which Node says where its inspector listens. */
export async function watchLiveMemory(stderr: string): Promise<LiveMemory> {
  const url = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(stderr)?.[0]
  if (url === undefined) throw new Error('the process has no inspector')
  const socket = new WebSocket(url)
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer
    waiting.get(answer.id ?? 0)?.(answer)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')))
  })

  function ask(method: string, params: object = {}): Promise<Answer> {
    const id = ++asked
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the inspector does not answer ${method}`)), answerTimeoutMs)
      waiting.set(id, (answer) => {
        clearTimeout(late)
        waiting.delete(id)
        resolve(answer)
      })
      socket.send(JSON.stringify({ id, method, params }))
    })
  }

  return {
    async bytes() {
      // Twice: what finalizers let go of is collected the second time.
      for (let round = 0; round < 2; round++) await ask('HeapProfiler.collectGarbage')
      const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())'
      const answer = await ask('Runtime.evaluate', { expression, returnByValue: true })
      return answer.result?.result?.value ?? NaN
    },
    close: () => socket.close(),
  }
}
