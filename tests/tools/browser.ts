// A real browser, Debian's Chromium without a window, spoken to by its own DevTools protocol: pages are opened as a person would, their
// scripts run, and what they show is read as text. It has a folder of its own and speaks to nobody but the pages it is given.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { startChild } from './child.ts'
import { debian } from './debian.ts'
import { tempFolder } from './temp-folder.ts'

export interface Browser {
  open(url: string): Promise<Page>
  close(): Promise<void>
}

export interface Page {
  /** What a person would read. */
  text(): Promise<string>
  /** What scripts of the page wrote as errors, and what the browser refused to load. */
  readonly errors: readonly string[]
}

/** A first start unpacks caches and asks for fonts; a loaded machine takes its time. */
const startMsMax = 30_000

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--remote-debugging-port=0',
]

export async function startBrowser(): Promise<Browser> {
  const home = tempFolder('browser')
  const fonts = join(home, 'fonts.conf')
  const folders = `<dir>${debian.root}/usr/share/fonts</dir><cachedir>${home}/fonts</cachedir>`
  writeFileSync(fonts, `<?xml version="1.0"?><fontconfig>${folders}</fontconfig>`)
  const program = join(debian.root, 'usr/lib/chromium/chromium')
  const child = startChild(program, [...flags, `--user-data-dir=${home}/profile`, 'about:blank'], {
    env: debian.environment({ HOME: home, FONTCONFIG_FILE: fonts, LD_LIBRARY_PATH: libraryPath() }),
    input: '',
  })
  const listening = /DevTools listening on ws:\/\/([^/]+)\//
  await child.waitFor(listening, startMsMax)
  const address = listening.exec(child.stderr)?.[1] ?? ''
  const sockets: WebSocket[] = []

  return {
    async open(url) {
      const answer = await fetch(`http://${address}/json/new?about:blank`, { method: 'PUT' })
      const { webSocketDebuggerUrl } = (await answer.json()) as { webSocketDebuggerUrl: string }
      const socket = new WebSocket(webSocketDebuggerUrl)
      sockets.push(socket)
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      const page = createPage(socket)
      await page.call('Runtime.enable')
      await page.call('Log.enable')
      await page.call('Page.navigate', { url })
      return page
    },
    async close() {
      for (const socket of sockets) socket.terminate()
      await child.kill()
    },
  }
}

/** Its sound library looks for another one in a folder of its own, which stands in no search path. */
function libraryPath(): string {
  const { LD_LIBRARY_PATH: path = '' } = debian.environment()
  return [path, ...path.split(':').map((folder) => `${folder}/pulseaudio`)].join(':')
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly entry?: { text: string; url?: string }; readonly exceptionDetails?: { text: string } }
  readonly result?: { readonly result?: { readonly value?: unknown } }
}

function createPage(socket: WebSocket) {
  const waiting = new Map<number, (message: Message) => void>()
  const errors: string[] = []
  let last = 0
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    const said = message.params?.exceptionDetails?.text ?? message.params?.entry?.text
    if (said !== undefined) errors.push(`${said} ${message.params?.entry?.url ?? ''}`.trim())
  })
  const call = (method: string, params: object = {}): Promise<Message> =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      socket.send(JSON.stringify({ id: last, method, params }))
    })
  return {
    call,
    errors,
    async text() {
      const { result } = await call('Runtime.evaluate', { expression: 'document.body.innerText' })
      return String(result?.result?.value ?? '')
    },
  }
}
