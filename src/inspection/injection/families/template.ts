import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure, type Weight, weighed } from './rows.ts'
import { settingOf } from './setting.ts'

/** Expressions of template engines and of expression languages (CWE-1336, CWE-917): not the names in them, but what they do. */
export const template: Detector = {
  family: 'template',
  scan(text, hint, look) {
    if (!opening(text, look)) return noSigns
    const signs = [...signsOf(rows, text, hint, look), ...lookupSigns(text, hint), ...expressionSigns(text, hint)]
    return signs.length === 0 ? noSigns : signs
  },
}

const opening = sieve(/[{<[#$@*~%=]/)

/** How expressions open and close. A longer opening comes before those that it begins with. */
// biome-ignore format: a table
const delimiters: readonly { readonly open: string; readonly close: string; readonly rare: boolean }[] = [
  { open: '{{{', close: '}}}', rare: false },
  { open: '${{', close: '}}',  rare: false },
  { open: '{{',  close: '}}',  rare: false },
  { open: '{%',  close: '%}',  rare: false },
  { open: '{#',  close: '#}',  rare: false },
  { open: '[%',  close: '%]',  rare: true },
  { open: '[[',  close: ']]',  rare: false },
  { open: '[(',  close: ')]',  rare: false },
  { open: '${',  close: '}',   rare: false },
  { open: '#{',  close: '}',   rare: false },
  { open: '*{',  close: '}',   rare: true },
  { open: '~{',  close: '}',   rare: true },
  { open: '@{',  close: '}',   rare: true },
  { open: '%{',  close: '}',   rare: false },
  { open: '@(',  close: ')',   rare: true },
  { open: '<%=', close: '%>',  rare: true },
  { open: '<%',  close: '%>',  rare: true },
  { open: '<#',  close: '>',   rare: false },
  { open: '[#',  close: ']',   rare: false },
  { open: '[=',  close: ']',   rare: false },
  { open: '{@',  close: '}',   rare: false },
  { open: '{',   close: '}',   rare: false },
]

/** By the sign that they open with, and each with its place in the table. */
const opened = Map.groupBy(
  delimiters.map((delimiter, kind) => ({ ...delimiter, kind })),
  ({ open }) => open.charCodeAt(0),
)

/** So much of an expression is read. */
const bodyMax = 400

function expressionSigns(text: string, hint: Hint): readonly Sign[] {
  let best: Sign | undefined
  let setting: ReturnType<typeof settingOf> | undefined
  const ends: number[] = []
  let left = 4 * text.length + bodyMax
  for (let at = 0; at < text.length - 2; at++) {
    if (!isOpening(text.charCodeAt(at))) continue
    for (const { kind, open, close, rare } of opened.get(text.charCodeAt(at)) ?? []) {
      if (!text.startsWith(open, at)) continue
      const from = at + open.length
      // The next end of each kind is looked for once, however many beginnings come before it.
      let closed = ends[kind] ?? -1
      if (closed < from) {
        closed = text.indexOf(close, from)
        if (closed < 0) closed = Infinity
        ends[kind] = closed
      }
      const length = closed - from
      if (length <= 0 || length > bodyMax) break
      left -= length
      // Openings in openings are each read to their end: who writes thousands of them is not read further, and is refused.
      if (left < 0) return [{ rule: 'template/nesting', confidence: 0.7, start: at, end: from }]
      const judged = judge(open, text.slice(from, closed), rare, text, at, from + length + close.length)
      if (judged === undefined) break
      setting ??= settingOf(text, hint)
      const confidence = weighed(judged.weight, setting)
      if (confidence > 0 && (best === undefined || confidence > best.confidence))
        best = { rule: judged.rule, confidence, start: at, end: from + length + close.length }
      break
    }
    if (best !== undefined && best.confidence > 0.9) break
  }
  return best === undefined ? noSigns : [best]
}

function judge(
  open: string,
  body: string,
  rare: boolean,
  text: string,
  start: number,
  end: number,
): { rule: string; weight: Weight } | undefined {
  const inner = body.trim()
  if (arithmetic.test(inner)) {
    const whole = start < 24 && text.length - end < 24
    if (open === '{' || open === '[[' || open === '[(' || open === '[=')
      return { rule: 'template/arithmetic', weight: whole ? [0.8, 0.3, 0] : [0.4, 0.1, 0] }
    return { rule: 'template/arithmetic', weight: [0.93, 0.7, 0.1] }
  }
  if (open === '{' && !smarty.test(inner)) return undefined
  if (open === '{') return { rule: 'template/smarty', weight: strong }
  if (reaching.test(inner) || (joint.test(inner) && reaching.test(inner.replaceAll(joints, ''))))
    return { rule: 'template/reach', weight: [0.95, 0.75, 0.1] }
  if (internal.test(inner) && open !== '[[' && open !== '[(' && open !== '#{')
    return { rule: 'template/internal', weight: open === '${' ? weakInternal : likely }
  if (quoted.test(inner) && open.startsWith('{{')) return { rule: 'template/operation', weight: likely }
  if (rare && (open === '<%=' || open === '<%'))
    return { rule: 'template/embedded', weight: placeholder.test(inner) ? weakInternal : [0.6, 0.2, 0] }
  return undefined
}

/** `7*7`, `'a'+'b'`, `7*'7'`, `(3-1)*2`, `= 7*7`: something whose answer shows that it was reckoned. */
const arithmetic =
  /^[=!+-]{0,2}\s{0,4}\(?\s{0,4}(?:\d{1,12}(?:\.\d{1,8})?|'[^']{0,24}'|"[^"]{0,24}"|\\?"[^"\\]{0,24}\\?")\s{0,4}\)?\s{0,4}(?:[-+*/%~]|\*\*|\/\/|\|\|?|==|\bmod\b)\s{0,4}\(?\s{0,4}(?:\d{1,12}(?:\.\d{1,8})?|'[^']{0,24}'|"[^"]{0,24}")(?:\s{0,4}[-+*/%)]{1,2}\s{0,4}(?:\d{1,12})?){0,4}\s{0,4}[)-]?(?:\s{0,4}\|\s{0,4}\w{1,16})?$/

/** What reaches from a value to the language, from there to the machine. */
const reaching = new RegExp(
  [
    '__(?:class|mro|base|bases|subclasses|globals|builtins|init|import|dict|getattribute|self|code|module|name)__',
    String.raw`\.(?:mro\(|__|getClass\b|forName\b|getRuntime|getMethod|newInstance|getClassLoader|getProtectionDomain|classLoader|class\.(?:forName|getResource|protectionDomain|getClassLoader|base|mro|inspect)|constructor\b|popen\(|subclasses\(|iteritems\(|mainModule|inspect\(|execute\(|System\b)`,
    String.raw`\["?'?(?:constructor|__proto__|__class__|class)["']?\]`,
    String.raw`\bclass\.(?:getResource|getClassLoader|forName|inspect)\b`,
    String.raw`\bT\(\s{0,4}[a-z]`,
    String.raw`\bjava\.(?:lang|util|io|net)\b`,
    String.raw`\bfreemarker\.`,
    String.raw`"\?new\b|'\?new\b|\?(?:new|api|eval|interpret)\b`,
    String.raw`\|\s{0,4}(?:attr|filter|map|reduce|sort|join|format|select|groupby)\s{0,2}\(\s{0,4}\[?['"]?(?:system|exec|passthru|shell_exec|phpinfo|__|\\x5f|request|popen|os|file_get)`,
    String.raw`\|\s{0,4}attr\s{0,4}\(`,
    String.raw`\|\s{0,4}(?:file_excerpt|debug_zval)`,
    String.raw`\b(?:system|exec|passthru|shell_exec|popen|phpinfo|eval|assert|proc_open|readfile|file_get_contents|getenv|sleep|fetch)\s{0,4}\(\s{0,4}['"$\d)]`,
    String.raw`\b_self\.|\blipsum\.|\bcycler\.|\bjoiner\.|\bself\.(?:_|template|env)|\bget_flashed_messages\b|\burl_for\.|\bapp\.(?:request|security|session|user|environment)|\bhandler\.settings|\bconfig\.(?:items|__|from)|\brequest\.(?:application|args|environ|cookies|headers|values|__)|\bdump\s{0,2}\(|\bsettings\.SECRET`,
    String.raw`\b(?:File|IO|Dir|Kernel|Process|Open3|ObjectSpace)\.(?:open|read|popen|new|entries|exec|system|spawn|readlines|glob|each_object|foreach|binread)`,
    String.raw`\bimport\s{1,4}(?:os|subprocess|sys)\b|\bos\.(?:popen|system|environ)|\bsubprocess\.`,
    String.raw`\bprocess\.(?:mainModule|binding|env|exit|constructor|cwd|version)|\brequire\s{0,4}\(|\bglobal\.process|\broot\.process|\bglobalThis\b|\bString\.fromCharCode|\bchild_process`,
    String.raw`^\x60|\b%x|\bqx\W|^\[\s{0,2}qx|^\[\s{0,4}\w{1,12}\s`,
    String.raw`^#?(?:assign|include|import|setting|function|macro)\s{1,4}\S{0,24}\s{0,4}=?\s{0,4}['"]|^(?:debug|include|import|load|extends|ssi|php|raw)\b\s{0,4}(?:$|['"/])`,
    String.raw`^(?:smarty|php|literal)\b`,
    String.raw`^\$smarty\.`,
    String.raw`#(?:context|root|this|rt|_memberAccess|request|application|session|attr|parameters|response)\b|@(?:java|org|com|ognl|servletContext)[.@\w]|\(#\w{1,16}\s{0,4}=`,
    String.raw`\b(?:pageContext|sessionScope|applicationScope|requestScope|facesContext|param|header|initParam)\b\s{0,4}[.[]`,
    String.raw`^#with\s{1,4}["'(]|\blookup\s{1,4}string|string\.sub\b|#each\s{1,4}conslist|\bas\s{1,4}\|\w{1,16}\|`,
    String.raw`^\.$|^(?:printf|html|js|print|define|template|call)\s{1,4}["'.]|^\.\w{1,24}\s{1,4}"`,
    String.raw`\bSystem\.(?:Diagnostics|IO|Environment|Reflection)|\bResponse\.Write|\bProcess\.Start|\bvar\s{1,4}\w{1,16}\s{0,4}=\s{0,4}(?:System|new|process)`,
    String.raw`^(?:set|for|if|with)\s[^%]{0,64}(?:\(\)|\[\]|''|"")\.|^for\s{1,4}\w{1,16}(?:,\s{0,4}\w{1,16})?\s{1,4}in\s{1,4}(?:config|\(\)|\[\]|request|self)`,
    String.raw`^range\.constructor|\btoString\s{0,2}\(\)\.|\bconstructor\.constructor|\b(?:script|url|dns|file|sys|env|java|xml|base64decoder|const|resourceBundle):(?:javascript|js|https?|utf|[^\s]{0,24}:)`,
    String.raw`\bnew\s{1,4}(?:java|javax|org)\.`,
    String.raw`\bbean\.|\bapplicationContext\b|\bspringMacroRequestContext\b|\bexec\b['"]?\s{0,4}\]`,
  ].join('|'),
  'i',
)

/** Between the pieces of one string: `'__cla'+'ss__'`, `'__cla''ss__'`. */
const joint = /["']\s{0,4}[+~]?\s{0,4}["']/
const joints = new RegExp(joint, 'g')

/** Names that engines give themselves, asked for alone. */
const internal =
  /^(?:self|_self|request|config|settings|app|this|session|context|_context|env|environment|global|globals|dump|debug|range|namespace|lipsum|cycler|g|locals|globals\(\)|locals\(\)|request\..{1,32}|config\..{1,32}|debug\s?-?|@root|_all|\.|class|app\.\w{1,16}|password|user\.password|secret\w{0,8}|pageContext|product\.class|version|\.data|smarty\.version)$/

/** `'a'.toUpperCase()`, `"a"|upper`, `['id']|filter('system')`, `[].class`: an operation on what was just written down. */
const quoted = /^(?:'[^']{0,64}'|"[^"]{0,64}"|\[[^\]]{0,48}\]|\(\)|\d{1,6})\s{0,4}(?:\.[a-z_]|\||\[)/i

/** What translations leave open: `<%= count %>`. */
const placeholder = /^[=-]?\s{0,4}[a-z_]\w{0,40}(?:\.[a-z_]\w{0,40}){0,3}$/i

const smarty =
  /^(?:php|\/php|\$smarty\b|smarty\.|literal|if\s{1,4}(?:system|phpinfo|exec|passthru|readfile|shell_exec|file_get)|(?:system|phpinfo|exec|passthru|shell_exec|readfile|file_get_contents)\s{0,2}\(|self::|Smarty_|include\s{1,4}file=|fetch\s{1,4}file=|eval\s{1,4}var=|math\s{1,4}equation=|\$\w{1,16}->|\$_(?:GET|POST|SERVER))/i

const weakInternal: Weight = [0.35, 0.1, 0]

/**
 * Lookups of Log4j (CVE-2021-44228), in each of which another one may stand for a letter: they are unfolded first, by taking away
 * what stands for itself.
 */
function lookupSigns(text: string, hint: Hint): readonly Sign[] {
  const start = text.indexOf('${')
  if (start < 0) return noSigns
  const unfolded = text.replace(lookupNoise, '').toLowerCase()
  const setting = settingOf(text, hint)
  const found = /\b(?:jndi|ndi):(?:ldaps?|rmi|dns|iiop|nis|nds|corba|https?|\/|\$|[a-z]{2,5}:)|\bjndi:/.test(unfolded)
  if (found) return [{ rule: 'template/jndi', confidence: weighed(jndi, setting), start, end: text.length }]
  const nested = nestedLookup.exec(text)
  if (nested === null) return noSigns
  return [
    { rule: 'template/nested-lookup', confidence: weighed(strong, setting), start: nested.index, end: text.length },
  ]
}

const jndi: Weight = [0.98, 0.85, 0.4]
const lookupNoise = /\$\{(?:lower|upper|date|base64|main|map|marker|bundle):|\$\{[^{}$]{0,64}:-|[${}'"\\\s]/gi
const nestedLookup = /\$\{[^{}$\s]{0,32}\$\{(?:[^{}$]{0,32}:|::)/

function isOpening(code: number): boolean {
  // { $ # * ~ @ % < [
  return (
    code === 0x7b ||
    code === 0x24 ||
    code === 0x23 ||
    code === 0x2a ||
    code === 0x7e ||
    code === 0x40 ||
    code === 0x25 ||
    code === 0x3c ||
    code === 0x5b
  )
}

const rows: readonly Row[] = [
  row('template/polyglot', certain, /\$\{\{<%|\{\{<%\[|<%\[%'"|\$\{<%|#\{<%|\{\{\[%/g),
  row(
    'template/velocity',
    strong,
    /#(?:set|evaluate|include|parse|foreach)\s{0,2}\(\s{0,4}[$"']|\$(?:class|request|session|context|application)\.(?:inspect|getClass|class|getSession|getServletContext)|\$\w{1,16}\.(?:class\.forName|getClass\(\)|class\.inspect)/gi,
  ),
  row(
    'template/freemarker',
    sure,
    /<#(?:assign|include|import|list|setting|macro|function)\s[^>]{0,80}|\[#(?:assign|include|list)\s|freemarker\.template\.|\?new\s{0,2}\(\s{0,2}\)/gi,
    isExpression,
  ),
  row(
    'template/mako',
    strong,
    /<%(?:!|\s{1,4}import|\s{0,4}(?:x\s{0,2}=|import\b))|\$\{self\.|<%(?:def|include|namespace|inherit|page)\s/gi,
  ),
  row('template/perl-interpolation', sure, /@\{\s{0,4}\[/g),
  row(
    'template/pug',
    likely,
    /^[-=!#]\s{0,4}(?:var\s|(?:global|root|process|require)\b|\d{1,6}\s{0,4}\*\s{0,4}\d{1,6}$)|#\{(?:function|global|root|process)\b/gi,
  ),
  row(
    'template/razor',
    likely,
    /@(?:System\.|Html\.Raw\(|DateTime\.|Environment\.|HttpContext\.|Request\.|\{\s{0,4}(?:var|int|string)\s|using\s{1,4}System)|@\(\s{0,4}\d{1,8}\s{0,4}[-+*]\s{0,4}\d{1,8}\s{0,4}\)/g,
  ),
  row(
    'template/thymeleaf',
    sure,
    /__\$\{[^}]{0,96}\}__|::\.x\b|\bth:(?:text|utext|inline)\s{0,2}=\s{0,2}["']?\$\{T\(/g,
  ),
  row(
    'template/angular',
    strong,
    /\bconstructor\.constructor\s{0,2}\(|\$(?:eval|on|new)\.constructor|\$eval\s{0,2}\(\s{0,2}['"]/g,
  ),
  row(
    'template/expression-language',
    sure,
    /[#$%]\{\s{0,4}(?:\(#|#\w{1,16}\s{0,4}=|T\(|''\.|""\.|@java|new\s{1,4}java)/g,
  ),
  row(
    'template/lookup',
    likely,
    /\$\{(?:env|sys|java|ctx|main|k8s|docker|web|spring|bundle|event|log4j):[^}\s]{1,80}\}/gi,
    isParameter,
  ),
  row(
    'template/remote-lookup',
    strong,
    /\$\{(?:dns|url|script|file|xml|resourceBundle|const):[^}\s]{1,120}\}/gi,
    isParameter,
  ),
  row(
    'template/block',
    likely,
    /\{%[-+]?\s{0,4}(?:print|set|if|for|with|do|call|macro|filter|block|include|extends)\b[^%\n]{0,80}%\}/g,
    isParameter,
  ),
  row('template/print', likely, /\{%[-+]?\s{0,4}print\b[^%\n]{1,80}%\}/g),
  row(
    'template/tornado',
    strong,
    /\{%\s{0,4}(?:import|from|raw|autoescape|apply|module|debug)\b[^%]{0,48}%\}|\{%\s{0,4}for\s{1,4}\w{1,8}\s{1,4}in\s{1,4}(?:\(\)|\[\]|config|self|request)/g,
    isShort,
  ),
]

/** What a configuration of a body says to its own program, a parameter does not. */
function isParameter(_text: string, { in: part, role }: Hint): boolean {
  return (part !== 'body' && part !== 'answer') || role === 'identifier'
}

function isExpression(_text: string, _hint: Hint, start: number, end: number): boolean {
  return end - start > 5
}

function isShort(text: string): boolean {
  return text.length < 400
}
