import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { likely, type Row, row, signsOf, strong, sure, type Weight, weak } from './rows.ts'
import { type Setting, settingOf } from './setting.ts'

/** Documents of XML that have their reader fetch, or multiply, something (XML 1.0 §4.2.2; CWE-611, CWE-776). */
export const xxe: Detector = {
  family: 'xxe',
  scan(text, hint, look) {
    return telling(text, look) ? signsOf(rows, text, hint, look, settingOfXml(text, hint)) : noSigns
  },
}

const telling = sieve(
  /<!|<\?xml-|xinclude|xi:|<xsl|document\s?\(|schemalocation|xlink:href|&\w{1,16};\s{0,2}&\w{1,16};|%\w{1,16};|<!\[CDATA|<(?:image|use|msxsl|foreignobject)\b/i,
)

/** XML has lines, and is no document of a person's for that: where the text begins with a tag, it is what it says. */
function settingOfXml(text: string, hint: Hint): Setting {
  return text.charCodeAt(firstInk(text)) === 0x3c ? 'value' : settingOf(text, hint)
}

function firstInk(text: string): number {
  let at = 0
  while (at < text.length && (text.charCodeAt(at) <= 0x20 || text.charCodeAt(at) === 0xfeff)) at++
  return at
}

/** What is not XML from its first character on tells about it. */
const declared: Weight = [0.98, 0.8, 0.15]

const rows: readonly Row[] = [
  row(
    'xxe/external-entity',
    declared,
    /<!ENTITY\s{1,16}(?:%\s{1,16}|&#(?:x25|37);\s{1,16})?[^\s"'<>]{1,64}\s{1,16}(?:SYSTEM|PUBLIC)\b/gi,
  ),
  row('xxe/parameter-entity', declared, /<!ENTITY\s{1,16}(?:%|&#(?:x25|37);)\s{1,16}[^\s"'<>]{1,64}/gi),
  row('xxe/entity', sure, /<!ENTITY\s{1,16}[^\s"'<>]{1,64}\s{1,16}["']/gi),
  row('xxe/entity-expansion', declared, /<!ENTITY\s{1,16}[^\s"'<>]{1,64}\s{1,16}["'](?:&\w{1,24};){2,}/gi),
  row(
    'xxe/external-subset',
    strong,
    /<!DOCTYPE\s{1,16}[^\s"'<>[]{1,64}\s{1,16}(?:SYSTEM\s{1,16}["']|PUBLIC\s{1,16}["'][^"']{0,128}["']\s{1,16}["'])/gi,
    isForeignSubset,
  ),
  row(
    'xxe/internal-subset',
    sure,
    /<!DOCTYPE\s{1,16}[^\s"'<>[]{1,64}\s{0,16}(?:(?:SYSTEM|PUBLIC)\s{1,16}["'][^"']{0,128}["']\s{0,16}(?:["'][^"']{0,128}["']\s{0,16})?)?\[/gi,
  ),
  row('xxe/parameter-reference', likely, /[[>\]]\s{0,16}%[a-z][\w.-]{0,24};/gi),
  row(
    'xxe/xinclude',
    sure,
    /<xi:include\b|xmlns:\w{1,16}\s{0,4}=\s{0,4}["']http:\/\/www\.w3\.org\/2001\/XInclude["']|<include\s{1,8}xmlns\s{0,4}=\s{0,4}["'][^"']{0,40}XInclude/gi,
  ),
  row(
    'xxe/stylesheet',
    strong,
    /<\?xml-stylesheet\b[^>]{0,64}href\s{0,4}=\s{0,4}["'](?:https?:|ftp:|file:|\/\/)|<xsl:(?:import|include|value-of\s{1,8}select\s{0,4}=\s{0,4}["'](?:system-property|document|unparsed-text|php:function))|<msxsl:script\b|\bphp:function\s{0,2}\(\s{0,2}['"]/gi,
  ),
  row(
    'xxe/schema-location',
    likely,
    /\bxsi:(?:noNamespaceS|s)chemaLocation\s{0,4}=\s{0,4}["'][^"'<>]{0,160}https?:\/\/(?!(?:www\.)?(?:w3\.org|xmlsoap|oasis|springframework|maven|apache|jcp|sun|oracle|java|schemas|sitemaps|topografix|gs1|loc\.gov|omg))/gi,
    isStrange,
  ),
  row(
    'xxe/svg-image',
    sure,
    /<(?:image|use|script|foreignObject)\b[^>]{0,160}(?:xlink:)?href\s{0,4}=\s{0,4}["'](?:file:|expect:|php:|https?:\/\/(?:127\.|localhost|169\.254|10\.|192\.168)|text:|msl:|ephemeral:)/gi,
  ),
  row('xxe/cdata-smuggling', weak, /<!\[CDATA\[\s{0,4}(?:<!|<script|'|\]\]>)/gi),
  row('xxe/soap-dtd', sure, /<!\[CDATA\[\s{0,8}<!DOCTYPE/gi),
]

/** HTML and the well-known formats name a DTD at home, which no reader of them fetches; one without a scheme lies beside the document. */
function isForeignSubset(text: string, _hint: Hint, _start: number, end: number): boolean {
  const address = text.slice(end, end + 160)
  return fetched.test(address) && !atHome.test(address)
}

/** By the host alone: a public name, and the rest of an address, are whatever their writer likes. */
const atHome =
  /^\s{0,8}(?:about:legacy-compat|(?:https?|ftp):\/\/(?:[\w-]{1,40}\.){0,4}(?:w3\.org|apple\.com|apache\.org|mybatis\.org|ibatis\.com|hibernate\.org|hibernate\.sourceforge\.net|springframework\.org|sun\.com|oracle\.com|eclipse\.org|jboss\.(?:org|com)|opensymphony\.com|puppycrawl\.com|checkstyle\.org|freedesktop\.org|gnome\.org|kde\.org|nih\.gov|oasis-open\.org|docbook\.org|wapforum\.org|netscape\.com|ietf\.org)(?::\d{1,5})?\/)/i

const fetched = /^\s{0,8}(?:[a-z][a-z0-9+.-]{1,12}:[/\\]|\/\/|\\\\|(?:expect|php|jar|netdoc|gopher|data):|%|&)/i

/** A schema at an address of digits, with a port, or of a program: those of standards have names. */
function isStrange(text: string, _hint: Hint, _start: number, end: number): boolean {
  return !/^[\w.-]{1,80}\/[\w./-]{0,120}\.xsd\b/.test(text.slice(end, end + 220))
}
