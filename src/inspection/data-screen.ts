import type { Field } from './field.ts'
import type { Finding } from './finding.ts'
import { formsOf, kindsOf, type PersonalOptions } from './personal/options.ts'
import { openRedaction } from './personal/redact.ts'
import { openPersonalScanner } from './personal/scanner.ts'
import type { Place } from './place.ts'
import { secretKinds } from './secrets/kinds.ts'
import type { SecretOptions } from './secrets/options.ts'
import { openSecretScanner } from './secrets/scanner.ts'
import { promptScanner } from './stream/prompt-scanner.ts'
import { openRedactor, type Redactor, type Scanner } from './stream/redactor.ts'

/** What is done about personal data and secrets in one direction: struck out, refused, or noted. */
export interface DataScreen {
  /** Strikes out; undefined where nothing is. */
  readonly redactor: Redactor | undefined
  /** Finds what is only noted; undefined where nothing is. */
  readonly watcher: Redactor | undefined
  /** Finds what a message is refused for; undefined where it is not. */
  readonly guard: Redactor | undefined
}

export interface DataScreenParts {
  readonly pii: PersonalOptions | undefined
  readonly secrets: SecretOptions | undefined
  readonly of: 'requests' | 'answers'
  /** 32 bytes: hashes and tokens are made with it. */
  readonly key: Uint8Array
}

/** Undefined where nothing is looked for. */
export function openDataScreen({ pii = {}, secrets = {}, of, key }: DataScreenParts): DataScreen | undefined {
  const rows: readonly (readonly [mode: string, scanner: () => Scanner])[] = [
    [pii[of] ?? 'off', () => promptScanner(openPersonalScanner({ kinds: kindsOf(pii) }))],
    [secrets[of] ?? 'off', () => promptScanner(openSecretScanner(secrets))],
  ]
  if (rows.every(([mode]) => mode === 'off')) return undefined
  const redaction = openRedaction({ form: pii.form, forms: formsOf(pii), key })
  const by = (wanted: string): Redactor | undefined => {
    const scanners = rows.flatMap(([mode, open]) => (mode === wanted ? [open()] : []))
    return scanners.length === 0
      ? undefined
      : openRedactor({ scanners, replacement: redaction.replacement as Redactor['replacement'] })
  }
  return { redactor: by('redact'), watcher: by('log'), guard: by('block') }
}

/** What a redactor would strike out of the texts of a message. */
export function findData(fields: Iterable<Field>, redactor: Redactor): readonly Finding[] {
  const findings: Finding[] = []
  for (const { place, text, name } of fields) {
    for (const { kind, rule, start, end, confidence } of redactor.matches(text, asWritten(name, place))) {
      if (findings.length >= findingsMax) return findings
      // A name may be what was found, or hold more of it: then it is not what the place is called by.
      const shown = { in: place.in, at: redactor.redact(place.at).text }
      findings.push({ ...dataFinding(kind, rule, shown), confidence, start, end })
    }
  }
  return findings
}

const findingsMax = 100

/** A name as its sender wrote it: of `userSsn` the capital tells where a word begins. */
function asWritten(name: string, { at }: Place): string {
  const written = at.slice(at.length - name.length)
  return written.toLowerCase() === name ? written : name
}

/** The same finding, once it has been acted upon. */
export function struckOut(finding: Finding): Finding {
  return { ...finding, struckOut: true }
}

/** A finding of something whose place alone is known. */
export function dataFinding(kind: string, rule: string, place: Place): Finding {
  return {
    kind: kind in secretKinds ? 'secret' : 'personal-data',
    what: kind,
    rule,
    place,
    confidence: 1,
    start: 0,
    end: 0,
    decoded: [],
  }
}
