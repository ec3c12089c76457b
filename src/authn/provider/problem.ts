import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { Unreachable } from './bounded-fetch.ts'

/** Why nobody was vouched for. All are one to the person; the detail is for the log, and holds no token. */
export interface ProviderProblem {
  readonly problem:
    | 'state-mismatch'
    | 'denied'
    | 'issuer-mismatch'
    | 'nonce'
    | 'exchange-failed'
    | 'unavailable'
    | 'disabled'
  readonly detail: string
}

export function problem(name: ProviderProblem['problem'], detail: string): ProviderProblem {
  return { problem: name, detail: clean(detail) }
}

/** What an exchange failed of. */
export function problemOf(error: unknown): ProviderProblem {
  const chain = causesOf(error)
  return { problem: nameOf(chain), detail: detailOf(chain) }
}

/** Causes from the outside in. */
export function detailOf(chain: readonly unknown[]): string {
  return clean([...new Set(chain.flatMap(wordsOf))].join(': '))
}

/** An error and what it was caused by, a few steps deep. */
export function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = []
  for (let cause = error; cause !== undefined && chain.length < 6; ) {
    chain.push(cause)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return chain
}

function nameOf(chain: readonly unknown[]): ProviderProblem['problem'] {
  for (const error of chain) {
    if (error instanceof Unreachable || (isObject(error) && timeouts.has(error['code'] ?? error['name']))) {
      return 'unavailable'
    }
    if (error instanceof AuthorizationResponseError) return answers.get(error.error) ?? 'exchange-failed'
    if (isObject(error) && error['claim'] === 'nonce') return 'nonce'
    if (isObject(error) && error['claim'] === 'iss') return 'issuer-mismatch'
    const claims = isObject(error) ? error['claims'] : undefined
    if (isObject(claims) && isObject(error) && error['claim'] === undefined && claims['nonce'] === undefined)
      return 'nonce'
  }
  return 'exchange-failed'
}

const timeouts: ReadonlySet<unknown> = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'TimeoutError', 'AbortError'])

/** What a provider says instead of sending a code (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6). */
const answers: ReadonlyMap<string, ProviderProblem['problem']> = new Map([
  ['access_denied', 'denied'],
  ['login_required', 'denied'],
  ['interaction_required', 'denied'],
  ['account_selection_required', 'denied'],
  ['consent_required', 'denied'],
  ['server_error', 'unavailable'],
  ['temporarily_unavailable', 'unavailable'],
])

/** Messages, and the error that the provider named: never a body, for tokens stand in it. */
function wordsOf(error: unknown): string[] {
  const said =
    error instanceof AuthorizationResponseError || error instanceof ResponseBodyError
      ? error
      : isObject(error) && isObject(error['body'])
        ? error['body']
        : {}
  const { error: code, error_description: description } = said as Readonly<Record<string, unknown>>
  return [error instanceof Error ? error.message : undefined, code, description].filter(
    (word): word is string => typeof word === 'string' && word !== '',
  )
}

/** A stranger's words in one line of bounded length. */
function clean(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .slice(0, 300)
    .toWellFormed()
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
