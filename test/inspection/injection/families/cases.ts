import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewsOf } from '../../../../src/inspection/decode/views.ts'
import type { Detector, Hint } from '../../../../src/inspection/injection/detector.ts'
import { FirstLook } from '../../../../src/inspection/injection/first-look.ts'
import { together } from '../../../../src/inspection/verdict.ts'

/** A text in the place where most of its kind arrive, or with what is known of its field. */
export type Case = string | readonly [text: string, hint: Partial<Hint>]

/** How sure all signs of the field are together, through every view of it, as the judge adds them up. */
export function confidenceOf(detectors: readonly Detector[], text: string, hint: Hint): number {
  const found: { what: string; confidence: number }[] = []
  for (const view of viewsOf(text).views) {
    const look = new FirstLook(view.text)
    for (const { family, scan } of detectors) {
      for (const { rule, confidence, start, end } of scan(view.text, hint, look)) {
        assert.ok(start >= 0 && start <= end && end <= view.text.length, `${rule} stands within the text`)
        assert.ok(confidence > 0 && confidence <= 1, `${rule} is a share`)
        found.push({ what: family, confidence })
      }
    }
  }
  return together(found)
}

/** A look that knows nothing any more, and so keeps no expression from being run. */
export function blindLook(): FirstLook {
  const look = new FirstLook('')
  assert.ok(new FirstLook('').mayMeet([]))
  return look
}

/** Each of them is an attack by itself; most parameters are `q` of a query. */
export function attacks(
  what: string,
  detectors: readonly Detector[],
  cases: readonly Case[],
  usual: Partial<Hint> = {},
): void {
  test(`CT3: ${what}: every one of ${cases.length} attacks is found`, () => {
    const missed = cases.filter((one) => confidenceOf(detectors, ...parts(one, { ...asParameter, ...usual })) < 0.5)
    assert.deepEqual(missed, [])
  })
}

/** None of them is an attack; most are the text of a member of a body. */
export function honest(
  what: string,
  detectors: readonly Detector[],
  cases: readonly Case[],
  usual: Partial<Hint> = {},
): void {
  test(`CT3: ${what}: none of ${cases.length} honest texts is taken for an attack`, () => {
    const accused = cases.filter((one) => confidenceOf(detectors, ...parts(one, { ...asMember, ...usual })) >= 0.5)
    assert.deepEqual(accused, [])
  })
}

function parts(one: Case, usual: Hint): [string, Hint] {
  return typeof one === 'string' ? [one, usual] : [one[0], { ...usual, ...one[1] }]
}

export const asParameter: Hint = { role: 'unknown', in: 'query', name: 'q', at: 'q' }
export const asMember: Hint = { role: 'unknown', in: 'body', name: 'text', at: '/text' }
