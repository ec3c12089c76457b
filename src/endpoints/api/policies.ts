import { setImmediate as breathe } from 'node:timers/promises'
import type { DocumentView, PolicyView } from '../../authz/policy/book.ts'
import type { PolicyExplanation } from '../../authz/policy/policy.ts'
import type { TrialReport } from '../../authz/policy/trial.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/policies.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { type PolicyAuthor, policyAuthorAt } from '../desk/policies.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { json, text } from './reply.ts'

type Keeps = keyof typeof wire.policies

/** Policies, for administrators. */
export function policyEndpoints({ policies, diary, rooms }: Desk): Record<Keeps, Answerer> {
  const author = (exchange: Exchange): PolicyAuthor => policyAuthorAt(diary, visitorOf(exchange))
  const listed = (view: PolicyView): Record<string, unknown> => ({
    ...policyOf(view),
    asked_by: rooms.policyAskers(view.name),
  })
  const answered = (outcome: PolicyView | Refusal): ReturnType<Answerer> =>
    isRefusal(outcome) ? outcome : json(200, listed(outcome))

  return {
    async listPolicies() {
      return json(200, { policies: (await policies.list()).map(listed) })
    },

    async showPolicy({ params }) {
      const view = await policies.show(nameOf(params))
      if (view === undefined) return refuse('not-found', { detail: 'no policy of the configuration has this name' })
      return json(200, withDocuments(listed(view), view))
    },

    async putPolicy(exchange) {
      const { document, expect } = input<typeof wire.policyBody>(exchange)
      return answered(await policies.put(author(exchange), nameOf(exchange.params), document, expect))
    },

    async removePolicy(exchange) {
      return answered(await policies.remove(author(exchange), nameOf(exchange.params)))
    },

    showPolicyTrial({ params }) {
      const report = policies.report(nameOf(params))
      return isRefusal(report) ? report : json(200, reportOf(report))
    },

    async tryPolicy(exchange) {
      const { document, expect } = input<typeof wire.policyBody>(exchange)
      return answered(await policies.tryOut(author(exchange), nameOf(exchange.params), document, expect))
    },

    async endPolicyTrial(exchange) {
      return answered(await policies.endTrial(author(exchange), nameOf(exchange.params)))
    },

    async adoptPolicyTrial(exchange) {
      const { expect } = input<typeof wire.adoptBody>(exchange)
      return answered(await policies.adopt(author(exchange), nameOf(exchange.params), expect))
    },

    async explainPolicy(exchange) {
      const { request, which } = input<typeof wire.explainBody>(exchange)
      const explanation = await policies.explain(nameOf(exchange.params), request, which)
      return isRefusal(explanation) ? explanation : json(200, explanationOf(explanation))
    },

    async recordedRequests({ params }) {
      const lines = policies.recorded(nameOf(params))
      if (isRefusal(lines)) return lines
      const answer = text(200, 'application/x-ndjson', await joined(lines))
      answer.headers.push('Cache-Control', 'no-store')
      return answer
    },
  }
}

/** A policy as the API, and the command, tell of it. */
export function policyOf({ name, origin, document, trial, record }: PolicyView): Record<string, unknown> {
  return {
    name,
    origin,
    ...(document === undefined ? { status: 'unwritten' } : documentOf(document)),
    ...(trial === undefined ? {} : { trial: { origin: trial.origin, ...documentOf(trial) } }),
    record,
  }
}

/** With what was written, beside what is told of it. */
export function withDocuments(told: Record<string, unknown>, { document, trial }: PolicyView): Record<string, unknown> {
  return {
    ...told,
    ...(document === undefined ? {} : { document: writtenOf(document) }),
    ...(trial === undefined ? {} : { trial: { ...(told['trial'] as object), document: writtenOf(trial) } }),
  }
}

function documentOf({ fingerprint, ruleCount, since }: DocumentView): Record<string, unknown> {
  return {
    status: ruleCount === undefined ? 'unreadable' : 'active',
    ...(ruleCount === undefined ? {} : { rules: ruleCount }),
    fingerprint,
    since: isoOf(since),
  }
}

/** A document that is no JSON any more is shown as the text that it is. */
function writtenOf({ text }: DocumentView): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function reportOf({ since, outcomes, differences }: TrialReport): Record<string, unknown> {
  const { same, would_permit, would_deny, error } = outcomes
  return {
    since: isoOf(since),
    decisions: same + would_permit + would_deny + error,
    same,
    would_permit,
    would_deny,
    errors: error,
    differences: differences.map(({ at, requestId, asker, ...rest }) => ({
      at: isoOf(at),
      request_id: requestId,
      asked_by: asker,
      ...rest,
    })),
  }
}

function explanationOf({ decision, rules, unlisted }: PolicyExplanation): Record<string, unknown> {
  return { decision: { ...decision, rule: decision.rule ?? null }, rules, unlisted }
}

/** Many lines are written in turns with what else there is to do. */
async function joined(lines: Iterable<string>): Promise<string> {
  const written: string[] = []
  for (const line of lines) {
    written.push(`${line}\n`)
    if (written.length % linesAtOnce === 0) await breathe()
  }
  return written.join('')
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function nameOf(params: Exchange['params']): string {
  return params['name'] ?? '' // what can be no name is the name of nothing
}

const linesAtOnce = 100
