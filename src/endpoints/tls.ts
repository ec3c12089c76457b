import { constants, createPrivateKey, type X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { Authorities } from '../http/x509/authorities.ts'
import { certificateFields } from '../http/x509/certificate-fields.ts'
import { certificatesOf, pemOf, revocationListsOf } from '../http/x509/pem.ts'
import type { RevocationList } from '../http/x509/revocation-list.ts'
import { equalBytes } from '../kernel/bytes.ts'
import { parseCidr } from '../kernel/ip.ts'
import { readOwnFile, resolveSecret, Secret } from '../kernel/secret.ts'
import type { ListenOptions, TlsOptions } from './options.ts'

/** What is wrong, and where it stands. */
export interface TlsMistake {
  /** `listen.tls.cert` */
  readonly path: string
  readonly message: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** What the files of `listen.tls` come to: read, and held against each other. */
export interface LoadedTls {
  readonly context: SecureContextOptions
  /** Undefined where client certificates are vouched for by nobody. */
  readonly authorities: Authorities | undefined
  /** Names what the authorities and their lists were read from: as long as it is the same, they are. */
  readonly authoritiesText: string
  readonly certificate: X509Certificate
  /** Things that work, and that an operator should know of. */
  readonly warnings: readonly TlsMistake[]
}

/**
 * Every mistake in what `listen` says of TLS: a file that cannot be read or is no PEM, a key that does not fit, an authority
 * that is none. A certificate that has run out is none of them: the house starts, and says so.
 */
export function checkTls(listen: ListenOptions, environment: Environment): readonly TlsMistake[] {
  const mistakes: TlsMistake[] = []
  if (listen.tls !== undefined) {
    const loaded = loadTls(listen.tls, environment, 0)
    if ('mistakes' in loaded) mistakes.push(...loaded.mistakes)
  }
  const { clientCertHeader, trustedProxies } = listen
  const everybody = trustedProxies.filter((network) => parseCidr(network)?.prefixBits === 0)
  if (clientCertHeader !== false && everybody.length > 0)
    mistakes.push({
      path: 'listen.clientCertHeader',
      message: `\`${everybody.join('`, `')}\` in \`trustedProxies\` is everybody: anybody could make up the field`,
    })
  if (clientCertHeader !== false && trustedProxies.length === 0)
    mistakes.push({
      path: 'listen.clientCertHeader',
      message: 'expected `trustedProxies` beside it: from anybody else the field is made up',
    })
  if (typeof clientCertHeader === 'object') {
    const collected = new Collected()
    readAuthorities(clientCertHeader, 'listen.clientCertHeader', collected)
    mistakes.push(...collected.mistakes)
  }
  return mistakes
}

/** Reads all of it, or says everything that is wrong. `nowMs` is for warnings about dates. */
export function loadTls(
  options: TlsOptions,
  environment: Environment,
  nowMs: number,
): LoadedTls | { readonly mistakes: readonly TlsMistake[] } {
  const collected = new Collected()
  const chain = readCertificates(options.cert, 'listen.tls.cert', collected)
  const key = readKey(options, environment, collected)
  const { clientCa, clientCertificates } = options
  const required = clientCertificates === 'required'
  if (clientCa === undefined && required)
    collected.mistake('listen.tls.clientCertificates', 'expected `clientCa` beside it: nobody could connect')
  if (clientCa === undefined && options.crl !== undefined)
    collected.mistake('listen.tls.crl', 'expected `clientCa` beside it: lists of whom?')
  const vouching =
    clientCa === undefined ? undefined : readAuthorities({ ...options, clientCa }, 'listen.tls', collected)
  if (vouching !== undefined) warnOfLists(vouching, 'listen.tls.crl', nowMs, collected)
  const [certificate, next] = chain
  if (certificate !== undefined) {
    warnOfDates(certificate, nowMs, collected)
    if (next !== undefined && !certificate.checkIssued(next))
      collected.warning(
        'listen.tls.cert',
        'the second certificate in it has not issued the first: some clients give up',
      )
    if (key !== undefined && !certificate.checkPrivateKey(createPrivateKey(key)))
      collected.mistake('listen.tls.key', `\`${options.key}\` does not fit the certificate in \`${options.cert}\``)
  }
  if (collected.mistakes.length > 0 || key === undefined || certificate === undefined)
    return { mistakes: collected.mistakes }
  const context: SecureContextOptions = {
    cert: chain.map((one) => pemOf(one.raw, 'CERTIFICATE')).join(''),
    key,
    // Never left out: Node would put the authorities of the web in its place.
    ca: (vouching?.anchors ?? []).map((one) => pemOf(one.raw, 'CERTIFICATE')),
    ...(vouching?.listTexts === undefined ? {} : { crl: [...vouching.listTexts] }),
    minVersion: options.minVersion,
    ciphers: options.ciphers,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (asksClients(options) ? constants.SSL_OP_NO_TICKET : 0),
  }
  try {
    createSecureContext(context)
  } catch (error) {
    collected.mistake('listen.tls.cert', `it is not accepted for TLS: ${reasonOf(error)}`)
    return { mistakes: collected.mistakes }
  }
  return {
    context,
    authorities: vouching && new Authorities(vouching.anchors, vouching.lists),
    authoritiesText: JSON.stringify([context.ca, vouching?.listTexts]),
    certificate,
    warnings: collected.warnings,
  }
}

/** Whether clients are asked for a certificate at all. */
export function asksClients({ clientCa, clientCertificates }: TlsOptions): boolean {
  return clientCa !== undefined || clientCertificates !== undefined
}

interface Files {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly clientCa?: string | undefined
  readonly crl?: readonly string[] | undefined
}

/** Names the state of the files that the options name: it differs when one of them was written, or replaced. */
export function stateOf({ cert, key, clientCa, crl }: Files): string {
  return [cert, key, clientCa, ...(crl ?? [])]
    .filter((path) => path !== undefined)
    .map((path) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = statSync(path)
        return [ino, size, mtimeMs, ctimeMs].join()
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
    })
    .join(' ')
}

/** What is found on the way: one does not hide another. */
export class Collected {
  readonly mistakes: TlsMistake[] = []
  readonly warnings: TlsMistake[] = []

  mistake(path: string, message: string): void {
    this.mistakes.push({ path, message })
  }

  warning(path: string, message: string): void {
    this.warnings.push({ path, message })
  }
}

interface Vouching {
  readonly anchors: readonly X509Certificate[]
  readonly lists: readonly RevocationList[] | undefined
  readonly listTexts: readonly string[] | undefined
}

/** Authorities and their lists, from files. `at` is where in the configuration they are named. */
export function readAuthorities(
  { clientCa, crl }: { readonly clientCa: string; readonly crl?: readonly string[] | undefined },
  at: string,
  collected: Collected,
): Vouching {
  const anchors = readCertificates(clientCa, `${at}.clientCa`, collected)
  for (const anchor of anchors) {
    if (!anchor.ca)
      collected.mistake(
        `${at}.clientCa`,
        `\`${oneLine(anchor.subject)}\` in \`${clientCa}\` may not issue certificates: expected authorities`,
      )
    else if (certificateFields(anchor.raw) === undefined)
      collected.mistake(
        `${at}.clientCa`,
        `\`${oneLine(anchor.subject)}\` in \`${clientCa}\` is not written in DER (X.690 §10): nobody could be vouched for`,
      )
  }
  if (crl === undefined) return { anchors, lists: undefined, listTexts: undefined }
  const lists: RevocationList[] = []
  for (const path of crl) {
    const text = readText(path, `${at}.crl`, collected)
    if (text === undefined) continue
    const found = revocationListsOf(text)
    if (typeof found === 'string') collected.mistake(`${at}.crl`, `\`${path}\` is no revocation list: ${found}`)
    else lists.push(...found)
  }
  return { anchors, lists, listTexts: lists.map(({ whole }) => pemOf(whole, 'X509 CRL')) }
}

/** A house with lists trusts only what a current list covers: what is missing shuts people out, and they should know. */
function warnOfLists({ anchors, lists }: Vouching, at: string, nowMs: number, collected: Collected): void {
  if (lists === undefined) return
  for (const anchor of anchors) {
    const fields = certificateFields(anchor.raw)
    if (fields === undefined) continue // a mistake, and told as one
    const own = lists.filter(({ issuer }) => equalBytes(issuer, fields.subject))
    const name = oneLine(anchor.subject)
    if (own.length === 0)
      collected.warning(at, `\`${name}\` has no revocation list: none of its certificates is trusted`)
    else if (nowMs > 0 && own.every(({ untilMs }) => untilMs <= nowMs))
      collected.warning(at, `the revocation list of \`${name}\` is out of date: none of its certificates is trusted`)
  }
}

function warnOfDates({ validFromDate, validToDate }: X509Certificate, nowMs: number, collected: Collected): void {
  if (nowMs === 0) return
  const leftMs = validToDate.getTime() - nowMs
  if (validFromDate.getTime() > nowMs)
    collected.warning('listen.tls.cert', `it is not valid before ${validFromDate.toISOString()}`)
  else if (leftMs <= 0) collected.warning('listen.tls.cert', `it has run out at ${validToDate.toISOString()}`)
  else if (leftMs < Math.min(soonMs, (validToDate.getTime() - validFromDate.getTime()) / 4))
    collected.warning('listen.tls.cert', `it runs out at ${validToDate.toISOString()}`)
}

/** A week, or a quarter of a short life: time enough to renew, and later than renewal usually comes. */
const soonMs = 604_800_000

function readCertificates(path: string, at: string, collected: Collected): readonly X509Certificate[] {
  const text = readText(path, at, collected)
  if (text === undefined) return []
  const certificates = certificatesOf(text)
  if (typeof certificates !== 'string') return certificates
  collected.mistake(at, `\`${path}\` is no PEM file of certificates: ${certificates}`)
  return []
}

/** The key as PEM without a passphrase, in memory only. */
function readKey(options: TlsOptions, environment: Environment, collected: Collected): string | undefined {
  const at = 'listen.tls.key'
  const secret = options.passphrase && resolveSecret(options.passphrase, environment)
  if (secret !== undefined && !(secret instanceof Secret)) {
    collected.mistake('listen.tls.passphrase', secret.problem)
    return undefined
  }
  const text = readText(options.key, at, collected, () => readOwnFile(options.key, notForOthers))
  if (text === undefined) return undefined
  try {
    const key = createPrivateKey({ key: text, ...(secret === undefined ? {} : { passphrase: secret.reveal() }) })
    return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch {
    const encrypted = /ENCRYPTED/.test(text)
    if (encrypted && secret === undefined)
      collected.mistake(at, `\`${options.key}\` is encrypted: expected \`passphrase\` beside it`)
    else if (encrypted) collected.mistake('listen.tls.passphrase', `it does not open \`${options.key}\``)
    else collected.mistake(at, `\`${options.key}\` is no PEM file of a private key`)
    return undefined
  }
}

/** Nobody but the owner writes; the group may read, as system packages have it; others may nothing. */
const notForOthers = 0o037

function readText(
  path: string,
  at: string,
  collected: Collected,
  read: () => string | undefined = () => readFileSync(path, 'latin1'),
): string | undefined {
  try {
    const text = read()
    if (text === undefined) collected.mistake(at, `\`${path}\` can be read by others: \`chmod 640\` it, or \`600\``)
    return text
  } catch (error) {
    collected.mistake(at, `\`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})`)
    return undefined
  }
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ')
}

/** OpenSSL's own word, without its numbers. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as { readonly reason?: string; readonly message: string }
  return reason ?? message
}
