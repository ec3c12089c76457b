/** Where a part says what an operator should read. The fields are redacted by whoever writes them out. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export type LogFields = Readonly<Record<string, unknown>>

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
