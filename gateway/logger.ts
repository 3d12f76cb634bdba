// What the house needs of a logger; pino fits. Passed in, so that tests read what was said.

export interface Logger {
  debug(details: object, text: string): void
  info(details: object, text: string): void
  warn(details: object, text: string): void
  error(details: object, text: string): void
}
