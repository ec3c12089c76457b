import type { DataScreen } from '../data-screen.ts'
import type { Finding } from '../finding.ts'
import type { AnswerJudge } from '../schema/answer.ts'
import { withoutData } from './judge.ts'

/** What a whole answer breaks of the schema of its status: a finding for the record, and a sentence for the log. */
export function brokenSchema(
  schema: AnswerJudge,
  contentType: string | undefined,
  bytes: Uint8Array,
  data: DataScreen | undefined,
): { readonly finding: Finding; readonly reason: string } | undefined {
  const fault = schema(contentType, bytes)
  if (fault === undefined) return undefined
  const reason =
    'malformed' in fault
      ? fault.malformed
      : fault.invalid.map((one) => `${'pointer' in one ? one.pointer : one.name} ${one.detail}`).join('; ')
  return { finding, reason: withoutData(reason, data) }
}

const finding: Finding = {
  kind: 'schema',
  what: 'answer',
  rule: 'schema/answer',
  place: { in: 'answer', at: '' },
  confidence: 1,
  start: 0,
  end: 0,
  decoded: [],
}
