import type { AuditEvent, AuditType } from '../../audit/event.ts'
import { compileConditions, type Matches, typesOf } from './condition.ts'
import { countWatch } from './count.ts'
import { distinctWatch } from './distinct.ts'
import { keyReader, type Reader, readerOf } from './fields.ts'
import type { Geolocation } from './geolocation.ts'
import { jumpWatch } from './jump.ts'
import type { NamedRule } from './options.ts'
import { travelWatch } from './travel.ts'
import { UnseenWatch } from './unseen.ts'
import type { Watch } from './watch.ts'

/** A rule, worked out: what it asks of events, and what it has seen. */
export interface Rule extends NamedRule {
  /** The types of the events that are about it. */
  readonly types: ReadonlySet<AuditType>
  /** Whether an event is to be taken. */
  readonly takes: Matches
  /** Whether a key, or what the event names of it, begins anew after it. */
  readonly forgives: Matches | undefined
  /** '' where an event has no such key: it is passed over. */
  readonly keyOf: Reader
  readonly watch: Watch | { readonly unseen: UnseenWatch; readonly valueOf: Reader }
}

export function compileRule({ name, rule }: NamedRule, geolocation: Geolocation | undefined): Rule {
  const matches = compileConditions(rule.when)
  const without = 'without' in rule ? rule.without : undefined
  const of = rule.kind === 'jump' ? rule.of : undefined
  const ofMatches = of && compileConditions(of)
  return {
    name,
    rule,
    types: typesOf([...rule.when, ...(without ?? []), ...(of ?? [])]),
    takes: ofMatches === undefined ? matches : (event: AuditEvent) => matches(event) || ofMatches(event),
    forgives: without && compileConditions(without),
    keyOf: keyReader(rule.by, geolocation),
    watch: watchOf(),
  }

  function watchOf(): Rule['watch'] {
    switch (rule.kind) {
      case 'count':
        return countWatch(rule.threshold, rule.window)
      case 'distinct': {
        const readers = rule.distinct.map((field) => readerOf(field, geolocation))
        return distinctWatch(readers, rule.threshold, rule.window)
      }
      case 'jump': {
        const { factor, windows, least, window: windowMs } = rule
        return jumpWatch({ matches, of: ofMatches, factor, windows, least, windowMs })
      }
      case 'travel': {
        const { kmPerHour, kmMin, window: windowMs } = rule
        return travelWatch({ kmPerHour, kmMin, windowMs }, geolocation)
      }
      case 'unseen':
        return { unseen: new UnseenWatch(name, rule), valueOf: readerOf(rule.value, geolocation) }
    }
  }
}
