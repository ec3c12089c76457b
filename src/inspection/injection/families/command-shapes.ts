import type { Hint } from '../detector.ts'
import { certain, likely, type Row, row, strong, sure, weak } from './rows.ts'

/** What only shells read, and only those write who want one to. */
export const shellRows: readonly Row[] = [
  row('command/shellshock', certain, /\(\s{0,4}\)\s{0,4}\{\s{0,4}[^}]{0,32}[;:]\s{0,4}\}/g, isShellshock),
  row('command/function', [0.8, 0.3, 0], /^\s{0,4}\(\)\s{0,4}\{|:\(\)\s{0,4}\{\s{0,4}:\s{0,4}\|\s{0,4}:/g),
  row('command/alias', [0.7, 0.1, 0], /(?:^|[;|&`]\s{0,4})alias\s{1,4}\w{1,16}=\S/g),
  row(
    'command/reverse-shell',
    sure,
    /\/dev\/(?:tcp|udp)\/[\w.$-]{1,64}\/|\bn(?:c|cat|etcat)(?:\.\w{1,16})?\s{1,4}(?:-\w{1,8}\s{1,4}){0,4}-\w{0,6}[ec]\w{0,4}\s{1,4}(?:\/|cmd|sh\b|bash)|\b(?:ba|z|k)?sh\s{1,4}-i\s{0,4}[>&|]|mkfifo\s{1,4}\/tmp\/|socket\.socket\(\)|pty\.spawn\(|fsockopen\(/gi,
  ),
  row(
    'command/argument',
    strong,
    /^\s{0,4}['"]?(?:-o\s{0,2}ProxyCommand|--(?:upload-pack|receive-pack|checkpoint-action|use-askpass|to-command|rsh-command|open-files-in-pager|config=alias\.\w{1,16}|exec-path))[=\s]\S/gi,
  ),
  row('command/field-separator', sure, /\$\{?IFS\b|\bIFS=[^;\s]{0,8};/g),
  row(
    'command/process-substitution',
    likely,
    /[<>]\((?:\s{0,4})(?:cat|curl|wget|echo|id|ls|sh|bash|python|perl|nc)\b/gi,
  ),
  row(
    'command/fetch-and-run',
    [0.9, 0.3, 0],
    /\b(?:curl|wget|fetch|lwp-download|iwr)\b[^|\n;]{1,160}\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|k|da)?sh\b/gi,
  ),
  row(
    'command/encoded',
    sure,
    /\bbase(?:64|32)\s{1,4}(?:-d\b|-D\b|--decode|-{1,2}di\b)|\bxxd\s{1,4}-r\b|(?:\$'(?:\\x[0-9a-f]{2}|\\[0-7]{3}|[^'\\]{0,8}\\x[0-9a-f]{2}))/gi,
  ),
  row('command/here-string', strong, /(?:^|[;|&`(]|\$\()\s{0,4}[\w.$/-]{1,24}\s{0,4}<<<\s{0,4}\S/g),
  row(
    'command/arithmetic',
    strong,
    /\$0\s{0,2}<{2,3}|\$\(\(\s{0,4}\$\(\(|\$\(\(\s{0,4}\d{1,9}\s{0,4}[-+*/%]\s{0,4}\d{1,9}\s{0,4}\)\)|\$\[\s{0,4}\d{1,9}\s{0,4}[-+*]\s{0,4}\d{1,9}\s{0,4}\]|\bset\s{1,4}\/a\s{1,4}\(?\d/gi,
  ),
  row(
    'command/braces',
    sure,
    /\{(?:\/(?:usr\/)?bin\/)?(?:cat|ls|echo|curl|wget|id|head|tail|nc|sh|bash|ping|cp|rm|uname|sleep|nl|tac|more|less),[^}\n]{1,64}\}|\{\s{0,2},[a-z]{1,12},[^}\s]{0,48}\}|\{[a-z]{1,12},[-/][^}\s]{1,48}\}/gi,
  ),
  row(
    'command/parameter',
    sure,
    /\$\{(?:PATH|HOME|PWD|SHELL|SHELLOPTS|HOSTNAME|LS_COLORS|BASH\w{0,16}|PS\d|OLDPWD|[A-Za-z_]{1,16}):(?:-?\d|\s-\d)|\$\{!?\w{1,16}@[A-Za-z]\}|\$\{\w{1,16}\/{1,2}[^}]{1,16}\/|\$\{\w{1,16}(?:##|%%|\^\^|,,)/g,
  ),
  row(
    'command/shell-path',
    [0.8, 0.1, 0],
    /(?:^|[\s;|&`'"(=<])\/(?:usr\/)?(?:local\/)?s?bin\/(?:ba|z|k|c|tc|da|a|fi|rba)?sh\s{1,4}-\w/gi,
  ),
  row(
    'command/shell-string',
    [0.75, 0.2, 0],
    /(?:^|[;|&`(]|\$\()\s{0,4}(?:ba|z|k|c|tc|da|a)?sh\s{1,4}-\w{0,4}c\b|\b(?:perl|ruby|lua)\s{1,4}-e\s{1,4}['"]|\bpython\d?(?:\.\d{1,2})?\s{1,4}-c\s{1,4}['"]|\bphp\s{1,4}-r\s{1,4}['"]|\b(?:cmd|command)(?:\.exe|\.com)?\s{1,4}\/[ckv]\b|cmd\.exe\b/gi,
  ),
  row(
    'command/caret',
    sure,
    /\b[a-z]{1,4}\^[a-z]{1,4}(?:\^[a-z]{1,6}){1,8}\b|\b(?:c\^md|cm\^d|c\^m\^d|p\^ower|po\^wer|pow\^er|wh\^oami|who\^ami|n\^et|ne\^t|pi\^ng|p\^ing)/gi,
  ),
  row(
    'command/environment',
    sure,
    /%(?:COMSPEC|PROGRAMFILES|SYSTEMROOT|WINDIR|PATHEXT|PATH|TMP|USERNAME|CommonProgramFiles)(?:\(x86\))?:[~=\w-]{0,4}[^%\s]{0,16}%|%COMSPEC%/gi,
  ),
  row(
    'command/cmd-for',
    [0.88, 0.5, 0.05],
    /\bfor\s{1,8}(?:\/[flrd]\s{1,8}(?:[^\s%]{1,32}\s{1,8}|"[^"]{0,64}"\s{1,8}|\\"[^"]{0,64}"\s{1,8}){0,2})?%{1,2}\w{1,16}\s{1,8}in\s{1,8}\(/gi,
  ),
  row(
    'command/cmd-if',
    strong,
    /\bif\s{1,4}(?:\/i\s{1,4})?(?:not\s{1,4})?(?:exist\s{1,4}[\w.\\:%]{1,64}\s|errorlevel\s{1,4}\d|defined\s{1,4}\w{1,24}\s|"%~?\w{1,16}%?"\s{0,4}(?:==|equ|neq)\s|%\w{1,16}%\s{0,4}(?:==|equ|neq|lss)\s)/gi,
  ),
  row(
    'command/powershell',
    sure,
    /\bpowershell(?:\.exe)?\s{1,4}(?:\S{1,24}\s{1,4}){0,6}[-/](?:e(?:c|nc\w{0,16})?|nop\w{0,10}|noni\w{0,12}|w(?:indow\w{0,8})?|ep|ex\w{0,16})\b|\b(?:IEX|Invoke-Expression)\s{0,4}[($"'&]|\bNet\.WebClient\b|\.Download(?:String|File|Data)\s{0,4}\(|\[(?:System\.)?(?:Text\.Encoding|Convert|Reflection\.Assembly|Diagnostics\.Process)\]::|\bFromBase64String\s{0,4}\(/gi,
  ),
  row(
    'command/powershell-command',
    strong,
    /\b(?:powershell|pwsh)(?:\.exe)?\s{1,4}(?:[-/]\w{1,24}\s{1,4}){0,4}[-/]c(?:ommand)?\b/gi,
    isCarried,
  ),
  row('command/backtick-noise', strong, /\b(?:i`?e`x|i`e`?x|ie`x|in`?v`o|d`ow|do`wn|n`ew-|ne`w-|po`wer|s`tart)/gi),
  row(
    'command/tool-escape',
    strong,
    /\b(?:vim?|ed|less|man|more)\s{1,4}\S{0,32}\s{0,4}[\s+]{1,4}\S{0,24}\s{0,4}\\{0,4}[:!]\\{0,4}!?\s{0,2}(?:sh|bash|id|whoami|cat|ls)|\bfind\s{1,4}\S{1,48}\s{1,4}(?:-\w{1,16}\s{1,4}\S{1,32}\s{1,4}){0,4}-(?:exec|ok)(?:dir)?\s|\btar\s{1,4}[^;\n]{0,64}--checkpoint-action|\bawk\s{1,4}['"]?BEGIN\s{0,4}\{\s{0,4}system/gi,
  ),
  row(
    'command/dropped-program',
    strong,
    /(?:[;|&]|\$\()\s{0,4}(?:(?:\.|source|sh|bash|exec)\s{1,4})?(?:\/(?:var\/)?tmp|\/dev\/shm)\/[\w.]/g,
  ),
  row('command/shell-variable', strong, /[;|&]\s{0,4}\$\{?(?:SHELL|BASH)\}?(?:[\s;|&]|$)/g),
  row('command/case', strong, /[;|&]\s{0,4}case\s{1,4}\S{1,32}\s{1,4}in\s/g),
  row('command/loader', strong, /(?:^|[;|&\s])(?:LD_(?:PRELOAD|AUDIT)|BASH_ENV|PROMPT_COMMAND|PERL5OPT)=[^\s;]/g),
  row(
    'command/redirect',
    likely,
    /(?:\d|&|\s)>{1,2}\s{0,4}&?(?:\/dev\/(?:null|tcp)|\/tmp\/|\/var\/www|nul\b)/gi,
    isShort,
  ),
  row('command/dos-variable', weak, /%(?:USERNAME|USERPROFILE|COMPUTERNAME|OS|SYSTEMDRIVE|APPDATA|TEMP)%/g),
]

/** A function that is nothing, and what is run behind it (CVE-2014-6271): a program's `() {}` has nothing behind it to run. */
function isShellshock(text: string, _hint: unknown, start: number, end: number): boolean {
  if (text.startsWith('=>', end) || text.charCodeAt(start - 1) === 0x3d) return false
  const before = start === 0 ? 0x20 : text.charCodeAt(start - 1)
  if (!(before <= 0x20 || before === 0x22 || before === 0x27 || before === 0x3d || before === 0x3a)) return false
  return /^\s{0,4}(?:>_\[|;|\{|\/|echo|\w{1,16}\s)/.test(text.slice(end, end + 40))
}

/** Behind something else, or in a parameter: a member of a body that begins with it shows it. */
function isCarried(_text: string, { in: part }: Hint, start: number): boolean {
  return start > 1 || (part !== 'body' && part !== 'answer')
}

function isShort(text: string): boolean {
  return text.length < 200
}
