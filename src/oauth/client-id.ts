import { base64url } from '../kernel/bytes.ts'
import type { Random } from '../kernel/id.ts'

/** What every id begins with that was made up here. */
export const clientIdPrefix = 'gh_cl_'

/** An id that nobody chose: 128 bits. */
export function newClientId(random: Random): string {
  return clientIdPrefix + base64url(random.bytes(16))
}

/** What is wrong with an id that somebody chose, in half a sentence; undefined where nothing is. */
export function clientIdProblem(id: string): string | undefined {
  if (!isClientId(id)) return 'expected 3 to 64 letters, digits, `.`, `_`, `~` or `-`'
  if (uuidForm.test(id)) return 'expected another form than a UUID: those are people (RFC 9700 §4.15)'
  if (id.startsWith(clientIdPrefix))
    return `expected no \`${clientIdPrefix}\` at its beginning: such ids are made up here`
  if (reserved.has(id.toLowerCase())) return `\`${id}\` stands for somebody else in the audit log`
  return undefined
}

/** Whether a client of the configuration or the store can have this id. */
export function isClientId(id: string): boolean {
  return /^[A-Za-z0-9._~-]{3,64}$/.test(id)
}

/** Whether it is an address at which a client's metadata can be read. */
export function isDocumentId(id: string): boolean {
  return id.startsWith('https://')
}

const uuidForm = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i
const reserved: ReadonlySet<string> = new Set(['anonymous', 'operator', 'gatehouse'])
