import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { revocationListsOf } from '../http/x509/pem.ts'
import { parseAddress } from '../kernel/ip.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'
import type { Identity } from './dev-authority.ts'

const usage = `usage: gatehouse certs dev [--host NAME …] [--client NAME …] [--out DIR]
       gatehouse certs revoke FILE [--out DIR]

Certificates to try TLS with, in ./certs where nothing else is said: an authority, a server's for localhost (and each --host),
and one for each --client. An authority that is there is used again, never replaced; certificates are good for 30 days, and
made anew when they are asked for again. \`revoke\` writes the certificate of FILE into the authority's revocation list.
None of this is for production: the key of the authority lies in the same folder.`

const options = {
  out: { type: 'string', default: './certs' },
  host: { type: 'string', multiple: true },
  client: { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, options, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, file, ...more] = positionals
  const { out, host = [], client = [] } = values
  if (verb === 'dev' && file === undefined) return dev(out, host.map(checkedHost), client.map(checkedClient), terminal)
  if (verb === 'revoke' && file !== undefined && more.length === 0 && host.length + client.length === 0)
    return revoke(out, file, terminal)
  throw new Usage(usage)
}

const always = ['localhost', '127.0.0.1', '::1']

async function dev(
  out: string,
  hosts: readonly string[],
  clients: readonly string[],
  terminal: Terminal,
): Promise<boolean> {
  const { issue, makeAuthority, makeRevocationList } = await import('./dev-authority.ts')
  const nowMs = terminal.clock.now()
  const place = placesIn(out)
  mkdirSync(out, { recursive: true, mode: 0o700 })
  if (!existsSync(place.ignore)) writeFileSync(place.ignore, '*\n')
  let authority = authorityIn(out, nowMs)
  if (authority === undefined) {
    authority = await makeAuthority(nowMs)
    writeFileSync(place.authority.key, authority.key, { mode: 0o600, flag: 'wx' })
    writeFileSync(place.authority.cert, authority.cert, { flag: 'wx' })
    terminal.out(`${place.authority.cert}: an authority, until ${untilText(authority)}`)
  }
  replace(place.list, await makeRevocationList(authority, revokedIn(place.list), nowMs), 0o644)
  if (hosts.length > 0 || !isGood(place.server.cert, authority, nowMs)) {
    const names = [...new Set([...always, ...hosts])]
    const server = await issue(authority, { commonName: hosts[0] ?? 'localhost', names, purpose: 'server' }, nowMs)
    write(place.server, server)
    terminal.out(`${place.server.cert}: for ${names.join(', ')}, until ${untilText(server)}`)
  }
  for (const name of clients) {
    const identity = await issue(authority, { commonName: name, names: [name], purpose: 'client' }, nowMs)
    write(place.client(name), identity)
    terminal.out(`${place.client(name).cert}: for the client ${name}, until ${untilText(identity)}`)
  }
  for (const line of advice(out, clients)) terminal.out(line)
  return true
}

/** What to do with it: lines for the configuration, and one to try them with. */
function advice(out: string, clients: readonly string[]): string[] {
  const { authority, list, server, client } = placesIn(out)
  const { cert, key } = client(clients[0] ?? '')
  const [first] = clients
  return [
    '',
    'Into the configuration:',
    `  listen: { tls: { cert: '${server.cert}', key: '${server.key}', clientCa: '${authority.cert}', crl: '${list}' } },`,
    ...(first === undefined
      ? []
      : [`  services: { ${clients.map((name) => `'${name}': { certificates: [{ dns: '${name}' }] }`).join(', ')} },`]),
    'Then:',
    `  curl --cacert ${shell(authority.cert)}${first === undefined ? '' : ` --cert ${shell(cert)} --key ${shell(key)}`} https://localhost:8080/health`,
  ]
}

async function revoke(out: string, file: string, terminal: Terminal): Promise<boolean> {
  const { makeRevocationList } = await import('./dev-authority.ts')
  const nowMs = terminal.clock.now()
  const authority = authorityIn(out, nowMs)
  if (authority === undefined) throw new Usage(`no authority lies in \`${out}\`: \`gatehouse certs dev\` makes one`)
  const certificate = certificateIn(file)
  if (!isBy(certificate, authority)) throw new Usage(`\`${file}\` was not issued by the authority in \`${out}\``)
  const place = placesIn(out)
  const serials = new Set([...revokedIn(place.list), certificate.serialNumber.toLowerCase()])
  replace(place.list, await makeRevocationList(authority, serials, nowMs), 0o644)
  terminal.out(`${place.list}: ${serials.size} taken back; a gate that serves notices within seconds`)
  return true
}

interface Place {
  readonly cert: string
  readonly key: string
}

function placesIn(out: string): {
  readonly authority: Place
  readonly server: Place
  readonly list: string
  readonly ignore: string
  client(name: string): Place
} {
  const at = (name: string): Place => ({ cert: join(out, `${name}.pem`), key: join(out, `${name}.key`) })
  return {
    authority: at('ca'),
    server: at('server'),
    list: join(out, 'crl.pem'),
    ignore: join(out, '.gitignore'),
    client: (name) => at(`client-${name}`),
  }
}

/** The authority in the folder, whole and good; undefined where there is none. */
function authorityIn(out: string, nowMs: number): Identity | undefined {
  const { cert, key } = placesIn(out).authority
  const [hasCert, hasKey] = [existsSync(cert), existsSync(key)]
  if (!hasCert && !hasKey) return undefined
  if (!hasCert || !hasKey)
    throw new Usage(`\`${hasCert ? cert : key}\` is there and \`${hasCert ? key : cert}\` is not: choose another --out`)
  if (certificateIn(cert).validToDate.getTime() <= nowMs)
    throw new Usage(`the authority in \`${cert}\` has run out: choose another --out, or remove the folder`)
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

function certificateIn(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Usage(`\`${file}\` ${code === 'ENOENT' ? 'is not there' : 'is no certificate'}`)
  }
}

function isBy(certificate: X509Certificate, { cert }: Identity): boolean {
  const authority = new X509Certificate(cert)
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

/** Whether a certificate of the authority lies there that is good for a week yet. */
function isGood(file: string, authority: Identity, nowMs: number): boolean {
  if (!existsSync(file)) return false
  const certificate = certificateIn(file)
  return isBy(certificate, authority) && certificate.validToDate.getTime() > nowMs + weekMs
}

const weekMs = 604_800_000

/** The serial numbers in a list; none where there is no list yet. */
function revokedIn(list: string): readonly string[] {
  if (!existsSync(list)) return []
  const lists = revocationListsOf(readFileSync(list, 'latin1'))
  if (typeof lists === 'string') throw new Usage(`\`${list}\` is no revocation list: ${lists}`)
  // A certificate is taken back for good.
  return lists.flatMap(({ serials }) => [...serials])
}

function write({ cert, key }: Place, identity: Identity): void {
  replace(key, identity.key, 0o600)
  replace(cert, identity.cert, 0o644)
}

/** A gate may be reading: it finds the old file or the new one. What lies at the name beside it, a link or a file of others, is not written to. */
function replace(path: string, text: string, mode: number): void {
  rmSync(`${path}.new`, { force: true })
  writeFileSync(`${path}.new`, text, { mode, flag: 'wx' })
  renameSync(`${path}.new`, path)
}

function checkedHost(name: string): string {
  if (parseAddress(name) !== undefined || /^(?:\*\.)?(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name)) return name
  throw new Usage(`--host: expected a DNS name or an address, got \`${name}\``)
}

function checkedClient(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return name
  throw new Usage(`--client: expected lower-case letters, digits, \`.\`, \`_\` and \`-\`, got \`${name}\``)
}

function untilText({ cert }: Identity): string {
  return new X509Certificate(cert).validToDate.toISOString().slice(0, 10)
}

function shell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
