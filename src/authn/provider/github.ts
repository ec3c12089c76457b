import type { Send } from './bounded-fetch.ts'
import { requestTimeoutS } from './connection.ts'
import type { ProviderEndpoints } from './options.ts'
import { emailFrom, nameFrom, type ProviderIdentity } from './vouched.ts'

/**
 * Asks GitHub's API whose access token it is. The login name can be given away and taken by somebody else: the person is
 * the number.
 */
export async function askGithub(
  send: Send,
  { user, emails }: ProviderEndpoints,
  accessToken: string,
): Promise<Pick<ProviderIdentity, 'subject' | 'email' | 'emailVerified' | 'name'>> {
  const [person, addresses] = await Promise.all([ask(send, user, accessToken), ask(send, emails, accessToken)])
  const { id, name, login } = isObject(person) ? person : {}
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0) {
    throw new Error('expected a number as the `id` of the user, got none')
  }
  const primary = Array.isArray(addresses)
    ? addresses.find((address: unknown) => isObject(address) && address['primary'] === true)
    : undefined
  const email = emailFrom(primary?.email)
  return {
    subject: String(id),
    email,
    emailVerified: email !== undefined && primary?.verified === true,
    name: nameFrom(name) ?? nameFrom(login),
  }
}

/** The JSON of an answer; undefined where the API says no, as it does for addresses that the person did not open to us. */
async function ask(send: Send, address: string, accessToken: string): Promise<unknown> {
  const answer = await send(address, {
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${accessToken}`,
      'user-agent': 'gatehouse',
      'x-github-api-version': '2022-11-28',
    },
    signal: AbortSignal.timeout(requestTimeoutS * 1000),
  })
  return answer.status === 200 ? answer.json() : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
