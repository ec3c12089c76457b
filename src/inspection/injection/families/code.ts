import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { isDense, javaRows } from './code-java.ts'
import { certain, likely, type Row, row, signsOf, strong, sure, weak } from './rows.ts'

/** Code of the language behind a server: PHP, Perl, Python, Ruby, JavaScript, Java (CWE-94). */
export const code: Detector = {
  family: 'code',
  scan(text, hint, look) {
    const signs = calling(text, look) ? signsOf(rows, text, hint, look) : noSigns
    const java = signsOf(javaRows, text, hint, look)
    if (java.length === 0 || !(isDense(text) || javaish.test(text))) return signs
    return signs.length === 0 ? java : [...signs, ...java]
  },
}

const calling = sieve(/\b(?:c99|r57|b374k|weevely|wso)|[($\x60[=]|<\?|\bIO\.|\bKernel\.|global\.|mainModule|__/)
const javaish =
  /java|class|runtime|process|closure|transform|factory|serial|decoder|templatesimpl|ognl|#_|#[a-z]{2,16}\s?[=[]|\bT\s?\(|\b(?:org|com|sun|bsh)\.|groovy|freemarker|execute|xwork|scriptengine|comparator|redirect(?:action)?:|expexception|rowset|elprocessor|invocationhandler|applicationcontext/i

const rows: readonly Row[] = [
  // PHP
  row(
    'code/php-open',
    [0.95, 0.6, 0.1],
    /<\?(?:php\b|=)|<\?(?!xml[\s-]|xpacket|mso-|import|[a-z-]{1,24}\s[a-z-]{1,24}=)(?=[\s$@(]|[a-z_]{2,20}\s{0,4}\()/gi,
  ),
  row('code/php-processing', strong, /<\?xml\s{1,4}(?!version|encoding|standalone)[^?>]{0,32}\(/gi),
  row(
    'code/php-superglobal',
    strong,
    /\$_(?:GET|POST|COOKIE|REQUEST|SERVER|FILES|ENV|SESSION)\b|\$GLOBALS\b|\$HTTP_(?:RAW_POST_DATA|(?:GET|POST|COOKIE|SERVER|ENV)_VARS)\b|\$_[A-Z ]{2,16}\[\s{0,4}['"]?[A-Z_]{4,24}['"]?\s{0,4}\]/g,
  ),
  row(
    'code/php-variable-function',
    sure,
    /\$\{\s{0,8}@\w{2,24}\s{0,4}\(|\$\s{1,24}\{\s{0,24}[@$]{1,2}\w{1,24}|\$\{\s{0,24}(?:[@$]|'[a-z]|"[a-z])[^}]{0,48}\}\s{0,16}\(|\$\{\s{0,24}@?\$\w{1,24}\s{0,16}\}|\$\w{1,24}(?:\{[^}]{1,16}\}|\[[^\]]{1,24}\])\s{0,4}\(|\(\s{0,4}['"][a-z_]{3,24}['"]\s{0,4}\)\s{0,4}\(|['"](?:system|exec|phpinfo|passthru|assert|shell_exec|eval)['"]\s{0,4}\(/gi,
  ),
  row(
    'code/php-function',
    [0.85, 0.35, 0],
    /(?<![\w.$>#])(?:system|shell_exec|passthru|proc_open|pcntl_exec|popen|assert|create_function|call_user_func(?:_array)?|phpinfo|phpversion|phpcredits|php_uname|posix_\w{2,16}|get_current_user|base64_decode|gzinflate|gzuncompress|str_rot13|convert_uuencode|file_get_contents|file_put_contents|readfile|show_source|highlight_file|move_uploaded_file|ini_(?:set|get|alter)|putenv|tidy_\w{4,24}|curl_(?:exec|init)|fsockopen|pfsockopen|preg_replace|array_(?:map|filter|walk)|usort|register_shutdown_function|extract|parse_str|unserialize|mb_ereg_replace|dl|symlink|scandir|opendir|getcwd|glob|error_log|var_dump|print_r|apache_\w{4,24}|ob_start|fputs|fgets|eval|exec)\s{0,16}\(/gi,
    isCall,
  ),
  row(
    'code/php-builtin',
    [0.75, 0.1, 0],
    /^[;'"\s)}@]{0,6}(?:crypt|chr|ord|fopen|fread|fwrite|fclose|unlink|rename|copy|mkdir|rmdir|chmod|chown|touch|tempnam|strrev|implode|explode|md5|sha1|hex2bin|bin2hex|urldecode|rawurldecode|strtr|sprintf|usleep|is_\w{3,12}|(?:die|sleep|exit)(?=\())\s{0,16}\(.{0,64}\)/gi,
    isShort,
  ),
  row(
    'code/php-concatenation',
    strong,
    /[('"=]\s{0,4}['"]?\w{1,12}['"]\s{0,4}\.\s{0,4}['"]\w{1,12}['"]\s{0,4}[);.]|\(\w{1,16}\)\s{0,4}\/\*[^*]{0,32}\*\/\s{0,4}\(/g,
  ),
  row(
    'code/php-inclusion',
    strong,
    /\b(?:include|require)(?:_once)?\s{0,4}\(?\s{0,4}['"](?:https?|ftps?|data|php|expect|phar|zip):/gi,
  ),
  row(
    'code/php-setting',
    strong,
    /\b(?:allow_url_(?:include|fopen)|auto_(?:append|prepend)_file|disable_functions|open_basedir|safe_mode|suhosin\.\w{3,32}|unserialize_\w{3,32}|cgi\.force_redirect|enable_dl|zend\.\w{3,32}|session\.(?:save_path|upload_progress\.\w{3,16}|auto_start)|opcache\.\w{3,32})\s{0,4}=/gi,
  ),
  row(
    'code/php-tag-script',
    sure,
    /<script[^>]{0,32}language\s{0,4}=\s{0,4}["']?php|<\/?%\s{0,4}(?:eval|execute|response\.write)/gi,
  ),
  row(
    'code/webshell',
    strong,
    /\b(?:c99|r57|b374k|weevely|wso\d?|antsword|godzilla|behinder|china\s?chopper)(?:shell|\.php|\.txt|\.aspx?)\b/gi,
  ),
  // JavaScript
  row(
    'code/node-require',
    sure,
    /\brequire\s{0,8}\(\s{0,4}["'`](?:node:)?(?:child_process|vm|cluster|worker_threads|repl|inspector)["'`]/g,
    isNotModule,
  ),
  row(
    'code/node-reach',
    sure,
    /\bprocess\.(?:mainModule|binding\b|dlopen|_load|_linkedBinding)|\bglobal(?:This)?\.(?:process|require|eval|Function)\b|\bmainModule\.(?:require|constructor)|\bconstructor\s{0,4}(?:\.|\[['"])\s{0,4}constructor|\.constructor\s{0,4}\(\s{0,4}['"`](?:return|alert|throw|var|const|while|process)|\bFunction\s{0,4}\(\s{0,4}['"`]\s{0,4}return|\brequire\s{0,8}\(\s{0,4}["'`](?:fs|os|net|http|path)["'`]\s{0,4}\)\s{0,4}\.\s{0,4}(?:read|exec|write|readdir|createServer|get|hostname)|\b(?:exec|spawn)(?:File)?Sync\s{0,4}\(|\bimport\s{0,4}\(\s{0,4}['"`](?:node:)?child_process/g,
  ),
  row(
    'code/endless-loop',
    strong,
    /(?<!\w)(?:while\s{0,4}\(\s{0,4}(?:(?:!!){0,4}\[\]|!!\[\]|this|!false|1|true|!0|!!1|\[\]|\{\}|!\(false\)|!null|!``|!''|!""|!undefined|\d{1,4}\s{0,2}[<>]=?\s{0,2}\d{1,4}|'[^']{1,8}'|"[^"]{1,8}")\s{0,4}\)(?=\s{0,4}(?:[;{}"'<]|$|\w{1,24}[(.+]))|for\s{0,4}\(\s{0,4};\s{0,4};\s{0,4}\))/g,
    isEvaluated,
  ),
  row(
    'code/js-evaluation',
    [0.7, 0.1, 0],
    /(?:^|[;'"(\s=+])(?:eval|setTimeout|setInterval|Function)\s{0,4}\(\s{0,4}(?:["'`]|atob|String\.fromCharCode|unescape|this\b)/g,
    isStarted,
  ),
  row(
    'code/js-response',
    likely,
    /\b(?:res|response)\.(?:end|write|send)\s{0,2}\(\s{0,4}(?:require|process|fs\.|['"])/g,
    isStarted,
  ),
  row('code/process-exit', likely, /^\W{0,4}(?:process\.(?:exit|kill|abort)|process\.pid)\b/g),
  // Python
  row(
    'code/python',
    sure,
    /\b__import__\s{0,4}\(|\b__builtins__\b\s{0,4}[.[]|__(?:subclasses|globals|mro|bases?)__\s{0,4}[([.]|[)\]'"]\.__class__\b|\bgetattr\s{0,4}\(\s{0,4}__\w{1,24}__|\bcompile\s{0,4}\([^\n]{1,80},\s{0,4}['"](?:exec|eval)['"]\s{0,4}\)|\bos\.(?:system|popen|exec[lv]p?e?|spawn\w{1,4}|fork)\s{0,4}\(|\bsubprocess\.(?:Popen|call|check_output|check_call|run|getoutput|getstatusoutput)\s{0,4}\(|\b(?:eval|exec)\s{0,4}\(\s{0,4}(?:compile|input|open|__import__|base64|bytes)|\bcommands\.getoutput|\bpty\.spawn|\bimportlib\.import_module\s{0,4}\(|\bpickle\.loads\s{0,4}\(|\bopen\s{0,4}\(\s{0,4}['"]\/(?:etc|proc)/g,
    isNotCodeLine,
  ),
  // Ruby
  row(
    'code/ruby',
    strong,
    /\bKernel\.(?:exit|exec|system|fork|open|spawn|abort|eval|require|load|sleep|\x60)|\bIO\.(?:popen|read|sysopen|binread|readlines|write|foreach)\b|\bOpen3\.\w{4,12}|\bFile\.(?:open|read|new)\s{0,2}\(?\s{0,2}['"]\/|\bProcess\.spawn\b|\bObjectSpace\.|%x[([{|!]\s{0,2}[a-z/]|\bMarshal\.load\b|\beval\s{0,2}\(\s{0,2}params\b|\binstance_eval\b|\bPTY\.spawn|\bDir\.(?:entries|glob)\s{0,2}\(\s{0,2}['"]\//g,
  ),
  // Perl
  row(
    'code/perl',
    strong,
    /\bqx\s{0,2}[{(/|!'"]|\bopen\s{0,2}\(\s{0,2}\w{1,12}\s{0,4},\s{0,4}["'][|<>]|\$ENV\{['"]?PATH|\bprint\s{1,4}(?:`|<[A-Z]{1,8}>)|\bsystem\s{0,2}\(?\s{0,2}["'](?:\/|cat|ls|id|rm|ping|whoami|dir|curl|wget)/g,
  ),
  row(
    'code/quote-concatenation',
    [0.8, 0.2, 0],
    /^[^\s]{0,32}['"]\s{0,4}[.+]\s{0,4}(?:system|eval|exec|phpinfo|print|sleep|assert|passthru|shell_exec|require|__import__|os\.|Thread)\b[^\n]{0,80}\)/g,
  ),
  row(
    'code/process',
    strong,
    /\bSystem\.Diagnostics\.Process\.Start\s{0,4}\(|\bos\.execute\s{0,4}\(\s{0,4}["'[]|\bDeno\.(?:run|Command)\s{0,4}\(|\bBun\.spawn(?:Sync)?\s{0,4}\(/g,
    isNotCodeLine,
  ),
  row('code/jsp', strong, /<jsp:(?:include|scriptlet|expression|declaration|useBean|forward)\b|<c:import\s/gi),
  row('code/template-literal', weak, /\$\{\s{0,4}(?:alert|eval|require|process)\b/g),
  row(
    'code/shell-in-code',
    certain,
    /\b(?:system|exec|passthru|shell_exec|popen)\s{0,8}\(\s{0,4}\\?["']\s{0,4}(?:\/bin\/|cat\s{1,4}\/|id\b|ls\b|whoami|uname|ping\s|sleep\s|dir\b|net\s|ipconfig|ifconfig|wget\s|curl\s|nc\s|touch\s|echo\s)/gi,
    isNotCodeLine,
  ),
]

/** A call that the text begins with, breaks out to, or is the whole of: `exec(` in the middle of a program is that program's. */
function isCall(text: string, hint: Hint, start: number, end: number): boolean {
  if (hint.role === 'identifier') return true
  if (start <= 2) return text.length < 200 && !text.includes('\n')
  const before = text.slice(Math.max(0, start - 12), start)
  if (/[;'"}|&`{(]\s{0,4}@?$/.test(before) || /[?%]>|<\?(?:php|=)?\s{0,4}$/.test(before))
    return end - start > 5 && text.length < 1000 && !declared.test(text)
  return false
}

/** How programs begin that are nothing but programs. */
const declared =
  /^\s{0,16}(?:import|export|const|let|var|function|async|class|def|from|package|using|public|private|#include|return|await|if|type|interface|@\w)\b/

function isShort(text: string): boolean {
  return text.length < 120
}

/** `const x = require('…')` names a module; an expression is what comes with other business. */
function isNotModule(text: string, hint: Hint, start: number): boolean {
  return (
    hint.role === 'identifier' ||
    !/(?:const|let|var)\s[^=\n]{1,64}=\s{0,4}$|^\s{0,4}$/.test(text.slice(Math.max(0, start - 80), start)) ||
    /^.{0,40}\)\s{0,2}\.\s{0,2}(?:exec|spawn|run)/.test(text.slice(start, start + 80))
  )
}

/** Programs come in bodies; a parameter that begins like one is meant to run. */
function isNotCodeLine(text: string, hint: Hint): boolean {
  if (hint.in !== 'body' && hint.in !== 'answer') return true
  return hint.role === 'identifier' || !declared.test(text) || text.length < 60
}

/** An expression that is all there is, or comes first. */
function isEvaluated(text: string, hint: Hint, start: number): boolean {
  return (
    hint.role === 'identifier' ||
    (text.length < 240 && (start < 8 || /[;'"})\]]\s{0,4}$/.test(text.slice(Math.max(0, start - 4), start))))
  )
}

function isStarted(text: string, _hint: Hint, start: number): boolean {
  return (
    text.length < 240 && (start < 2 || /['";)}]\s{0,4}[+;.]?\s{0,2}$/.test(text.slice(Math.max(0, start - 6), start)))
  )
}
