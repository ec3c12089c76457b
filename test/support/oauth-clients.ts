// What clients say to the authorization server, byte by byte where no client library would say it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { allow, type OauthHouse, redirectUri } from './oauth.ts'
import type { Walker } from './walker.ts'

export type Parameters = Readonly<Record<string, string | undefined>>

/** Clients of each kind: two that are public, one that acts for people and can show who it is, and one that acts for itself. */
export const clients = [
  ...['web-app', 'other-app'].map((id) => ({
    id,
    name: id,
    redirectUris: [redirectUri],
    scopes: ['widgets:read', 'widgets:write'],
  })),
  {
    id: 'portal',
    name: 'Portal',
    redirectUris: [redirectUri],
    scopes: ['widgets:read', 'widgets:write'],
    secrets: [{ env: 'BACKEND_SECRET' }],
  },
  {
    id: 'backend',
    name: 'Back End',
    grants: ['client_credentials' as const],
    scopes: ['widgets:read'],
    secrets: [{ env: 'BACKEND_SECRET' }],
  },
]

export const scopes = {
  'widgets:read': { description: 'See your widgets' },
  'widgets:write': { description: 'Change your widgets' },
}

export const codeVerifier = 'a-verifier-of-more-than-forty-three-characters-0'
export const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')

/** A form, a text as it is, or an object that goes as JSON. */
export type Sent = URLSearchParams | Parameters | string | { readonly json: object }

export interface Said {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Empty where the answer is. */
  readonly body: Readonly<Record<string, unknown>>
}

export function basic(id: string, secret: string): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

/** What a client that knows what it does asks of the authorization endpoint; `undefined` leaves a parameter out. */
export function requested(parameters: Parameters = {}): URLSearchParams {
  return form({
    client_id: 'web-app',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'widgets:read',
    state: 'a state of the client',
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...parameters,
  })
}

export function authorizeUrl(house: OauthHouse, parameters: Parameters = {}): URL {
  return new URL(`/oauth/authorize?${requested(parameters)}`, house.issuer)
}

export async function post(
  house: OauthHouse,
  path: string,
  sent: Sent,
  headers: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const { type, body } = written(sent)
  return said(
    await fetch(`${house.issuer}${path}`, { method: 'POST', headers: { 'content-type': type, ...headers }, body }),
  )
}

export async function said(answer: Response): Promise<Said> {
  const text = await answer.text()
  const body = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: answer.status, headers: answer.headers, text, body }
}

/** A code that a person has agreed to. */
export async function codeOf(house: OauthHouse, walker: Walker, request: Parameters | URL = {}): Promise<string> {
  const url = request instanceof URL ? request : authorizeUrl(house, request)
  const back = await allow(walker, url)
  return back.searchParams.get('code') ?? assert.fail(back.href)
}

export function redeem(house: OauthHouse, code: string, more: Parameters = {}, headers = {}): Promise<Said> {
  const usual = { client_id: 'web-app', code, redirect_uri: redirectUri, code_verifier: codeVerifier }
  return post(house, '/oauth/token', { grant_type: 'authorization_code', ...usual, ...more }, headers)
}

export function refresh(house: OauthHouse, token: string, more: Parameters = {}, headers = {}): Promise<Said> {
  const usual = { grant_type: 'refresh_token', client_id: 'web-app', refresh_token: token }
  return post(house, '/oauth/token', { ...usual, ...more }, headers)
}

/** What a client was given, once a person has agreed. */
export async function tokensFor(
  house: OauthHouse,
  walker: Walker,
  request: Parameters = {},
  more: Parameters = {},
  headers = {},
): Promise<{ readonly access: string; readonly refresh: string }> {
  const code = await codeOf(house, walker, { client_id: more['client_id'] ?? 'web-app', ...request })
  const { status, body, text } = await redeem(house, code, more, headers)
  assert.equal(status, 200, text)
  return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
}

/** The status with which the API answers a token. */
export async function callApi(
  house: OauthHouse,
  token: string,
  { scheme = 'Bearer', method = 'GET', path = '/widgets', headers = {} } = {},
): Promise<number> {
  const authorization = `${scheme} ${token}`
  const answer = await fetch(`${house.issuer}${path}`, { method, headers: { authorization, ...headers } })
  await answer.body?.cancel()
  return answer.status
}

/** The payload of a JWT, unchecked. */
export function payloadOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

function written(sent: Sent): { readonly type: string; readonly body: string } {
  const type = 'application/x-www-form-urlencoded'
  if (typeof sent === 'string') return { type, body: sent }
  if ('json' in sent && typeof sent.json === 'object')
    return { type: 'application/json', body: JSON.stringify(sent.json) }
  return { type, body: form(sent as Parameters).toString() }
}

function form(parameters: URLSearchParams | Parameters): URLSearchParams {
  if (parameters instanceof URLSearchParams) return parameters
  const sent = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) sent.set(name, value)
  return sent
}
