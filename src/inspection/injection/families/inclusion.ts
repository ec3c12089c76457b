import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure } from './rows.ts'

/** Files from elsewhere that a program would run as its own: PHP's stream wrappers, and addresses of scripts (CWE-98). */
export const inclusion: Detector = {
  family: 'inclusion',
  scan: (text, hint, look) => (address(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

const address = sieve(/:\/\/|\\\\|(?:php|data|zip|phar|expect|glob|zlib|bzip2|ogg|rar|input):/i)

const rows: readonly Row[] = [
  row(
    'inclusion/wrapper',
    [0.95, 0.5, 0.05],
    /(?:^|[^\w])(?:php:\/\/(?:filter|input|temp|memory|stdin|fd|output)|(?:compress\.)?(?:zlib|bzip2|zip):\/\/|(?:phar|expect|glob|ogg|rar|ssh2(?:\.\w{1,8})?|zip|mhtml|view-source|jar|netdoc|auth):\/\/)/gi,
    isNoGlob,
  ),
  row(
    'inclusion/filter',
    certain,
    /\bconvert\.(?:base64|iconv|quoted)[-.]\w|\bresource=(?:https?:|[./]|\w{1,40}\.php)|\bstring\.(?:rot13|toupper|strip_tags)\b.{0,32}resource=/gi,
  ),
  row(
    'inclusion/data',
    sure,
    /(?:^|[=\s"'(])data:(?:\/\/|(?:text\/plain|application\/x-httpd-php|text\/php)?;base64,(?:PD9|PD8|PHNjcmlwdC|PCU))/gi,
  ),
  row('inclusion/data-php', sure, /(?:^|[=\s"'(])data:(?:\/\/)?[\w/+-]{0,40},\s{0,4}(?:<\?|%3c%3f)/gi),
  row(
    'inclusion/cut-address',
    [0.88, 0.15, 0],
    /(?:^|=)\s{0,2}(?:https?|ftps?):\/\/[^\s?"'<>]{1,160}(?:\?{1,4}|%3f|\0|%00|%2500)\s{0,2}$/gi,
    isNoQuestion,
  ),
  row(
    'inclusion/script',
    [0.75, 0.1, 0],
    /(?:^|=)\s{0,2}(?:https?|ftps?|smb):\/\/[^\s?"'<>]{1,160}\/[^\s/?"'<>]{0,60}(?:shell|cmd|c99|r57|c100|b374k|wso|backdoor|exploit|evil|inject|rfi|id)\w{0,8}\.(?:txt|php\d?|gif|jpe?g|png|inc|aspx?|jspx?|dat|log)\b/gi,
    isAsked,
  ),
  row(
    'inclusion/address-script',
    strong,
    /(?:^|=)\s{0,2}(?:https?|ftps?):\/\/(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]|\d{8,10}|0x[0-9a-f]{8})(?::\d{1,5})?\/[^\s"'<>]{0,120}\.(?:php\d?|txt|inc|phtml|jspx?|aspx?|pl|sh|py|cgi)\b/gi,
    isAsked,
  ),
  row(
    'inclusion/credentials',
    likely,
    /(?:^|=)\s{0,2}(?:ftps?|ssh2?\.?\w{0,8}|smb):\/\/[^\s/@:]{1,40}:[^\s/@]{1,40}@/gi,
  ),
  row('inclusion/unc', likely, /^\\\\{1,2}(?:\d{1,3}(?:\.\d{1,3}){3}|[\w-]{1,40}(?:\.[\w-]{1,40}){1,4})\\[\w$-]/g),
  row('inclusion/php-attribute', strong, /\bauto_(?:prepend|append)_file\b|\ballow_url_(?:include|fopen)\b\s{0,4}=/gi),
]

/** `glob://` and `jar://` stand in configurations of builders, too. */
function isNoGlob(text: string): boolean {
  return text.length < 2000
}

/** A parameter is asked for an address; a member of a body may hold one for many reasons. */
function isAsked(text: string, { in: part }: Hint): boolean {
  return (part === 'query' || part === 'path' || part === 'cookie' || part === 'header') && text.length < 600
}

/** A question mark at the very end cuts off what a program would append. In a sentence it asks. */
function isNoQuestion(text: string, hint: Hint, start: number): boolean {
  return start < 64 && !/\s/.test(text.trim()) && isAsked(text, hint)
}
