import { calls, callTraits, objectPrefixes, objects } from './functions.ts'
import { type Kind, kinds, type Word } from './tokens.ts'

/** The word of that text, in lower case, of any dialect. */
export function wordOf(text: string): Word | undefined {
  return table.get(text)
}

/** The word that a name with dots is known by: `information_schema.tables`, `dbms_lock.sleep`, `pg_catalog.version`. */
export function wordOfPath(path: string): Word | undefined {
  const whole = table.get(path)
  if (whole !== undefined) return whole
  const dot = path.indexOf('.')
  if (dot < 0) return path.includes('_') || path.includes('$') ? prefixed(path) : undefined
  const first = path.slice(0, dot)
  if (homes.has(first)) return table.get(path.slice(path.lastIndexOf('.') + 1)) ?? object
  return objects.has(first) ||
    prefixed(first) !== undefined ||
    prefixed(path.slice(path.lastIndexOf('.') + 1)) !== undefined
    ? object
    : undefined
}

function prefixed(text: string): Word | undefined {
  for (const prefix of objectPrefixes) if (text.length > prefix.length && text.startsWith(prefix)) return object
  return undefined
}

const object: Word = { text: '', kind: kinds.name, call: true, trait: 'schema' }

/** Schemas whose functions are everybody's. */
const homes = new Set(['sys', 'pg_catalog', 'mysql', 'dbo', 'information_schema', 'master', 'msdb', 'sysibm', 'syscat'])

const listed: readonly (readonly [Kind, string])[] = [
  [kinds.logic, 'and or xor'],
  [kinds.not, 'not'],
  [kinds.compare, 'like rlike regexp ilike glob similar between in is sounds isnull notnull'],
  [kinds.operator, 'div mod'],
  [
    kinds.literal,
    'null true false current_user session_user system_user current_timestamp current_date current_time localtimestamp sysdate rownum',
  ],
  [
    kinds.prefix,
    'binary all any some exists distinct distinctrow prior interval row unique high_priority straight_join sql_calc_found_rows sql_no_cache sql_cache sql_small_result sql_big_result',
  ],
  [kinds.set, 'union intersect except minus'],
  [kinds.select, 'select'],
  [kinds.branch, 'case when then else end'],
  [
    kinds.clause,
    'from where having group order by limit offset into as on join inner left right outer cross natural full procedure using separator escape uescape collate over partition asc desc nulls fetch for with returning waitfor top values',
  ],
  [
    kinds.statement,
    'insert update delete drop create alter truncate exec execute declare shutdown begin call if copy grant revoke load merge replace set use show attach pragma handler prepare do backup bulk kill rename dbcc goto',
  ],
]

/** Words of the lists above that name a function where an opening bracket follows. */
const alsoCalls = new Set('isnull left right replace if insert mod truncate values row interval'.split(' '))

const table: ReadonlyMap<string, Word> = new Map(
  [
    ...listed.flatMap(([kind, texts]) =>
      texts.split(' ').map((text) => [kind, text, alsoCalls.has(text) ? 'plain' : undefined] as const),
    ),
    ...calls.map((text) => [kinds.name, text, 'plain'] as const),
    ...callTraits.flatMap(([trait, texts]) => texts.map((text) => [kinds.name, text, trait] as const)),
    ...[...objects].map((text) => [kinds.name, text, 'schema'] as const),
  ]
    .reverse() // of two lists that hold a word, the first says what it is
    .map(([kind, text, trait]) => [
      text,
      { text, kind, call: alsoCalls.has(text) || kind === kinds.name || kind === kinds.literal, trait },
    ]),
)

/** What a sign of ASCII counts as in a word, letters in lower case; 0 where it is in none. */
export const wordSigns = Uint8Array.from({ length: 128 }, (_, unit) => {
  const sign = String.fromCharCode(unit)
  return /\w/.test(sign) ? sign.toLowerCase().charCodeAt(0) : 0
})

/** The hash of a word that goes on with one more of the signs above. */
export function hashStep(hash: number, sign: number): number {
  return (Math.imul(hash, 31) + sign) | 0
}

/**
 * Whether a word of ASCII could be a known one: most words of a text are none, and need not be cut out of it to be looked up.
 * `underscored` are those that may be known by how they begin.
 */
export function mayBeWord(hash: number, underscored: boolean): boolean {
  return underscored || (marked(hash) & aWord) !== 0
}

/** The same for a name of several pieces, by its first. */
export function mayBeginPath(hash: number, underscored: boolean): boolean {
  return underscored || (marked(hash) & aHome) !== 0
}

function marked(hash: number): number {
  return marks[(hash ^ (hash >>> 14)) & marksMask] as number
}

const aHome = 1
const aWord = 2
const marksMask = (1 << 14) - 1
const marks = new Uint8Array(marksMask + 1)

function mark(word: string, as: number): void {
  let hash = 0
  for (const sign of word) hash = hashStep(hash, sign.charCodeAt(0))
  marks[(hash ^ (hash >>> 14)) & marksMask] = (marks[(hash ^ (hash >>> 14)) & marksMask] as number) | as
}

for (const word of table.keys()) mark(word, aWord)
for (const home of [...homes, ...objects, ...table.keys()]) mark(home.split('.', 1)[0] as string, aHome)
