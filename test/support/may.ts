import { fetchElsewhere } from './process.ts'

/** What of these somebody may, by name. Who is asked to prove themself better may, once they have. */
export async function may(
  url: string,
  headers: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, readonly [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string]>>,
): Promise<string> {
  const allowed: string[] = []
  for (const [name, [method, path]] of Object.entries(asked)) {
    const answer = await fetchElsewhere(url + path, { method, headers })
    const { code } = (await answer.json()) as { code?: string }
    if (answer.status < 300 || code === 'step-up-required') allowed.push(name)
    else if (code !== 'permission-required') throw new Error(`${method} ${path} answered ${answer.status} ${code}`)
  }
  return allowed.join(' ')
}
