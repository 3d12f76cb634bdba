// What MQTT 5 carries beside a payload, as one column of text: JSON, with the correlation data in base64.

import type { MessageProperties } from '../../broker/port.ts'

interface Written {
  readonly contentType?: string
  readonly userProperties?: readonly (readonly [string, string])[]
  readonly responseTopic?: string
  readonly correlationData?: string
  readonly messageExpirySeconds?: number
  readonly payloadFormatIndicator?: 0 | 1
}

export function propertiesText(properties: MessageProperties | undefined): string | null {
  if (!properties) return null
  const { correlationData, ...plain } = properties
  const written: Written = {
    ...plain,
    ...(correlationData && { correlationData: Buffer.from(correlationData).toString('base64') }),
  }
  return JSON.stringify(written)
}

export function propertiesOf(text: string | null): { readonly properties?: MessageProperties } {
  if (text === null) return {}
  const { correlationData, ...plain } = JSON.parse(text) as Written
  const properties: MessageProperties = {
    ...plain,
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, 'base64') }),
  }
  return { properties }
}
