// Which adapter reads a message is found once for each channel and media type, and what a sender makes up is not kept.

import { expect, test } from 'vitest'

import { senml } from '../adapters/senml/codec.ts'
import { createRoutes } from '../gateway/routes.ts'
import { MessageStatus } from '../proto/generated/types.ts'

const site = { gateway: 'g', jurisdiction: 'local', owner: '', messageStatus: MessageStatus.ACTUAL, labels: [] }
const input = (name: string, topics: readonly string[], contentTypes: readonly string[]) => ({
  name,
  adapter: { ...senml, name, contentTypes },
  topics,
  options: undefined,
  site,
})
const routes = () => createRoutes([input('first', ['a/#'], []), input('second', ['a/#'], ['text/x'])])

test('one route for each channel and media type, whoever asks', () => {
  const { find } = routes()
  for (const contentType of [undefined, 'text/x', 'text/y; charset=utf-8']) {
    expect(find('a/1', contentType)).toBe(find('a/1', contentType))
    expect(find('a/1', contentType)).not.toBe(find('a/2', contentType))
  }
  expect(find('a/1')!.input.name).toBe('first')
  expect(find('a/1', ' Text/X ; q=1')!.input.name).toBe('second')
  expect(find('a/1', 'text/z')!.input.name).toBe('first')
  expect(find('b/1', 'text/x')!.input.name).toBe('second')
  expect(find('b/1')).toBeUndefined()
})

test('what a sender makes up beside a media type, or for one, is no other route', () => {
  const { find } = routes()
  expect(find('a/1', 'text/x; note=1')).toBe(find('a/1', 'text/x'))
  expect(find('a/1', `text/x; note=${'n'.repeat(60_000)}`)).toBe(find('a/1'))
})
