import { viewsOfField } from '../decode/field-views.ts'
import type { Field } from '../field.ts'
import type { Finding } from '../finding.ts'
import { isModelText } from '../model-text.ts'
import { harmless, surestFirst, type Verdict, worthRemembering } from '../verdict.ts'
import type { PromptOptions } from './options.ts'
import { openPromptScanner, usualThreshold } from './scanner.ts'
import { toolResultsIn } from './tool-results.ts'

/** Looks for orders to a model in the texts of a message that a model would read (OWASP LLM01). */
export interface PromptCheck {
  readonly blocks: boolean
  judge(fields: readonly Field[]): Verdict
}

/** Of requests, or of answers, which bring back what others wrote. Undefined where nothing is looked for. */
export function openPromptCheck(
  options: PromptOptions = {},
  of: 'requests' | 'answers' = 'requests',
): PromptCheck | undefined {
  const { threshold = usualThreshold, fields: places } = options
  const mode = options[of] ?? 'off'
  if (mode === 'off') return undefined
  const scanner = openPromptScanner()
  const isMeant = isModelText(places)
  return {
    blocks: mode === 'block',
    judge(fields) {
      const findings: Finding[] = []
      const refused: Finding[] = []
      let score = 0
      const isResult = of === 'answers' ? always : toolResultsIn(fields)
      for (const field of fields) {
        if (!isMeant(field)) continue
        const { place } = field
        const judged = scanner.judge(field.text, isResult(field) ? 'tool-result' : 'auto', viewsOfField(field))
        if (judged.score < worthRemembering) continue
        const found = judged.signs.map(
          ({ what, rule, confidence, start, end, decoded }): Finding => ({
            kind: 'prompt',
            what,
            rule: rule.startsWith('prompt/') ? rule : `prompt/${rule}`,
            place,
            confidence,
            start,
            end,
            decoded,
          }),
        )
        findings.push(...found)
        score = Math.max(score, judged.score)
        if (mode === 'block' && judged.score >= threshold) refused.push(...found)
      }
      return findings.length === 0
        ? harmless
        : { findings: surestFirst(findings), score, refused: surestFirst(refused) }
    },
  }
}

const always = (): boolean => true
