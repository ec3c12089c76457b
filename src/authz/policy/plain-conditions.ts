import type { Condition } from './condition.ts'
import { keyed } from './guard.ts'

/** A longer list than this is not compared with those of other rules. */
const sharedItemsMax = 16

/**
 * Says conditions the plainest way: `not` stands before nothing but what asks by itself, and what several rules ask alike, and
 * is not looked up, is one condition. De Morgan's laws hold for what is undefined too.
 */
export class PlainConditions {
  readonly #shared = new Map<string, Condition>()

  plain(condition: Condition): Condition {
    switch (condition.operator) {
      case 'all':
      case 'any':
        return { ...condition, conditions: condition.conditions.map((one) => this.plain(one)) }
      case 'not':
        return this.#opposite(condition.condition)
      case 'not_equals':
        return this.#opposite({ ...condition, operator: 'equals' })
      case 'exists':
        return condition.expected ? this.#one(condition) : this.#opposite({ ...condition, expected: true })
      default:
        return keyed(condition) === undefined ? this.#one(condition) : condition
    }
  }

  #opposite(condition: Condition): Condition {
    switch (condition.operator) {
      case 'all':
      case 'any': {
        const conditions = condition.conditions.map((one) => this.#opposite(one))
        return { operator: condition.operator === 'all' ? 'any' : 'all', conditions }
      }
      case 'not':
        return this.plain(condition.condition)
      case 'not_equals':
        return this.plain({ ...condition, operator: 'equals' })
      case 'exists':
        if (!condition.expected) return this.plain({ ...condition, expected: true })
        return { operator: 'not', condition: this.#one(condition) }
      default:
        return { operator: 'not', condition: this.#one(condition) }
    }
  }

  #one(condition: Condition): Condition {
    if ('value' in condition && condition.value.kind === 'list' && condition.value.items.length > sharedItemsMax)
      return condition
    if (condition.operator === 'in_network' && condition.networks.length > sharedItemsMax) return condition
    const text = JSON.stringify(condition)
    const known = this.#shared.get(text)
    if (known === undefined) this.#shared.set(text, condition)
    return known ?? condition
  }
}
