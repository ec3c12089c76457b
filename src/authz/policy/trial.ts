import type { Clock } from '../../kernel/clock.ts'
import { clean } from './explain.ts'
import type { AttributeGroup, AttributeRequest, Effect, Policy, PolicyDecision } from './policy.ts'

/** Where and when a decision was made. */
export interface Circumstances {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly requestId: string
  /** The route, or what else asked. */
  readonly asker: string
}

/** A policy in the shadow of another: asked whatever that one is asked, and heeded by nobody. */
export interface Trial {
  readonly policy: Policy
  /** Asks the shadow too. Whatever becomes of that, the decision stands: it never throws. */
  observe(request: AttributeRequest, decision: PolicyDecision, circumstances: Circumstances): void
  /** What it came to on this node. */
  report(): TrialReport
}

export type TrialOutcome = 'same' | 'would_permit' | 'would_deny' | 'error'

export interface TrialReport {
  /** Milliseconds since the epoch: when the two documents were first asked beside each other here. */
  readonly since: number
  readonly outcomes: Readonly<Record<TrialOutcome, number>>
  /** The last of them, the newest first. */
  readonly differences: readonly Difference[]
}

/** A request that the two decide differently, without secrets. */
export interface Difference extends Circumstances {
  readonly subject: AttributeGroup
  readonly action: unknown
  readonly resource: AttributeGroup
  readonly decision: Told
  readonly trial: Told
}

interface Told {
  readonly effect: Effect
  readonly because: string
}

/** How many differences are listed. */
export const differencesMax = 100

/**
 * Runs a policy in the shadow of another. `count` is told what became of each decision. One that takes long is asked less
 * often: whatever its document says, it takes no more than a twentieth of the time.
 */
export function openTrial(policy: Policy, clock: Clock, count: (outcome: TrialOutcome) => void): Trial {
  const startedAt = clock.now()
  const outcomes: Record<TrialOutcome, number> = { same: 0, would_permit: 0, would_deny: 0, error: 0 }
  const differences: Kept[] = []
  let restsUntil = Number.NEGATIVE_INFINITY

  function outcomeOf(request: AttributeRequest, decision: PolicyDecision, circumstances: Circumstances): TrialOutcome {
    try {
      const trial = policy.decide(request)
      if (trial.effect === decision.effect) return 'same'
      differences.push({ ...circumstances, ...picked(request), decision: toldOf(decision), trial: toldOf(trial) })
      if (differences.length > differencesMax) differences.shift()
      return trial.effect === 'permit' ? 'would_permit' : 'would_deny'
    } catch {
      return 'error'
    }
  }

  return {
    policy,
    observe(request, decision, circumstances) {
      const began = clock.monotonic()
      if (began < restsUntil) return
      const outcome = outcomeOf(request, decision, circumstances)
      const ended = clock.monotonic()
      if (ended - began > longMs) restsUntil = ended + restFactor * (ended - began)
      outcomes[outcome]++
      count(outcome)
    },
    report: () => ({
      since: startedAt,
      outcomes: { ...outcomes },
      differences: differences.map(shown).reverse(),
    }),
  }
}

type Kept = Difference

/** What is kept of a request. Secrets are taken out when somebody looks: most differences are seen by nobody. */
function picked({ subject, action, resource }: AttributeRequest): Pick<Kept, 'subject' | 'action' | 'resource'> {
  const { id, type } = subject
  return {
    subject: { id: cut(id), type: cut(type) },
    action: cut(action['name']),
    resource: { type: cut(resource['type']), id: cut(resource['id']), owner_id: cut(resource['owner_id']) },
  }
}

function shown(kept: Kept): Difference {
  return {
    ...kept,
    subject: cleaned('subject', kept.subject),
    action: clean(['action.name'], kept.action),
    resource: cleaned('resource', kept.resource),
  }
}

function cleaned(root: string, group: AttributeGroup): AttributeGroup {
  return Object.fromEntries(
    Object.entries(group).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, clean([`${root}.${name}`], value)]],
    ),
  )
}

function toldOf({ effect, because }: PolicyDecision): Told {
  return { effect, because }
}

/** Nobody fills the memory with names. */
function cut(value: unknown): unknown {
  return typeof value === 'string' && value.length > textLengthMax ? value.slice(0, textLengthMax) : value
}

const textLengthMax = 2_000
/** A pause of the machine is seldom as long. */
const longMs = 5
const restFactor = 19
