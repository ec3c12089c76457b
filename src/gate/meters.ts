import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { TrialOutcome } from '../authz/policy/trial.ts'

/** What is counted. Labels are bounded: routes come from the configuration, codes from the catalogue. */
export interface Meters {
  readonly registry: Registry
  /** One request of a route has ended. */
  request(route: string, status: number, seconds: number): void
  refusal(code: string): void
  signIn(result: 'success' | 'failure'): void
  /** A policy decided, and so did the document that is tried out beside it. */
  policyTrial(policy: string, outcome: TrialOutcome): void
}

/** `gauges` are read when somebody looks: what the rooms know of themselves. */
export function openMeters(
  gauges: Readonly<Record<string, { readonly help: string; readonly read: () => number }>>,
): Meters {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'gatehouse_requests_total',
    help: 'Requests by route and class of status',
    labelNames: ['route', 'status'],
    registers: [registry],
  })
  const refusals = new Counter({
    name: 'gatehouse_refusals_total',
    help: 'Requests refused, by code',
    labelNames: ['code'],
    registers: [registry],
  })
  const signIns = new Counter({
    name: 'gatehouse_sign_ins_total',
    help: 'Sign-ins by result',
    labelNames: ['result'],
    registers: [registry],
  })
  const trials = new Counter({
    name: 'gatehouse_policy_trial_total',
    help: 'Decisions of policies that are tried out, by what they would change',
    labelNames: ['policy', 'outcome'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'gatehouse_request_duration_seconds',
    help: 'From arrival to the last byte of the answer',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  for (const [name, { help, read }] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  // Label lookups by object cost a microsecond each: every pair is looked up once and kept.
  const children = new Map<
    string,
    { readonly byStatus: Map<number, Counter.Internal>; readonly duration: Histogram.Internal<'route'> }
  >()
  const trialChildren = new Map<string, Map<TrialOutcome, Counter.Internal>>()
  return {
    registry,
    request(route, status, seconds) {
      let child = children.get(route)
      if (child === undefined) {
        child = { byStatus: new Map(), duration: durations.labels(route) }
        children.set(route, child)
      }
      let counter = child.byStatus.get(status)
      if (counter === undefined) {
        counter = requests.labels(route, String(status))
        child.byStatus.set(status, counter)
      }
      counter.inc()
      child.duration.observe(seconds)
    },
    refusal: (code) => refusals.inc({ code }),
    signIn: (result) => signIns.inc({ result }),
    policyTrial(policy, outcome) {
      let byOutcome = trialChildren.get(policy)
      if (byOutcome === undefined) {
        byOutcome = new Map()
        trialChildren.set(policy, byOutcome)
      }
      let counter = byOutcome.get(outcome)
      if (counter === undefined) {
        counter = trials.labels(policy, outcome)
        byOutcome.set(outcome, counter)
      }
      counter.inc()
    },
  }
}
