import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Match, openRedactor } from '../../../src/inspection/stream/redactor.ts'

function over(
  ...lists: readonly (readonly (readonly [start: number, end: number, kind: string, confidence?: number])[])[]
) {
  return openRedactor({
    scanners: lists.map((list) => ({
      reach: 8,
      scan: () => list.map(([start, end, kind, confidence = 1]) => ({ kind, rule: kind, start, end, confidence })),
    })),
    replacement: (_, { kind }: Match) => `[${kind}]`,
  })
}

test('CT4: of two matches over each other the longer has the place, and what is left of the shorter goes too', () => {
  assert.equal(over([[0, 6, 'a']], [[4, 8, 'b']]).redact('0123456789').text, '[a][b]89')
  assert.equal(over([[2, 4, 'a']], [[0, 8, 'b']]).redact('0123456789').text, '[b]89')
  assert.equal(over([[0, 4, 'a'], [5, 9, 'c']], [[3, 6, 'b']]).redact('0123456789').text, '[a][b][c]9') // biome-ignore format: a row
})

test('CT4: of two matches of one length the surer has the place', () => {
  assert.equal(over([[0, 4, 'a', 0.5]], [[0, 4, 'b', 0.9]]).redact('0123456789').text, '[b]456789')
})

test('CT4: nothing that any scanner found stays, and nothing else goes', () => {
  const list = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 4 })), { maxLength: 6 }).map((steps) => {
    let at = 0
    return steps.map(([length, gap]) => [at + gap, (at += gap + length), 'x'] as const)
  })
  fc.assert(
    fc.property(list, list, list, (...lists) => {
      const text = Array.from({ length: 80 }, (_, at) => String.fromCharCode(0x100 + at)).join('')
      const covered = (at: number): boolean => lists.some((its) => its.some(([start, end]) => start <= at && at < end))
      const left = [...text].filter((_, at) => !covered(at)).join('')
      assert.equal(
        over(...lists)
          .redact(text)
          .text.replaceAll('[x]', ''),
        left,
      )
    }),
  )
})
