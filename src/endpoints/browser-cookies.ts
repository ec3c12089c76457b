import { deviceTtlMs } from '../authn/session/device-tokens.ts'
import type { SessionOptions } from '../authn/session/options.ts'
import { deviceCookie, sessionCookie } from '../gate/cookie-names.ts'
import { setCookie } from '../http/cookies.ts'

/** The fields by which a browser keeps its session, and is known again. */
export function letInFields(
  { absolute, sameSite }: SessionOptions,
  cookie: string,
  deviceToken: string | undefined,
): string[] {
  const fields = ['Set-Cookie', setCookie(sessionCookie, cookie, { maxAgeMs: absolute, sameSite })]
  if (deviceToken !== undefined)
    fields.push('Set-Cookie', setCookie(deviceCookie, deviceToken, { maxAgeMs: deviceTtlMs, sameSite: 'strict' }))
  return fields
}

/** The fields by which it forgets its session. */
export function signedOutFields(): string[] {
  return ['Set-Cookie', setCookie(sessionCookie, '', { maxAgeMs: 0, sameSite: 'strict' })]
}
