import { table } from './schema-parts.ts'

/** Where the log of boards and programs is listened for. */
export const syslogSchema = table(
  'A port, UDP and TCP, for boards and programs that write their log as syslog; off unless it is here',
  {
    listen: {
      type: 'string',
      pattern: '^[A-Za-z0-9.:_-]{1,253}$',
      description: 'address to listen on; default 127.0.0.1, this machine only',
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'port, 1 to 65535; default 5514' },
    allow: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        maxLength: 100,
        description: 'an address or network, e.g. 10.0.0.7 or 10.0.0.0/24',
      },
      description: 'addresses and networks whose messages are taken; default: this machine only',
    },
  },
)

export interface RawSyslog {
  listen?: string
  port?: number
  allow?: (string | undefined)[]
}
