import { type Refusal, refuse } from '../../kernel/error.ts'

/**
 * The signature does not hold. The caller reads the same for a service that is not there, a wrong secret, another message and
 * a replay; the log reads which.
 */
export function doesNotHold(reason: string): Refusal {
  return refuse('signature-invalid', { reason })
}

/** The signature cannot be read, or is not of now: no secret is told by saying so. */
export function notAcceptable(detail: string): Refusal {
  const short = detail.length > detailLengthMax ? `${detail.slice(0, detailLengthMax)}…` : detail // it may quote the caller
  return refuse('signature-invalid', { detail: short, reason: short })
}

export function required(...fields: readonly string[]): Refusal {
  return refuse('signature-required', { reason: `no ${fields.map((name) => `\`${name}\``).join(' and ')}` })
}

const detailLengthMax = 300
