import { type DestinationStream, pino } from 'pino'
import type { Log, LogFields } from './log.ts'
import { redact, redactText } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * Structured logs: one JSON object a line. The redaction stands here, at the one door that every line leaves by, and not
 * with those who write: they forget. `base` stands on every line.
 */
export function openLogger(
  level: LogLevel,
  destination?: DestinationStream,
  base?: { readonly thread: number | string },
): Log {
  const logger = pino(
    {
      level,
      base: base ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => error }, // ours has passed `redact` by then

      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  )
  const write = (at: 'debug' | 'info' | 'warn' | 'error') => (fields: LogFields, message: string) => {
    if (logger.isLevelEnabled(at)) logger[at](redact(fields) as object, redactText(message))
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
