// Every adapter, by name. To add one: make its folder, then add one line here.

import type { Adapter } from './adapter.ts'
import { cap } from './cap/codec.ts'
import { chirpstack } from './chirpstack/codec.ts'
import { json } from './json/codec.ts'
import { rtl433 } from './rtl433/codec.ts'
import { senml } from './senml/codec.ts'
import { tocsin } from './tocsin/codec.ts'

export const adapters: ReadonlyMap<string, Adapter> = new Map(
  [cap, chirpstack, json, rtl433, senml, tocsin].map((adapter) => [adapter.name, adapter]),
)
