import type { Settings } from '../config/settings.ts'
import type { Listener } from '../endpoints/listener.ts'
import { compileUserAgents } from '../shield/user-agents.ts'
import type { Terminal } from './command.ts'
import type { FirstAdministrator } from './first-administrator.ts'

interface Welcome {
  readonly listener: Listener
  readonly threads: number
  readonly admin: FirstAdministrator | undefined
  readonly settings: Settings
  readonly demo: boolean
  readonly firstPath: string
  readonly dataDir: string
  readonly warnings: readonly string[]
}

/** Says where the gate is, who may come in first, and three lines that show it at work. */
export function welcome(
  terminal: Terminal,
  { listener, threads, admin, settings, demo, firstPath, dataDir, warnings }: Welcome,
): void {
  const host = listener.host === '0.0.0.0' || listener.host === '::' ? '127.0.0.1' : listener.host
  const address = `${listener.protocol}://${host.includes(':') ? `[${host}]` : host}:${listener.port}`
  const behind = Object.values(settings.upstreams).map(({ url }) => url)
  const lines = ['', `Gatehouse is open at ${address}`]
  if (listener.redirectPort !== undefined) lines.push(`Whoever comes to port ${listener.redirectPort} is sent there`)
  if (threads > 1) lines.push(`Threads: ${threads}`)
  if (demo)
    lines.push(`Behind it stands a small demo API. Put your own there:  npm start -- --upstream http://127.0.0.1:3000`)
  else if (behind.length > 0) lines.push(`Behind it: ${behind.join(', ')}`)
  lines.push(`Store and secrets: ${dataDir}`, '')
  for (const warning of warnings) lines.push(`warning: ${warning}`)
  if (admin?.password !== undefined)
    lines.push(
      'The first administrator (the password is shown this once, and only its hash is kept):',
      `  ${admin.email}`,
      `  ${admin.password}`,
      '',
    )
  else if (admin !== undefined)
    lines.push(`The first administrator: ${admin.email}, with the password from GATEHOUSE_ADMIN_PASSWORD`, '')
  const email = admin?.email ?? 'admin@localhost'
  const password = admin?.password ?? 'YOUR-PASSWORD'
  const body = JSON.stringify({ email, password }).replaceAll("'", `'\\''`)
  const { userAgents } = settings.shield
  const curl = userAgents && compileUserAgents(userAgents)('curl/8') ? "curl -A 'somebody'" : 'curl'
  lines.push(
    'Try it:',
    ...(listener.protocol === 'https'
      ? ['  # curl wants `--cacert FILE` where the authority of the certificate is not one of the web’s']
      : []),
    '  # nobody knows you: 401',
    `  ${curl} -i ${address}${firstPath}`,
    '  # sign in',
    `  TOKEN=$(${curl} -s ${address}/api/auth/login -H 'content-type: application/json' -d '${body}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    '  # through the gate: 200',
    `  ${curl} -i ${address}${firstPath} -H "Authorization: Bearer $TOKEN"`,
    `  # or by a page\n  ${address.replace('127.0.0.1', 'localhost')}/auth/sign-in`,
    '',
  )
  if (admin === undefined)
    lines.push('Lost the password?  npm start -- user reset EMAIL   (gatehouse user reset EMAIL, once installed)', '')
  terminal.out(lines.join('\n'))
}
