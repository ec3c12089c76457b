import type { Evidence } from './evidence.ts'

/** What stands between two logical operators: whether all of it is constant, and whether any of it counts as true. */
export class Condition {
  #constant: boolean
  #truth = false
  #operands: number
  #compares = 0
  #behindLogic = false
  readonly #evidence: Evidence

  constructor(evidence: Evidence, literalBefore: boolean, operandFirst: boolean) {
    this.#evidence = evidence
    this.#constant = literalBefore || operandFirst
    this.#operands = literalBefore ? 1 : 0
  }

  get behindLogic(): boolean {
    return this.#behindLogic
  }

  operand(constant: boolean, truth: boolean): void {
    this.#constant &&= constant
    this.#truth ||= truth
    this.#operands++
  }

  compare(): void {
    this.#compares++
  }

  /** Of what it holds nobody knows. */
  cloud(): void {
    this.#constant = false
  }

  /** Ends it; `behindLogic` where what follows is a condition again. */
  end(behindLogic = false): void {
    if (this.#constant && this.#operands > 0) {
      if (this.#compares > 0) this.#evidence.constantCompare++
      else if (this.#behindLogic && this.#truth) this.#evidence.constantClause++
    }
    this.#constant = true
    this.#truth = false
    this.#operands = 0
    this.#compares = 0
    this.#behindLogic = behindLogic
  }
}
