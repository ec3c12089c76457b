import { type Denial, plainRefusalOf } from '../../gate/denial.ts'
import { type Code, catalogue, type Refusal } from '../../kernel/error.ts'
import { type Problem, problemMediaType, problemOf } from '../../wire/problem.ts'

/**
 * A function was not for whoever called it. Each framework answers it by itself as what it is: Express reads `status`, Fastify
 * `statusCode`, Hono `getResponse()`. The message is public; why, the record knows.
 */
export class NotAllowed extends Error {
  override readonly name = 'NotAllowed'
  readonly #denial: Denial
  readonly #refusal: Refusal

  constructor(denial: Denial) {
    const refusal = plainRefusalOf(denial)
    super(refusal.detail)
    this.#denial = denial
    this.#refusal = refusal
  }

  get code(): Code {
    return this.#refusal.code
  }

  get status(): number {
    return catalogue[this.#refusal.code].status
  }

  get statusCode(): number {
    return this.status
  }

  /** The problem document (RFC 9457). */
  get problem(): Problem {
    return problemOf(this.#refusal, '')
  }

  getResponse(): Response {
    const headers = { 'content-type': problemMediaType, 'cache-control': 'no-store' }
    return new Response(JSON.stringify(this.problem), { status: this.status, headers })
  }

  /** The decision behind what was thrown, for the record; undefined where something else was. */
  static denialOf(error: unknown): Denial | undefined {
    return error instanceof NotAllowed ? error.#denial : undefined
  }
}
