// What a person can do about a refusal, by the kind of its fault: the same words in the terminal, over HTTP and to a device.

const advice: Readonly<Record<string, string>> = {
  length: 'the message is cut off, or longer than its format allows; look at the device and the line to it',
  syntax: 'it is not written in the format of its topic; check the topic, or correct the device',
  checksum: 'it was damaged on its way, or the device computes its checksum wrongly; look at the line',
  range: 'a value is outside what its field can hold; look at the device',
  unsupported: 'the format is known, this form of it is not yet; keep it, an update can read it again',
  encrypted: 'it is encrypted; give the adapter its key in the settings, then replay it',
  invalid: 'the event breaks a rule of the schema; correct the mapping or the device, then replay it',
  forbidden: 'if it should be let to, give it the topic (tocsin principals change, or mqtt.users), then replay it',
  blocked: 'its device is blocked; tocsin devices admit lets it pass again',
  adapter: 'the adapter itself failed: a fault of the gateway; report it with the frame, replay it after an update',
}

/** The kinds of fault that there are. */
export const faults: readonly string[] = Object.keys(advice)

export const adviceFor = (fault: string): string =>
  advice[fault] ?? 'tocsin refusals shows it; replay it when the cause is mended'

/** For what came on a topic that no adapter read. */
export const carriedAdvice =
  'nothing, if it is between others; else name its topic in mappings or inputs, then tocsin refusals --replay --all --carried'
