import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Detector } from '../../../../src/inspection/injection/detector.ts'
import { code } from '../../../../src/inspection/injection/families/code.ts'
import { command } from '../../../../src/inspection/injection/families/command.ts'
import { crlf } from '../../../../src/inspection/injection/families/crlf.ts'
import { deserialisation } from '../../../../src/inspection/injection/families/deserialisation.ts'
import { fixation } from '../../../../src/inspection/injection/families/fixation.ts'
import { inclusion } from '../../../../src/inspection/injection/families/inclusion.ts'
import { ldap } from '../../../../src/inspection/injection/families/ldap.ts'
import { mail } from '../../../../src/inspection/injection/families/mail.ts'
import { nosql } from '../../../../src/inspection/injection/families/nosql.ts'
import { prototype } from '../../../../src/inspection/injection/families/prototype.ts'
import { ssi } from '../../../../src/inspection/injection/families/ssi.ts'
import { ssrf } from '../../../../src/inspection/injection/families/ssrf.ts'
import { template } from '../../../../src/inspection/injection/families/template.ts'
import { traversal } from '../../../../src/inspection/injection/families/traversal.ts'
import { xpath } from '../../../../src/inspection/injection/families/xpath.ts'
import { xxe } from '../../../../src/inspection/injection/families/xxe.ts'
import { asParameter, blindLook } from './cases.ts'

/** What each detector knows the beginning of, and never finds the end of. */
// biome-ignore format: a table
const openings: readonly (readonly [Detector, readonly string[]])[] = [
  [command,         ['; a', '`', '$(', "c'a", '${', '$a', '&', '|', '{cat,', '\n', '() {', '/???', '\\a', '^a', '>(', 'for %', '%PATH', 'curl ', 'powershell -', '$((', 'a=b ', 'sudo ', 'vi ', 'find a -a b ', "$'\\x41", 'if ', '\u00a0`a b c`', '"\'', '{a,', '{"']],
  [traversal,       ['..', '../', '%25', '%2e', '%252e', '..%', '0x2e', '.', '/', '/.', '....', 'etc/', '/etc/', '\\..', '%c0', '/a.', 'c:\\', '.git', '%2e%2e%2', 'web-inf']],
  [template,        ['{', '${', '{{', '{%', '<%', '#{', '[[', '@(', '}}', '{{{{}}', '${${', '{{a}}', '{{7*', '${jndi', '<#', '*{', '{{"', '${a:-', '{}', '[=', '#set(', '${lower:', "{{'a'|"]],
  [code,            ['<?', '$_', '${', 'eval(', 'while(', "('a'.", 'system (', '__import__', 'require(', 'java.', 'org.apache.', 'Runtime', 'T(', '#_', '(#a=', 'qx', '$a[', '\\', "'a'.'b'", 'runtime ', 'function(', 'constructor[', 'java.io.', '(a)/*', 'for(;']],
  [nosql,           ['$', '{"$', "'||", "';", '[$', 'this.', 'db.', '\r\n', '*1\r\n$', '{', 'while(', '&&', 'sleep(', '||1==', '$where', "' } ", '\nset a 1 ', 'return', '{"$gt"']],
  [ldap,            ['(', ')', '*)(', ')(', '(&', '(|(', '*', ')(a', '(a=', '*)', '\\28', '%28', ')(a=b', '(!(', '|(']],
  [xpath,           ["' or ", '//', '/*', '::', 'count(', '//a[', "']", '|', 'ancestor::', 'substring(', '/*[1]', '//a/', "' or name(", '](', 'for $a in ']],
  [xxe,             ['<!', '<!DOCTYPE ', '<!ENTITY ', '<!ENTITY a "', '&a;', '%a;', '<image ', '<!DOCTYPE a SYSTEM "', '<xi:', '<![CDATA[', '<?xml-stylesheet ', 'xsi:schemaLocation="', '<!DOCTYPE a PUBLIC "a" "', '[']],
  [ssrf,            ['http://', '//', 'http://a@', 'http://[', 'http://1.', '\\\\', 'file:', ':/', 'http://0x', 'http://a\\', 'gopher://', 'a@', '[', '1.', 'http://127.0.0.1:', 'jar:', 'http:', 'a.', 'file:${', 'https://a&@']],
  [inclusion,       ['php://', 'data:', 'http://', '://', 'http://a?', 'resource=', '\\\\', 'http://1.1.1.1/', 'data://a', 'http://a/shell', 'string.rot13', 'ftp://a:', 'zip:', '=http://a/']],
  [prototype,       ['__proto__', '__proto__[', 'constructor', 'constructor[', '{"__proto__', '.', 'a.__proto__', '["__proto__', 'Object.prototype.']],
  [crlf,            ['\r\n', '%0d', '%250a', '\n', '\r\na', '\nSet-Cookie', '\\r', '\u560a', '\nGET ', '\na-', '\n\n', '0\r\n\r\n', '\nHTTP/1.1', '\nx-', '\n \t']],
  [mail,            ['\r\n', '%0a', '\nRCPT ', '\nA1 ', '\nto', '\nbcc:', '\nUSER ', 'STORE 1', '\n ', 'FETCH ', '\nDATA', '\nsubject', '\nto: ']],
  [deserialisation, ['rO0AB', 'O:1', 'O:1:"', 'a:1:{', 'cos\n', '!!', '!ruby/', 'BAh', '\x80', '{"$type"', '"@type":"', '["com.', 'H4sI', 'gAS', '\x04\b', '<java ', 'Tzo', 'AAEAAAD', '"$type":"', '<object ']],
  [ssi,             ['<!--', '<!--#', '<!-- ', '<esi:', '<!--#exec ', '<!--#echo', 'surrogate-control:']],
  [fixation,        ['.cookie', 'document.cookie=', 'cookie', 'sess', 'http-equiv', '.cookie=a', 'jsessionid=', '?']],
]

const common = ['%25', '"', "'", '(', '[', '{', '<', '\\', ' ', 'a ', '/', '.', '=', 'a', '\0', '\n', '\u4e00', '-']
const large = 1 << 20
const small = large / 4
/** The square of so many characters takes longer than that, however quick each step is. */
const squareMsMin = 40

for (const [detector, prefixes] of openings) {
  test(`CT3: ${detector.family} takes time in proportion to the text: ${prefixes.length + common.length} kinds of a megabyte`, () => {
    for (const prefix of [...prefixes, ...common]) {
      const of = (length: number) => prefix.repeat(Math.ceil(length / prefix.length)).slice(0, length)
      const shorter = of(small)
      if (once(detector, shorter) < squareMsMin) continue
      const longer = of(large)
      const grown = () => best(detector, longer) / Math.max(best(detector, shorter), granularityMs)
      // Once more where something else was busy just then.
      const ratio = [grown, grown, grown].reduce(
        (least, measure) => (least < 6 ? least : Math.min(least, measure())),
        Infinity,
      )
      assert.ok(ratio < 6, `${JSON.stringify(prefix)}: four times the text took ${ratio.toFixed(1)} times as long`)
    }
  })
}

/** Time is counted in ticks of a few milliseconds. */
const granularityMs = 8

/** All expressions are run, also those that a first look would spare. */
const look = blindLook()

function best(detector: Detector, text: string): number {
  return Math.min(once(detector, text), once(detector, text), once(detector, text))
}

/** Time of this thread alone: other work of the machine is not counted. */
function once(detector: Detector, text: string): number {
  const began = process.threadCpuUsage()
  detector.scan(text, asParameter, look)
  const { user, system } = process.threadCpuUsage(began)
  return (user + system) / 1000
}
