import { type Detector, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { likely, type Row, row, signsOf, strong } from './rows.ts'

/**
 * Sessions that an attacker chooses for somebody else (CWE-384): a cookie that markup or a script sets, and the name of a
 * framework's session cookie where a parameter is named. Who sent somebody there is not to be seen in a text.
 */
export const fixation: Detector = {
  family: 'fixation',
  scan(text, hint, look) {
    if (hint.role !== 'name') return cookieish(text, look) ? signsOf(rows, text, hint, look) : noSigns
    return hint.in === 'query' ? signsOf(nameRows, text, hint, look) : noSigns
  },
}

const cookieish = sieve(/cookie|sess/i)

const nameRows: readonly Row[] = [
  row(
    'fixation/parameter',
    likely,
    /^(?:phpsess(?:id|ion)|jsessionid|jservsession|jwsession|asp(?:\.net_|net)?session(?:id)?\w{0,16}|cfid|cftoken|cfsid|rack\.session|play_session|laravel_session|connect\.sid|_flask_session|weblogicsession|_session_id|zenid|cakephp|symfony|ci_session|django_session|wordpress_logged_in\w{0,48})$/gi,
  ),
]

const rows: readonly Row[] = [
  row(
    'fixation/set-by-script',
    strong,
    /\.cookie\s{0,4}=\s{0,4}\\{0,2}["'`]?[^\n]{0,80}(?:;\s{0,4}(?:expires|domain|path|max-age)\s{0,4}=|sess)|\.cookie\b.{0,20};\W{0,4}(?:expires|domain|path)\b/gi,
    isShort,
  ),
  row('fixation/set-by-markup', strong, /\bhttp-equiv\W{1,8}set-cookie\b/gi),
  row(
    'fixation/in-value',
    likely,
    /(?:^|[?&;])(?:phpsessid|jsessionid|asp\.net_sessionid|aspsessionid\w{0,16}|cfid|cftoken)=[\w.-]{1,128}/gi,
    (text, { in: part }) => part === 'query' && text.length < 400,
  ),
]

function isShort(text: string): boolean {
  return text.length < 400
}
