// What a PUBLISH says beside topic and payload is kept with its frame, as far as its receivers are to be given it; and only where
// there may be receivers.

import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { startGatewayProcess } from './gateway/process.ts'
import { openTestLog } from './grpc-log.ts'
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
