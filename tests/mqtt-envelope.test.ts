// What a PUBLISH says beside topic and payload is kept with its frame, as far as its receivers are to be given it; and only where
// there may be receivers.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { Fate } from '../proto/generated/types.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { openTestLog } from './grpc-log.ts'
import { connectPacket, mqtt as packetType, openRaw, publishPacket, withoutReason } from './tools/raw-mqtt.ts'
import { tempFolder } from './tools/temp-folder.ts'

test(
  'the frame of a permitted PUBLISH has its envelope; one that nobody may be given has none',
  { timeout: 60_000 },
  async () => {
    const dataDir = tempFolder('envelope')
    const gateway = await startGatewayProcess({ dataDir })
    const device = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
      protocolVersion: 5,
      clientId: 'unit-7',
    })
    await device.publishAsync('plant/ask', '?', {
      qos: 2,
      properties: {
        responseTopic: 'plant/answer',
        correlationData: Buffer.from([7, 0]),
        messageExpiryInterval: 30,
        payloadFormatIndicator: true,
        contentType: 'text/plain',
        userProperties: { who: 'me' },
      },
    })
    await device.publishAsync('plant/last', 'known good', { qos: 1, retain: true })
    // No adapter can read it, and it is delivered all the same.
    await device.publishAsync('tocsin/in/senml/gauge-7', 'no JSON', { qos: 1 })
    await expect(device.publishAsync('tocsin/v1/of/the/gateway', 'forged', { qos: 1 })).rejects.toThrow(
      'Not authorized',
    )
    await device.endAsync()
    await gateway.stop()

    const log = await openTestLog(dataDir)
    const { frames } = log.readFrames(0, { frames: 100, bytes: 1e6 })!
    const ofDevice = frames.filter(({ frame }) => frame.sender?.startsWith('mqtt:'))
    expect(ofDevice.map(({ frame: { channel, mqtt } }) => [channel, mqtt])).toEqual([
      [
        'plant/ask',
        {
          qos: 2,
          clientId: 'unit-7',
          responseTopic: 'plant/answer',
          correlationData: Buffer.from([7, 0]),
          messageExpirySeconds: 30,
          payloadFormatIndicator: 1,
        },
      ],
      ['plant/last', { qos: 1, retain: true, clientId: 'unit-7' }],
      ['tocsin/in/senml/gauge-7', { qos: 1, clientId: 'unit-7' }],
      ['tocsin/v1/of/the/gateway', undefined],
    ])
    expect(ofDevice[0]!.frame).toMatchObject({ contentType: 'text/plain', properties: [{ name: 'who', value: 'me' }] })
    const ofGateway = frames.filter(({ frame }) => !frame.sender?.startsWith('mqtt:'))
    expect(ofGateway.every(({ frame }) => frame.mqtt === undefined)).toBe(true)
    await log.close()
  },
)

test('a message that says nothing new is a duplicate, and reaches its subscribers all the same', async () => {
  const dataDir = tempFolder('carry')
  const gateway = await startGatewayProcess({ dataDir })
  const url = `mqtt://127.0.0.1:${gateway.mqttPort}`
  const reader = await connectAsync(url)
  const got: string[] = []
  reader.on('message', (topic: string) => got.push(topic))
  await reader.subscribeAsync('tocsin/in/cap/#', { qos: 1 })
  const device = await connectAsync(url)
  const alert = await readFile(new URL('../adapters/cap/fixtures/flash-flood.xml', import.meta.url))
  for (let i = 0; i < 2; i++) await device.publishAsync('tocsin/in/cap/weather', alert, { qos: 1 })
  while (got.length < 2) await sleep(5)
  await Promise.all([reader.endAsync(), device.endAsync()])
  await gateway.stop()

  const log = await openTestLog(dataDir)
  const { frames } = log.readFrames(0, { frames: 100, bytes: 1e6 })!
  const kept = frames.filter(({ frame }) => frame.mqtt).map(({ frame }) => frame.fate)
  expect(kept).toEqual([Fate.STORED, Fate.DUPLICATE])
  await log.close()
})

test('an MQTT 5 device hears in its PUBACK that nobody reads its topic, as long as that is so', async () => {
  const gateway = await startGatewayProcess()
  const device = await openRaw(gateway.mqttPort)
  device.send(connectPacket({ version: 5, clientId: 'unit-7' }))
  await device.packet(packetType.connack)
  const answerTo = async (topic: string, payload: string, id: number): Promise<number[]> => {
    const from = device.packets.length
    device.send(publishPacket(topic, { id, payload, version: 5 }))
    return [...withoutReason(await device.packet(packetType.puback, from)).body]
  }
  expect(await answerTo('plant/tank', '1', 1)).toEqual([0, 1, 0x10])
  expect(await answerTo('tocsin/in/senml/unit-7', '[{"n":"level","u":"m","v":1}]', 2)).toEqual([0, 2])
  const reader = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`)
  await reader.subscribeAsync('plant/#')
  expect(await answerTo('plant/tank', '2', 3)).toEqual([0, 3])
  device.close()
  await reader.endAsync()
  await gateway.stop()
})
