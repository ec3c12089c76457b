/** Whether a service can be called so. */
export function isServiceName(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text)
}

/** What is wrong with a name that somebody chose, in half a sentence; undefined where nothing is. */
export function serviceNameProblem(name: string): string | undefined {
  if (!isServiceName(name))
    return 'expected 1 to 63 lower-case letters, digits, `.`, `_` or `-`, and a letter or digit first'
  if (uuidForm.test(name)) return 'expected another form than a UUID: those are people'
  if (name.startsWith('gh_')) return 'expected no `gh_` at its beginning: such names are made up here'
  if (reserved.has(name)) return `\`${name}\` stands for somebody else in the audit log`
  return undefined
}

const uuidForm = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/
const reserved: ReadonlySet<string> = new Set(['anonymous', 'operator', 'gatehouse'])
