import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { TrialOutcome } from '../authz/policy/trial.ts'
import type { Log } from '../kernel/log.ts'
import { type FellowMeters, openFellowMeters } from './fellow-meters.ts'

/** What is counted. Labels are bounded: routes come from the configuration, codes from the catalogue. */
export interface Meters {
  /** Media type of what `exposition` answers. */
  readonly contentType: string
  /** All of it as Prometheus reads it: of every thread of the house, whichever is asked. */
  exposition(): Promise<string>
  /** One request of a route has ended. */
  request(route: string, status: number, seconds: number): void
  refusal(code: string): void
  /** Something was found in a request or its answer, and this was done about it. */
  finding(what: string, acted: 'refused' | 'redacted' | 'noted'): void
  signIn(result: 'success' | 'failure'): void
  /** Code was run in the sandbox: what came of it, `ok` or the code of its error. */
  codeRun(language: string, outcome: string, seconds: number): void
  /** A policy decided, and so did the document that is tried out beside it. */
  policyTrial(policy: string, outcome: TrialOutcome): void
  /** Reads these as well when somebody looks. */
  watch(gauges: Gauges): void
  close(): void
}

/** What a room knows of itself, read when somebody looks. */
export interface GaugeOptions {
  readonly help: string
  readonly read: () => number
  /** Whether every thread reads the same, memory that they share for one; else what they read adds up. */
  readonly shared?: boolean
}

/** By the name of each. */
export type Gauges = Readonly<Record<string, GaugeOptions>>

/** Among which threads of which house. */
interface Place {
  /** From 1. */
  readonly number: number
  readonly of: number
  readonly house: string
  readonly log: Log
}

export function openMeters(gauges: Gauges, place: Place): Meters {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  settleAggregation(registry, place.number === 1)
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
  const findings = new Counter({
    name: 'gatehouse_findings_total',
    help: 'What was found in requests and answers, and what was done about it',
    labelNames: ['what', 'acted'],
    registers: [registry],
  })
  const signIns = new Counter({
    name: 'gatehouse_sign_ins_total',
    help: 'Sign-ins by result',
    labelNames: ['result'],
    registers: [registry],
  })
  const codeRuns = new Counter({
    name: 'gatehouse_sandbox_runs_total',
    help: 'Code that was run in the sandbox, by language and outcome',
    labelNames: ['language', 'outcome'],
    registers: [registry],
  })
  const codeRunSeconds = new Histogram({
    name: 'gatehouse_sandbox_run_seconds',
    help: 'Time that code ran',
    labelNames: ['language'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10],
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
  const watch = (more: Gauges): void => {
    for (const [name, { help, read, shared = false }] of Object.entries(more)) {
      new Gauge({
        name,
        help,
        aggregator: shared ? 'first' : 'sum',
        registers: [registry],
        collect() {
          this.set(read())
        },
      })
    }
  }
  watch(gauges)
  // Label lookups by object cost a microsecond each: every pair is looked up once and kept.
  const children = new Map<
    string,
    { readonly byStatus: Map<number, Counter.Internal>; readonly duration: Histogram.Internal<'route'> }
  >()
  const trialChildren = new Map<string, Map<TrialOutcome, Counter.Internal>>()
  const fellows = place.of === 1 ? undefined : openFellowMeters({ ...place, own: () => registry.getMetricsAsJSON() })
  return {
    contentType: registry.contentType,
    exposition: () => (fellows === undefined ? registry.metrics() : ofAll(fellows, place)),
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
    finding: (what, acted) => findings.inc({ what, acted }),
    signIn: (result) => signIns.inc({ result }),
    codeRun(language, outcome, seconds) {
      codeRuns.inc({ language, outcome })
      codeRunSeconds.observe({ language }, seconds)
    },
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
    watch,
    close: () => fellows?.close(),
  }
}

/** What is of the process is told by the first thread alone, and of the loops of all threads the slowest counts. */
function settleAggregation(registry: Registry, isFirst: boolean): void {
  for (const metric of registry.getMetricsAsArray()) {
    if (metric.name.startsWith('process_')) {
      if (isFirst) metric.aggregator = 'first'
      else registry.removeSingleMetric(metric.name)
    } else if (metric.name.startsWith('nodejs_eventloop_lag') && metric.aggregator === 'average') {
      metric.aggregator = 'max'
    }
  }
}

async function ofAll(fellows: FellowMeters, { of, log }: Place): Promise<string> {
  const readings = await fellows.read()
  const numbers = Array.from({ length: of }, (_, at) => at + 1)
  const silent = numbers.filter((number) => !readings.has(number))
  if (silent.length > 0) log.warn({ threads: silent }, 'threads did not say in time what they have counted')
  const registry = AggregatorRegistry.aggregate([...readings.values()])
  const answered = new Gauge({
    name: 'gatehouse_thread_answered',
    help: 'Whether the numbers of a thread are among these',
    labelNames: ['thread'],
    registers: [registry],
  })
  for (const number of numbers) answered.set({ thread: number }, readings.has(number) ? 1 : 0)
  return registry.metrics()
}
