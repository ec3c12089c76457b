import { redact, redacted } from '../../kernel/redact.ts'
import type { AttributeGroup, AttributeRequest } from './policy.ts'

/** The last requests that a policy decided, to decide them again on paper. */
export interface Recording {
  /** Keeps a request. One that cannot be written down is not kept: it never throws. */
  keep(request: AttributeRequest): void
  /** Each as a line of JSON without secrets, the oldest first. */
  lines(): IterableIterator<string>
}

/** How many requests one policy may keep. */
export const recordMax = 10_000

/** Keeps the last `max` requests, and fewer where they are long: 16 million characters of them at most. */
export function openRecording(max: number): Recording {
  const texts: string[] = []
  let first = 0
  let length = 0
  return {
    keep(request) {
      const text = textOf(request)
      if (text === undefined) return
      texts.push(text)
      length += text.length
      while (texts.length - first > max || length > lengthMax) {
        length -= texts[first]?.length ?? 0
        texts[first++] = ''
      }
      if (first > max) {
        texts.splice(0, first)
        first = 0
      }
    },
    *lines() {
      for (const text of texts.slice(first)) yield lineOf(text)
    },
  }
}

/** Secrets are taken out when somebody looks, so that nobody waits for it on the way of a request. */
function lineOf(text: string): string {
  const request = JSON.parse(text) as AttributeRequest
  const clean = redact(request) as AttributeRequest
  const { credential } = request.subject
  return JSON.stringify({
    ...clean,
    // A kind of credential such as `access-token`, in the house's own words: no secret, though it is called like one.
    ...(credential === undefined ? {} : { subject: { ...clean.subject, credential } }),
    resource: withoutSecrets(clean.resource, request.resource),
  })
}

/** A parameter of a path is in the path too: what is struck out in one place is struck out in both. */
function withoutSecrets(clean: AttributeGroup, given: AttributeGroup): AttributeGroup {
  let { path } = clean
  if (typeof path !== 'string') return clean
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'string' && value !== '' && name !== 'path' && clean[name] !== value)
      for (const written of [value, encodeURIComponent(value.toWellFormed())])
        path = (path as string).replaceAll(written, () => redacted)
  return { ...clean, path }
}

function textOf({ subject, resource, action, environment }: AttributeRequest): string | undefined {
  try {
    return `{"subject":${subjectText(subject)},"resource":${written(resource)},"action":${written(action)},"environment":${written(environment)}}`
  } catch {
    return undefined // a host that embeds the house may say what JSON has no word for
  }
}

/** A subject is the same object for as long as its principal is. */
function subjectText(subject: AttributeGroup): string {
  let text = subjects.get(subject)
  if (text === undefined) {
    text = written(subject)
    subjects.set(subject, text)
  }
  return text
}

function written(group: AttributeGroup | undefined): string {
  return JSON.stringify(group ?? {}, (_, value: unknown) => (value instanceof Set ? [...value] : value)) ?? '{}'
}

const subjects = new WeakMap<AttributeGroup, string>()
const lengthMax = 16_777_216
