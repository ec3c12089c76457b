import { request } from 'undici'

/** What of these somebody may, by name. Who is asked to prove themself better may, once they have. */
export async function may(
  url: string,
  headers: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, readonly [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string]>>,
): Promise<string> {
  const allowed: string[] = []
  for (const [name, [method, path]] of Object.entries(asked)) {
    const answer = await request(url + path, { method, headers })
    const { code } = (await answer.body.json()) as { code?: string }
    if (answer.statusCode < 300 || code === 'step-up-required') allowed.push(name)
    else if (code !== 'permission-required') throw new Error(`${method} ${path} answered ${answer.statusCode} ${code}`)
  }
  return allowed.join(' ')
}
