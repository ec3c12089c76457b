import type { Clock } from '../../kernel/clock.ts'
import type { Follower } from '../follow/follower.ts'
import { fileSink } from './file.ts'
import type { SinkOptions } from './options.ts'
import { otlpSink } from './otlp.ts'
import { syslogSink } from './syslog.ts'
import { type Foreign, webhookSink } from './webhook.ts'

export interface SinksParts {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** An event in the Open Cybersecurity Schema Framework's form. */
  readonly ocsf: Foreign
}

/** The sinks of a configuration, as followers of the record. Throws a Fault where a secret or a certificate cannot be had. */
export function openSinks(options: readonly SinkOptions[], parts: SinksParts): readonly Follower[] {
  return options.map((one) => {
    switch (one.kind) {
      case 'file':
        return fileSink(one, parts.clock)
      case 'syslog':
        return syslogSink(one, parts.clock)
      case 'webhook':
        return webhookSink(one, parts)
      case 'otlp':
        return otlpSink(one, parts)
      default:
        return one satisfies never
    }
  })
}
