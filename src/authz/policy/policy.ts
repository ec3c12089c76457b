/** What is known of a request, in four groups. A value is a text, a number, a boolean, a list of them, or a group of its own. */
export interface AttributeRequest {
  readonly subject: AttributeGroup
  readonly resource: AttributeGroup
  readonly action: AttributeGroup
  readonly environment: AttributeGroup
}

export type AttributeGroup = Readonly<Record<string, unknown>>

/** Whether a condition holds; undefined where an attribute that it needs is missing or of another type. */
export type Truth = boolean | undefined

export type Effect = 'permit' | 'deny'

export interface PolicyDecision {
  readonly effect: Effect
  /** The rule that decided, counted from 0 as in `rules[0]`; undefined where none did. */
  readonly rule: number | undefined
  readonly description: string | undefined
  readonly because: string
}

/** A policy, ready to be asked. */
export interface Policy {
  /** Pure, synchronous and total: no request makes it throw, and the same request has the same answer. */
  decide(request: AttributeRequest): PolicyDecision
  /** The same decision, and how it came about: for operators, never for the caller. It looks at every rule in turn. */
  explain(request: AttributeRequest): PolicyExplanation
  /** The attributes that some rule reads. What is not here need not be looked up. */
  readonly attributes: ReadonlySet<string>
}

export interface PolicyExplanation {
  readonly decision: PolicyDecision
  /** In the order of the document, up to the one that decided. */
  readonly rules: readonly ExplainedRule[]
  /** How many more were looked at than are listed. */
  readonly unlisted: number
}

export interface ExplainedRule {
  readonly rule: number
  readonly description: string | undefined
  readonly effect: Effect
  readonly outcome: Outcome
  readonly condition: ExplainedCondition
}

export interface ExplainedCondition {
  /** As a line to read: `subject.role equals "admin"`, or `all` of those below it. */
  readonly condition: string
  readonly outcome: Outcome
  /** What the request said, without secrets and cut short; an attribute that it did not have is not here. */
  readonly values: Readonly<Record<string, unknown>>
  readonly conditions: readonly ExplainedCondition[]
}

export type Outcome = 'holds' | 'fails' | 'undefined'
