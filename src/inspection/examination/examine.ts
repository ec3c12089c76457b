import type { Code, FieldErrors } from '../../kernel/error.ts'
import { type DataScreen, dataFinding, findData, openDataScreen, struckOut } from '../data-screen.ts'
import type { Field } from '../field.ts'
import { fieldBounds, type RequestParts, requestFields } from '../fields/request.ts'
import { withSchemaRoles } from '../fields/schema-role.ts'
import type { Finding } from '../finding.ts'
import { sanitiseBody } from '../html/body.ts'
import { openInjection } from '../injection/injection.ts'
import { placeText } from '../place.ts'
import { openPromptCheck } from '../prompts/check.ts'
import type { Redactor } from '../stream/redactor.ts'
import type { WrongFile } from '../uploads/part-meter.ts'
import { errorsOf, findingOf, openUploads } from '../uploads/uploads.ts'
import { harmless, surestFirst } from '../verdict.ts'
import { filesOf } from './files.ts'
import { openMarkup } from './markup.ts'
import type { ExaminationPlan } from './plan.ts'
import { redactRequest } from './redact-request.ts'

/** What came of looking into a request, as plain data: a thread answers it. */
export interface Examined {
  readonly findings: readonly Finding[]
  /** How sure it is that the request attacks, from 0 to 1. */
  readonly score: number
  /** Why it may not go on; undefined where it may. */
  readonly refused:
    | { readonly code: Code; readonly findings: readonly Finding[]; readonly errors?: FieldErrors }
    /** It cannot be read; the sentence is for its sender. */
    | { readonly problem: string }
    | undefined
  /** The body as it goes on, where something was struck out. */
  readonly body: { readonly bytes: Uint8Array; readonly contentType: string | undefined } | undefined
  /** The texts of the body as it goes on, where somebody else is asked about them. */
  readonly texts: readonly Field[]
}

export interface Examination {
  /** Whether anything is refused or struck out: else looking changes nothing, and a body need not be waited for. */
  readonly acts: boolean
  /** Waits only for files. */
  examine(parts: RequestParts): Examined | Promise<Examined>
}

/** Undefined where nothing is looked for. */
export function openExamination(plan: ExaminationPlan): Examination | undefined {
  const injection = openInjection(plan.injection)
  const prompts = openPromptCheck(plan.prompts, 'requests')
  const data = openDataScreen({ ...plan, of: 'requests' })
  const uploads = plan.uploads && openUploads(plan.uploads)
  const markup = openMarkup(plan.html)
  if (!(injection || prompts || data || uploads || markup) && plan.texts === 'unwanted') return undefined
  const bounds = fieldBounds(plan.bodyBytesMax)
  const roles = plan.schema === undefined ? undefined : withSchemaRoles(plan.schema)
  const acts =
    injection?.blocks === true ||
    prompts?.blocks === true ||
    data?.redactor !== undefined ||
    data?.guard !== undefined ||
    markup !== undefined ||
    uploads !== undefined ||
    plan.texts === 'needed'

  return {
    acts,
    examine(parts) {
      const read = requestFields(parts, bounds, roles)
      if ('problem' in read) return { ...nothing, refused: acts ? read : undefined }
      const texts = settled(examineTexts(read.fields, parts), read.fields, parts)
      if (texts.refused !== undefined || uploads === undefined) return texts
      const files = filesOf(parts)
      if ('problem' in files) return { ...texts, refused: files }
      return files.files.length === 0 ? texts : uploads.check(files.files).then((wrong) => withFiles(texts, wrong))
    },
  }

  /** The body as it goes on; what is cut out of it or struck out may have hidden what it goes on with, so that it is read again. */
  function settled(examined: Examined, fields: readonly Field[], parts: RequestParts): Examined {
    if (examined.refused !== undefined) return examined
    const sanitised = sanitise(parts)
    if ('problem' in sanitised) return { ...examined, refused: sanitised }
    let outcome = examined
    let now: RequestParts = parts
    let current = fields
    if (sanitised.bytes !== parts.body) {
      now = { ...parts, body: sanitised.bytes }
      const read = requestFields(now, bounds, roles)
      if ('problem' in read) return { ...outcome, refused: read }
      current = read.fields
      outcome = both(outcome, examineTexts(inBody(current), now))
      if (outcome.refused !== undefined) return outcome
    }
    const redactor = data?.redactor && rememberingClean(data.redactor)
    const redacted = redactor === undefined ? undefined : redactRequest(now, redactor)
    if (redacted !== undefined && 'problem' in redacted) return { ...outcome, refused: redacted }
    let contentType: string | undefined
    if (redacted !== undefined && redacted.redactions.count > 0) {
      contentType = redacted.contentType
      now = { ...now, body: redacted.bytes, contentType: contentType ?? now.contentType }
      const read = requestFields(now, bounds, roles)
      if ('problem' in read) return { ...outcome, refused: read }
      current = read.fields
      const found = redacted.redactions.first.map(({ kind, rule, at }) =>
        struckOut(dataFinding(kind, rule, { in: 'body', at })),
      )
      outcome = { ...outcome, findings: surestFirst([...outcome.findings, ...found]) }
    }
    const left = redactor === undefined ? [] : findData(inBody(current), redactor)
    if (left.length > 0) return both(outcome, refusedData(left, []))
    const body = now.body === undefined || now.body === parts.body ? undefined : { bytes: now.body, contentType }
    return { ...outcome, body, texts: plan.texts === 'unwanted' ? [] : inBody(current).filter(isNoName) }
  }

  function sanitise({
    body,
    contentType,
  }: RequestParts): { readonly bytes: Uint8Array | undefined } | { readonly problem: string } {
    return markup === undefined || body === undefined ? { bytes: body } : sanitiseBody(body, contentType, markup.plan)
  }

  function examineTexts(fields: readonly Field[], parts: RequestParts): Examined {
    const attack = injection?.judge(fields, markup?.in(parts.contentType)) ?? harmless
    const orders = prompts?.judge(fields) ?? harmless
    const score = Math.max(attack.score, orders.score)
    const found = [...attack.findings, ...orders.findings]
    if (attack.refused.length > 0) return refused('injection-detected', attack.refused, found, score)
    if (orders.refused.length > 0) return refused('prompt-injection-detected', orders.refused, found, score)
    return data === undefined ? examined(found, score) : examineData(data, fields, parts, found, score)
  }

  function examineData(
    { redactor, watcher, guard }: DataScreen,
    fields: readonly Field[],
    parts: RequestParts,
    found: Finding[],
    score: number,
  ): Examined {
    const guarded = guard === undefined ? [] : findEverywhere(fields, parts, guard)
    if (guarded.length > 0) return { ...refusedData(guarded, found), score }
    if (watcher !== undefined) found.push(...findEverywhere(fields, parts, watcher))
    // What stands elsewhere than in the body cannot be struck out without another meaning: it is noted.
    if (redactor !== undefined)
      found.push(
        ...findData(
          fields.filter(({ place }) => place.in !== 'body'),
          redactor,
        ),
      )
    return examined(found, score)
  }
}

const nothing: Examined = { findings: [], score: 0, refused: undefined, body: undefined, texts: [] }

/** In the fields of a request, and in what of its body is no field: numbers. */
function findEverywhere(fields: readonly Field[], parts: RequestParts, redactor: Redactor): readonly Finding[] {
  const found = findData(fields, redactor)
  const read = redactRequest(parts, redactor)
  if (read === undefined || 'problem' in read || read.redactions.count === 0) return found
  const known = new Set(found.map(({ what, place }) => `${what} ${placeText(place)}`))
  const others = read.redactions.first
    .map(({ kind, rule, at }) => dataFinding(kind, rule, { in: 'body', at }))
    .filter(({ what, place }) => !known.has(`${what} ${placeText(place)}`))
  return [...found, ...others]
}

/** The texts of a body are looked at where they are struck out, and again as its fields: those that held nothing hold nothing still. */
function rememberingClean(redactor: Redactor): Redactor {
  const clean = new Map<string, string | undefined>()
  const matches: Redactor['matches'] = (text, name) => {
    if (clean.has(text) && clean.get(text) === name) return noMatches
    const found = redactor.matches(text, name)
    if (found.length === 0) clean.set(text, name)
    return found
  }
  return {
    ...redactor,
    matches,
    redact: (text, name) =>
      matches(text, name).length === 0 ? { text, matches: noMatches } : redactor.redact(text, name),
  }
}

const noMatches: ReturnType<Redactor['matches']> = []

function inBody(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ place }) => place.in === 'body')
}

/** Which of the others are texts, whoever is asked about them knows. */
function isNoName({ role }: Field): boolean {
  return role !== 'name'
}

function examined(findings: readonly Finding[], score: number): Examined {
  return findings.length === 0 ? nothing : { ...nothing, findings: surestFirst(findings), score }
}

function refused(code: Code, by: readonly Finding[], findings: readonly Finding[], score: number): Examined {
  return { ...nothing, findings: surestFirst(findings), score, refused: { code, findings: by } }
}

function refusedData(by: readonly Finding[], others: readonly Finding[]): Examined {
  const code = by[0]?.kind === 'secret' ? 'secret-refused' : 'personal-data-refused'
  return refused(code, by, [...others, ...by], 0)
}

/** Of the body as it came, and of what it becomes. */
function both(first: Examined, second: Examined): Examined {
  const known = new Set(first.findings.map(({ rule, place }) => `${rule} ${placeText(place)}`))
  const others = second.findings.filter(({ rule, place }) => !known.has(`${rule} ${placeText(place)}`))
  return {
    ...second,
    findings: surestFirst([...first.findings, ...others]),
    score: Math.max(first.score, second.score),
  }
}

function withFiles(texts: Examined, wrong: readonly WrongFile[]): Examined {
  if (wrong.length === 0) return texts
  const findings = wrong.map(findingOf)
  return {
    ...texts,
    findings: [...findings, ...texts.findings],
    refused: { code: 'upload-refused', findings, errors: errorsOf(wrong) },
  }
}
