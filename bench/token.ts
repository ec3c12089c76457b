import { createHmac } from 'node:crypto'
import { systemClock } from '../src/kernel/clock.ts'

/** A token like the ones that Gatehouse issues, for those that only verify them. It is good for twelve hours. */
export function signToken(secret: string, permissions: readonly string[]): string {
  const now = Math.floor(systemClock.now() / 1000)
  const head = base64url({ alg: 'HS256', typ: 'at+jwt' })
  const claims = base64url({
    iss: 'gatehouse',
    aud: 'gatehouse',
    sub: '01980000-0000-7000-8000-000000000001',
    sid: '01980000-0000-7000-8000-000000000002',
    jti: '01980000-0000-7000-8000-000000000003',
    roles: ['reader'],
    permissions,
    iat: now,
    exp: now + 43_200,
  })
  return `${head}.${claims}.${createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url')}`
}

/** The same token with a signature that does not fit. */
export function forged(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
