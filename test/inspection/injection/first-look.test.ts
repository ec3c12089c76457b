// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of others are what is looked for
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { alternativesOf } from '../../../src/inspection/injection/alternatives.ts'
import { detectors } from '../../../src/inspection/injection/detectors.ts'
import { FirstLook } from '../../../src/inspection/injection/first-look.ts'
import { requirementOf, Sieved } from '../../../src/inspection/injection/requirement.ts'
import { asMember, asParameter, blindLook } from './families/cases.ts'
import { honestMessages } from './honest-messages.ts'

describe('CT3: a first look keeps no expression from a text that it matches', () => {
  const patterns: readonly RegExp[] = [
    /union|select/i,
    /\b(?:curl|wget)\b[^|\n;]{1,20}\|\s{0,4}(?:ba|z)?sh\b/i,
    /x{2}y{0,3}z+w*v?u/,
    /a(?:b|cd?|)e/,
    /(?:ab|[xyz])[0-9]{2}\.\w/,
    /[-+*]=|[^a-z]q|[a-c]k/,
    /(?:a{0,2}b){2}\/\*c/,
    /\$\{[^}]{0,4}\}|%(?:2e|2f)/i,
    /['"`]\s?or\s?\d/,
    /\r\n[A-Z]{2}:|\x41\u0042c/,
    /(?:one|two(?:three|four)?)(?=)five/,
    /[\]x-]y|\(\)\{/,
  ]
  for (const pattern of patterns)
    it(String(pattern), () => {
      const requirement = requirementOf(pattern)
      fc.assert(
        fc.property(matching(pattern), fc.string(), fc.string(), (match, before, after) => {
          const text = before + match + after
          assert.ok(!pattern.test(text) || new FirstLook(text).mayMeet(requirement), JSON.stringify(text))
        }),
        { numRuns: 300 },
      )
    })

  for (const pattern of patterns)
    it(`nor any of its alternatives: ${pattern}`, () => {
      const sieved = new Sieved(pattern)
      fc.assert(
        fc.property(matching(pattern), fc.string(), fc.string(), (match, before, after) => {
          const text = before + match + after + plainWords
          const look = new FirstLook(text)
          const whole = pattern.exec(text)
          if (whole !== null) assert.ok(look.mayMeet(sieved.requirement) && sieved.matches(text, look), text)
          assert.deepEqual(firstOf(sieved.possibleIn(look), text), whole && [whole.index, whole[0]], text)
          assert.deepEqual(
            firstOf(
              alternativesOf(pattern, () => false),
              text,
            ),
            whole && [whole.index, whole[0]],
            text,
          )
        }),
        { numRuns: 300 },
      )
    })

  it('and keeps most from a text that they do not match', () => {
    const look = new FirstLook('Could you send me the report by Friday, please?')
    for (const pattern of [/union\s{1,4}select/i, /\bpowershell\b/, /<script|<svg/, /\$\{|\{\{/])
      assert.ok(!look.mayMeet(requirementOf(pattern)), String(pattern))
  })

  it('once another text was looked at, it knows nothing, and keeps none', () => {
    const look = new FirstLook('abc')
    assert.ok(!look.mayMeet(requirementOf(/xyz/)))
    assert.ok(new FirstLook('def').mayMeet(requirementOf(/def/)))
    assert.ok(look.mayMeet(requirementOf(/xyz/)))
  })

  it('the signs of every detector are the same with it and without', () => {
    const piece = fc.constantFrom(
      ...'\'|"|`|; cat /etc/passwd|$(id)|../../|%2e%2e%2f|{{7*7}}|${jndi:ldap://a}|<svg onload=alert(1)>|javascript:alert(1)'.split(
        '|',
      ),
      ...'\' or 1=1--|union select 1,2|; drop table a--|{"$ne":1}|__proto__[a]=1|*)(uid=*))|\r\nSet-Cookie: a=b|rO0ABXNy|O:4:"Evil":0:{'.split(
        '|',
      ),
      ..."http://127.0.0.1/admin|php://filter|<!ENTITY a SYSTEM|count(//a)|eval(atob('a'))|__import__('os')|words of a sentence| |\n|a|1".split(
        '|',
      ),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 6 }), (pieces) => {
        const text = pieces.join('')
        for (const hint of [asParameter, asMember])
          for (const { family, scan } of detectors)
            for (const whole of [text, text + plainWords])
              assert.deepEqual(scan(whole, hint, new FirstLook(whole)), scan(whole, hint, blindLook()), family)
      }),
      { numRuns: 400 },
    )
    for (const text of honestMessages.map((message) => JSON.stringify(message)))
      for (const { family, scan } of detectors)
        assert.deepEqual(scan(text, asMember, new FirstLook(text)), scan(text, asMember, blindLook()), family)
  })
})

/** Of texts as long as this it is asked which alternatives they could match. */
const plainWords = ` ${'Could you send me the report by Friday, please? '.repeat(6)}`

/** The first match of any, and of those that begin at one place that of the first. */
function firstOf(patterns: readonly RegExp[], text: string): [number, string] | null {
  let first: RegExpExecArray | null = null
  for (const pattern of patterns) {
    const match = pattern.exec(text)
    if (match !== null && (first === null || match.index < first.index)) first = match
  }
  return first && [first.index, first[0]]
}

/** Texts that it matches, of which those of either case where it does not care; what takes no room is not generated. */
function matching({ source, ignoreCase }: RegExp): fc.Arbitrary<string> {
  const made = fc.stringMatching(new RegExp(source.replaceAll(/\\b|\(\?=\)/g, '')))
  return ignoreCase
    ? fc.oneof(
        made,
        made.map((text) => text.toUpperCase()),
      )
    : made
}
