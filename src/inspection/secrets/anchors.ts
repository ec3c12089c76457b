import { readKeyText } from '../../kernel/key-text.ts'
import { entropy } from './alphabets.ts'
import { isAlphanumeric, type Tell } from './sighting.ts'

/** Credentials that are told by something in their middle: it is looked for, and what stands around it is read. */
export function findAnchored(text: string, tell: Tell): void {
  for (const { anchor, before, after, rule, kind } of anchors) {
    for (let at = text.indexOf(anchor); at >= 0; at = text.indexOf(anchor, at + anchor.length)) {
      const from = Math.max(0, at - before.most - 1)
      const left = before.form.exec(text.slice(from, at))
      if (left === null || isAlphanumeric(text.charCodeAt(at - left[0].length - 1))) continue
      after.lastIndex = at + anchor.length
      const right = after.exec(text)
      if (right === null) continue
      const [start, end] = [at - left[0].length, at + anchor.length + right[0].length]
      if (
        isAlphanumeric(text.charCodeAt(end)) ||
        entropy(text.slice(start, end)) < 3 ||
        /[xX]{6}/.test(text.slice(start, end))
      )
        continue
      tell({ kind, rule: `secret/${rule}`, start, end, confidence: 0.97 })
    }
  }
  findOwnKeys(text, tell)
}

interface Anchor {
  readonly rule: string
  readonly kind: 'api-key' | 'token' | 'private-key'
  readonly anchor: string
  readonly before: { readonly form: RegExp; readonly most: number }
  readonly after: RegExp
}

// biome-ignore format: a table
const anchors: readonly Anchor[] = [
  { rule: 'openai-key', kind: 'api-key', anchor: 'T3BlbkFJ', before: { form: /sk-(?:[a-z]{2,10}-)?[A-Za-z0-9_-]{20,74}$/, most: 90 }, after: /[A-Za-z0-9_-]{20,74}/y },
  { rule: 'terraform-token', kind: 'token', anchor: '.atlasv1.', before: { form: /[A-Za-z0-9]{14}$/, most: 15 }, after: /[A-Za-z0-9_=-]{60,70}/y },
  { rule: 'azure-client-secret', kind: 'api-key', anchor: 'Q~', before: { form: /[A-Za-z0-9_~.]{3}\d$/, most: 4 }, after: /[A-Za-z0-9_~.-]{31,34}/y },
  { rule: 'telegram-token', kind: 'token', anchor: ':A', before: { form: /(?:bot)?\d{5,16}$/, most: 20 }, after: /[A-Za-z0-9_-]{34}/y },
  { rule: 'mailchimp-key', kind: 'api-key', anchor: '-us', before: { form: /[0-9a-f]{32}$/, most: 33 }, after: /\d{1,2}/y },
  { rule: 'maxmind-key', kind: 'api-key', anchor: '_mmk', before: { form: /[A-Za-z0-9]{6}_[A-Za-z0-9]{29}$/, most: 37 }, after: /(?![A-Za-z0-9_])/y },
  { rule: 'facebook-token', kind: 'token', anchor: '|', before: { form: /\d{15,16}$/, most: 17 }, after: /[A-Za-z0-9_=-]{27,40}/y },
  { rule: 'azure-devops-token', kind: 'token', anchor: 'JQQJ99', before: { form: /[A-Za-z0-9]{46,52}$/, most: 53 }, after: /[A-Za-z0-9]{24,28}/y },
  { rule: 'azure-storage-key', kind: 'api-key', anchor: '+AStz', before: { form: /[A-Za-z0-9+/]{76}$/, most: 77 }, after: /[A-Za-z0-9+/]{4,6}={0,2}/y },
]

/** Keys of this house, by their checksum; of a mistyped one too, since it was meant to be one. */
function findOwnKeys(text: string, tell: Tell): void {
  for (let at = text.indexOf('_'); at >= 0; at = text.indexOf('_', at + 1)) {
    if (text.charCodeAt(at + 16) !== 0x5f) continue
    keyTail.lastIndex = at
    const tail = keyTail.exec(text)
    if (tail === null) continue
    const end = at + tail[0].length
    let start = at
    while (
      start > 0 &&
      at - start < 21 &&
      (isAlphanumeric(text.charCodeAt(start - 1)) || text.charCodeAt(start - 1) === 0x5f)
    )
      start--
    for (let from = start; from < at; from++) {
      if (readKeyText(text.slice(from, end)) === undefined) continue
      tell({ kind: 'api-key', rule: 'secret/gatehouse-key', start: from, end, confidence: 1 })
      break
    }
  }
}

const keyTail = /_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}(?![0-9A-Za-z])/y
