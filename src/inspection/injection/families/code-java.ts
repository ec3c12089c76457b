import type { Hint } from '../detector.ts'
import { certain, type Row, row, strong, sure } from './rows.ts'

/** Java, and the expression languages that reach it: OGNL, SpEL, MVEL, Groovy; and the classes that gadget chains are made of. */
export const javaRows: readonly Row[] = [
  row(
    'code/java-exec',
    [0.96, 0.7, 0.1],
    /\bgetRuntime\s{0,4}\(\s{0,4}\)\s{0,4}\.\s{0,4}exec|\bnew\s{1,4}(?:java\.lang\.)?ProcessBuilder\s{0,4}\(|@java\.lang\.\w{4,24}@|\bT\s{0,4}\(\s{0,4}(?:java|org|javax|com|String|System|Runtime)\b[^)]{0,48}\)\s{0,4}\.|\.getClass\s{0,2}\(\s{0,2}\)\s{0,4}\.\s{0,4}forName|\.class\.forName\s{0,4}\(|["']\s{0,2}\.execute\s{0,2}\(\s{0,2}\)|\bgetMethod\s{0,2}\(\s{0,2}["'](?:exec|getRuntime)/gi,
  ),
  row(
    'code/ognl',
    sure,
    /#_memberAccess|#(?:context|attr)\s{0,2}\[\s{0,2}["'](?:com|xwork|org)|\(#\w{1,24}\s{0,4}=\s{0,4}(?:@|new\b|#|['"])|@ognl\.|#(?:dm|ognlUtil|container|iswin|cmds)\s{0,2}=|\bredirect(?:Action)?:\s{0,2}[$%]\{|\ballowStaticMethodAccess\b|\bxwork\.MethodAccessor/gi,
  ),
  row(
    'code/class-loader',
    certain,
    /\bclass\.(?:module\.)?classLoader\b|\bclass\[['"]?(?:module|classLoader)['"]?\]|\bclassLoader\.(?:resources|jarPath|URLs|parent)\b/gi,
  ),
  row(
    'code/java-class',
    [0.85, 0.15, 0],
    /(?<![\w.])(?:java\.(?:lang\.(?:Runtime|Process\w{0,16}|System|Class(?:Loader)?|Thread|Object|StringBuilder|StringBuffer|reflect\b|invoke\b|Shutdown|Compiler|Character|Number|Integer|String|Math|ProcessImpl|UNIXProcess)\b|io\.(?!\w{0,40}Exception\b|Serializable\b)[A-Z]\w{2,32}|net\.(?:URL|Socket|URLClassLoader|ServerSocket|InetAddress)\b|nio\.file\.\w{4,16}|rmi\.\w{4,24}|beans\.XMLDecoder|util\.(?:Scanner|PriorityQueue|zip\.\w{4,16}|logging\.FileHandler)\b|security\.\w{4,16})|javax\.(?:naming\.\w{4,24}|script\.\w{4,24}|management\.\w{4,32})|sun\.(?:misc|reflect)\.\w{4,24})(?![\w.]*Exception)/g,
    isNamed,
  ),
  row(
    'code/java-package',
    [0.8, 0.1, 0],
    /(?<![\w./@:-])(?:com\.sun\.(?:org\.apache|rowset|jndi)\b|org\.apache\.(?:commons\b(?!-)|xalan|xbean|wicket|logging|struts2?|tomcat|catalina|velocity\.runtime)|com\.opensymphony\.xwork2?|com\.mchange\.v2|org\.codehaus\.groovy\.runtime|org\.springframework\.(?:context\.support|beans\.factory|expression|core\.SerializableTypeWrapper)|org\.hibernate\.(?:tuple|engine)|org\.jboss\.(?:interceptor|weld)|groovy\.(?:lang|util)\.\w{4,24}|org\.mozilla\.javascript|bsh\.(?:Interpreter|XThis)|ognl\.\w{4,24}|freemarker\.template\.utility)/g,
    isNamed,
  ),
  row(
    'code/java-gadget',
    strong,
    /(?<![a-z])(?:java\.\w{1,20}\.(?:runtime|processbuilder)\b|(?:runtime|processbuilder)\b[^\n]{0,48}\b(?:clonetransformer|forclosure|instantiate(?:factory|transformer)|invokertransformer|prototype(?:clone|serialization)factory|whileclosure|getproperty|filewriter|xmldecoder)|(?:invoker|instantiate|chained|constant|clone)transformer\b|(?:prototype(?:clone|serialization)|instantiate)factory\b|(?:for|while)closure\b|templatesimpl\b|badattributevalueexpexception|jdbcrowsetimpl|annotationinvocationhandler|classpathxmlapplicationcontext|filesystemxmlapplicationcontext|scriptenginemanager|comparablecomparator|beancomparator|javax\.naming\.spi|elprocessor\b|methodclosure\b)/gi,
    isNamed,
  ),
  row('code/java-gadget-base64', [0.7, 0, 0], gadgetsInBase64(), isWholeBase64),
]

/** Short, and without spaces but for those of markup: base64 may be all of it. */
export function isDense(text: string): boolean {
  return text.length < denseMax && (!text.includes(' ') || text.startsWith('<'))
}

const denseMax = 400

/** In a value. A log line, a stack trace or a sentence names classes as well, and has other words around them. */
function isNamed(text: string, { role, in: part }: Hint, start: number, end: number): boolean {
  if (role === 'identifier' || part === 'query' || part === 'cookie' || part === 'header') return true
  if (stackTrace.test(text)) return false
  const trimmed = text.trimStart()
  if (trimmed.startsWith('<') || trimmed.startsWith('--')) return true
  return text.length - (end - start) < 80 && !/\s(?:is|are|the|to|for|in|of|and|you|version)\s/i.test(text)
}

const stackTrace =
  /(?:^|\n)\s{0,8}at\s{1,4}[\w.$]{4,64}\(|Exception\b|\bError:|\bimport\s{1,4}(?:static\s)?[\w.]{4,64};|\bCaused by/

/**
 * Names of gadgets as base64 has them, for each of the three ways in which they may lie across its groups: the bits that belong
 * to neighbours are left off.
 */
function gadgetsInBase64(): RegExp {
  const words = [
    'runtime',
    'processbuilder',
    'clonetransformer',
    'forclosure',
    'instantiatefactory',
    'instantiatetransformer',
    'invokertransformer',
    'prototypeclonefactory',
    'prototypeserializationfactory',
    'whileclosure',
    'getproperty',
    'filewriter',
    'xmldecoder',
  ]
  const forms = words.flatMap((word) =>
    [0, 1, 2].map((shift) => {
      const encoded = Buffer.from('\0'.repeat(shift) + word).toString('base64url')
      const first = Math.ceil((shift * 8) / 6)
      const last = Math.floor(((shift + word.length) * 8) / 6)
      return encoded.slice(first, last)
    }),
  )
  return new RegExp(`(?:${forms.join('|')})`, 'g')
}

function isWholeBase64(text: string, { in: part }: Hint, start: number, end: number): boolean {
  const around = text.length - (end - start)
  return (
    around < 12 ||
    (part !== 'answer' && text.trimStart().startsWith('<') && /^[\w+/=]{0,4}["<]/.test(text.slice(end, end + 8)))
  )
}
