// Trouble in our surroundings, with a code that stays the same for logs, HTTP, gRPC and people. Bad input is not an error here
// (it is a value, see adapters/adapter.ts), and a broken invariant is an assert.

export const errors = {
  settings_invalid: { http: 500, grpc: 9, meaning: 'The settings cannot be used; the gateway does not start.' },
  unsafe_settings: { http: 500, grpc: 9, meaning: 'The settings would open an unprotected door to the network.' },
  port_taken: { http: 500, grpc: 9, meaning: 'Another program listens on that address already.' },
  folder_in_use: { http: 500, grpc: 9, meaning: 'Another gateway runs on the same data folder.' },
  log_full: { http: 507, grpc: 8, meaning: 'The disk holds no more; nothing is acknowledged until it does.' },
  log_failed: { http: 503, grpc: 14, meaning: 'The disk refuses to write; nothing is acknowledged until it does.' },
  log_foreign: {
    http: 500,
    grpc: 9,
    meaning: 'The data folder is of a newer version or is not a log of this gateway.',
  },
  stopping: { http: 503, grpc: 14, meaning: 'The gateway is stopping; try again.' },
  overloaded: {
    http: 503,
    grpc: 8,
    meaning: 'More is on its way to the disk than the gateway holds in memory; try again.',
  },
  invalid_argument: { http: 400, grpc: 3, meaning: 'The request cannot be understood.' },
  too_large: {
    http: 413,
    grpc: 8,
    meaning: 'What is asked for or sent is larger than one message carries; ask for less, or send less.',
  },
  not_set_up: { http: 501, grpc: 9, meaning: 'The settings leave out what this would need.' },
  store_failed: { http: 503, grpc: 14, meaning: 'The telemetry store cannot be written or read; it is retried.' },
  not_found: { http: 404, grpc: 5, meaning: 'No such thing is here, or no longer.' },
  unsupported_media_type: {
    http: 415,
    grpc: 3,
    meaning: 'What is sent says of itself that it is what is not taken here.',
  },
  key_reused: { http: 422, grpc: 9, meaning: 'The key of a repeated request belongs to another one.' },
  already_there: { http: 409, grpc: 6, meaning: 'There is one of this name already.' },
  already_running: { http: 409, grpc: 9, meaning: 'The same is being done already; wait for its end.' },
  audit_failed: {
    http: 503,
    grpc: 14,
    meaning: 'What is done cannot be written to the audit, and the settings say that it is not done then.',
  },
  not_authenticated: { http: 401, grpc: 16, meaning: 'The name or the secret is wrong.' },
  not_allowed: { http: 403, grpc: 7, meaning: 'Policy says no to this sender or reader.' },
  peer_unreachable: { http: 502, grpc: 14, meaning: 'A partner, broker or database does not answer; it is retried.' },
  peer_refused: {
    http: 502,
    grpc: 9,
    meaning: 'A partner, broker or database answers that it will not take what it is given.',
  },
  backup_failed: {
    http: 503,
    grpc: 14,
    meaning: 'The backup could not be written; one that was made before is still whole.',
  },
  backup_damaged: { http: 500, grpc: 15, meaning: 'The backup is not whole; nothing was restored.' },
} as const satisfies Record<string, { http: number; grpc: number; meaning: string }>

export type ErrorCode = keyof typeof errors

export class GatewayError extends Error {
  readonly code: ErrorCode

  /** `message` says what was wrong, where, and what to do; it never quotes payloads or secrets. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GatewayError'
    this.code = code
  }
}
