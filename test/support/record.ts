import assert from 'node:assert/strict'
import { eventually } from './eventually.ts'

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
