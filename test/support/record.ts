import assert from 'node:assert/strict'
import { eventually } from './eventually.ts'
import type { TestHouse } from './house.ts'
import { signIn } from './process.ts'

/** An event as the API shows it. */
export interface ShownEvent {
  readonly id: string
  readonly seq: number
  readonly type: string
  readonly action: string
  readonly result: string
  readonly actor: { readonly id: string; readonly type: string }
  readonly address: string
  readonly at: string
  readonly details: Readonly<Record<string, unknown>>
  readonly private?: Readonly<Record<string, unknown>>
  readonly request_id: string
  readonly resource: { readonly id: string; readonly type: string }
  readonly user_agent: string
}

export interface ShownIncident {
  readonly id: string
  readonly type: string
  readonly severity: string
  readonly status: string
  readonly occurrences: number
  readonly targets: readonly { readonly type: string; readonly id: string }[]
}

/** Events that an administrator finds, at most a page of them; asked until there is one. */
export function eventsSoon(url: string, token: string, query: string): Promise<readonly ShownEvent[]> {
  return eventually(async () => {
    const { events } = await asked<{ readonly events: readonly ShownEvent[] }>(`${url}/api/admin/audit?${query}`, token)
    return events.length > 0 ? events : undefined
  })
}

/** The incidents of a type, asked until there is one. */
export function incidentsSoon(url: string, token: string, type: string): Promise<readonly ShownIncident[]> {
  return eventually(async () => {
    const path = `${url}/api/admin/incidents?type=${type}`
    const { incidents } = await asked<{ readonly incidents: readonly ShownIncident[] }>(path, token)
    return incidents.length > 0 ? incidents : undefined
  })
}

export async function asked<T>(url: string, token: string): Promise<T> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  return JSON.parse(text) as T
}

/** Somebody of the house, signed in. */
export async function member(
  { house, url }: TestHouse,
  email: string,
  roles: readonly string[],
): Promise<{ readonly id: string; readonly email: string; readonly password: string; readonly bearer: string }> {
  const password = 'a passphrase for this one'
  const name = email.split('@', 1)[0] as string
  const made = await house.accounts.create(house.store.db, { email, name, password, roles: [...roles], username: name })
  assert.ok('account' in made, JSON.stringify(made))
  const { access_token } = await signIn(url, { email, password })
  return { id: made.account.id, email, password, bearer: `Bearer ${access_token}` }
}
