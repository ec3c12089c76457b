import type { FirstLook } from '../first-look.ts'
import { sieve } from '../requirement.ts'

/**
 * Whether a text is worth reading as SQL: whether anything stands in it that a walk could begin with. Most of what people write
 * is let go here, at the cost of one pass; what is let through costs nothing but time.
 */
export function mayHoldSql(text: string, look: FirstLook): boolean {
  return gate(text, look)
}

/** White space, and what may stand for it. */
const gap = String.raw`[\s\u0085()/*!#+~-]`

/** Words that go on behind an operand. */
const goesOn =
  'and|or|xor|union|intersect|except|minus|like|rlike|regexp|ilike|glob|similar|between|in|is|not|div|mod|sounds|order|group|having|where|limit|into|as|procedure|collate|using|exec|execute|waitfor|declare|if|drop|insert|update|delete|alter|create|truncate|shutdown|grant|revoke|begin|for|offset|from|goto'

/** Words that a statement begins with. */
const begins =
  'select|insert|update|delete|drop|create|alter|truncate|exec|execute|declare|shutdown|begin|call|if|copy|grant|revoke|load|merge|replace|set|use|show|attach|pragma|handler|prepare|do|backup|bulk|kill|rename|dbcc|waitfor|goto|with|explain|flush|lock|table|detach|restore|optimize|install|uninstall|comment|refresh|reset|discard|purge|raiserror'

/** A quote, and what may follow a literal: not what follows an apostrophe, or the end of a quotation. */
function behindQuote(quote: string): string {
  return String.raw`${quote}(?:${gap}{0,8}(?:[^\s\w,.?:'"${'`'}\u0080-\uffff()/*!#+~-]|(?:${goesOn})\b)|\s{0,8}(?:[-+*/#~!(]|,\s{0,4}\(|\)\s{0,4}[-+*/#~!()]))`
}

/** Whether one of these quotes may close the literal that a text begins in. */
export function mayBreakOut(text: string, quote: "'" | '"' | '`'): boolean {
  return text.includes(quote) && breakouts[quote].test(text)
}

const breakouts = {
  "'": new RegExp(behindQuote("'"), 'i'),
  '"': new RegExp(behindQuote('"'), 'i'),
  '`': new RegExp(behindQuote('`'), 'i'),
}

const gate = sieve(
  new RegExp(
    [
      behindQuote('[\'"`]'),
      // a condition that goes on with more than a name
      String.raw`\b(?:x?or|and|having|not|rlike|where)\b${gap}{0,8}[^\s\w,.;:?\u0080-\uffff()/*!#+~-]`,
      String.raw`\b(?:x?or|and|having|where|rlike)\b${gap}{0,8}(?:\d|null\b|true\b|false\b|not\b|[\w@$.]{1,64}${gap}{0,8}(?:[=<>(|&]|(?:like|rlike|regexp|div|sounds)\b|is\s{1,4}(?:not\s{1,4})?null\b|(?:in|between)\s{0,4}[\d(]))`,
      String.raw`\d(?:x?or|and)\b`,
      String.raw`(?:\|\||&&)`,
      String.raw`\b(?:union|intersect|except|minus)\b${gap}{0,8}(?:all|distinct|distinctrow|select|values|table|[#-])`,
      String.raw`\dunion\b`,
      String.raw`\bunion#`,
      String.raw`;${gap}{0,8}(?:${begins})\b`,
      String.raw`^${gap}{0,8}(?:${begins})\b`,
      String.raw`\b(?:select|procedure|values)\b${gap}{0,8}[^\s,.;:?]`,
      String.raw`\bcase${gap}{1,8}when\b`,
      String.raw`\b(?:order|group)\b\s{0,8}.{0,8}\bby\b`,
      String.raw`\blimit\b\s{0,8}\d`,
      String.raw`\binto\b\s{0,8}(?:out|dump)file`,
      // functions that are of no use to anybody else
      String.raw`\b(?:sleep|benchmark|waitfor|extractvalue|updatexml|load_file|make_set|xmltype|analyse|pg_|dbms_|utl_|xp_|sp_|rdb\$|v\$|ctxsys|information_schema)`,
      String.raw`\b(?:exp|elt|iif|if|ascii|substr(?:ing)?|substring_index)\s{0,8}(?:\(|/\*|--|#)`,
      String.raw`\)\s{0,4}(?:--|#|/\*)`,
      String.raw`^\s{0,8}[)\d'"-].{0,64}(?:--|#|/\*|[=<>])`,
      String.raw`[=<>]\s{0,4}\d`,
      String.raw`\d\.?e\(`,
      String.raw`\d\s{1,8}(?:drop|truncate|exec|execute|declare|waitfor|shutdown|insert|delete|update)\s`,
      '@@|\\0|\\$\\$',
    ].join('|'),
    'i',
  ),
)
