import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { certain, likely, type Row, row, signsOf, strong, sure } from './rows.ts'

/** Operators where values belong, and code where data does: MongoDB, CouchDB, Redis, Elasticsearch, Cassandra, GraphQL (CWE-943). */
export const nosql: Detector = {
  family: 'nosql',
  scan(text, hint, look) {
    if (hint.role === 'name' && !unnamed(text, look)) return signsOf(nameRows, text, hint, look)
    return telling(text, look) ? signsOf(rows, text, hint, look) : noSigns
  },
}

/** What nobody names anything: a parameter without a value is all name. */
const unnamed = sieve(/[{"']/)

const telling = sieve(
  /\$|this\.|sleep\s?\(|return|\|\||&&|db\.|mapReduce|\*\d|\r|\n|__schema|__type|_all_|_search|script|FILTERING|while\s?\(|Date\(/i,
)

const operator =
  'ne|n?in|func|gte?|lte?|eq|regex|where|exists|elemMatch|expr|function|accumulator|n?or|and|not|all|size|mod|type|text|near|rand|jsonSchema|options|comment|slice|lookup|out|merge|set|unset|inc|push|pull|rename|currentDate|bitsAllSet|geoWithin'

/** `user[$ne]`, and `$where` as the name of a member. Names that schemas and references give themselves are none of these. */
const nameRows: readonly Row[] = [
  row('nosql/operator-name', sure, new RegExp(String.raw`(?:^|[\[.])\$(?:${operator})(?:\]|\[|$)`, 'g'), isNoSchema),
  row('nosql/code-name', certain, /(?:^|[[.])\$(?:where|function|accumulator|expr)(?:\]|$)/g),
]

/** `$text`, `$type`, `$comment` and `$set` are members of other languages too. */
function isNoSchema(text: string, { in: part }: Hint): boolean {
  return (
    part !== 'body' ||
    text.includes('[') ||
    !/^\$(?:text|type|comment|set|out|options|size|slice|function|rand|near|all)$/.test(text)
  )
}

const rows: readonly Row[] = [
  row(
    'nosql/operator',
    strong,
    new RegExp(String.raw`[{,\[]\s{0,8}\\{0,3}["']?\$(?:${operator})\\{0,3}["']?\s{0,8}(?::|\]\s{0,4}=)`, 'g'),
    isShort,
  ),
  row(
    'nosql/bare-operator',
    sure,
    /(?:^|[,;'"}\]])\s{0,4}\$(?:where|or|and|ne|gt|nin|regex|comment|expr)["']?\s{0,4}:\s{0,4}['"[{(\d/]/g,
    isShort,
  ),
  row(
    'nosql/bracket-operator',
    sure,
    new RegExp(String.raw`\[\s{0,2}["']?\$(?:${operator})["']?\s{0,2}\]\s{0,2}(?:=|$|\[|%3d)`, 'gi'),
  ),
  row('nosql/where-code', sure, /\$where["']?\s{0,4}:\s{0,4}["']?\s{0,4}(?:function|return|this|sleep|\d|['"]|\()/g),
  row(
    'nosql/broken-document',
    sure,
    /['"]\s{0,4}[,}]\s{0,4}[\])}]?\s{0,4},?\s{0,4}\{?\s{0,4}["']?\$(?:or|and|where|ne|gt|nin|regex|comment|not)["']?\s{0,4}:|\}\s{0,4}\]?\s{0,4},\s{0,4}\$comment\b/g,
  ),
  row(
    'nosql/script',
    strong,
    /(?:^|[^\w])this\.\w{1,32}\s{0,4}(?:\.match\s{0,4}\(|\[|==|!=|\.length|<|>|\.charAt)/g,
    isBrokenOut,
  ),
  row(
    'nosql/script-return',
    sure,
    /['"]\s{0,4}\)?\s{0,4}\}?\s{0,4};\s{0,4}(?:return(?=\s{0,2}[;}]|\s{1,4}(?:true|false|\d|['"({!]|this|db|new))|var\s{1,4}\w{1,16}\s{0,4}=|while\s{0,4}\(|do\s{0,4}\{|db\.|it\s{0,2}=\s{0,2}new)/g,
  ),
  row(
    'nosql/script-condition',
    sure,
    /['"]\s{0,4}\)?\s{0,4}(?:\|\||&&)\s{0,4}\(?\s{0,4}(?:['"]\s{0,2}[\w=!]{0,16}\s{0,4}['"]?\s{0,4}={2,3}|\d{1,8}\s{0,4}={2,3}\s{0,4}\d|this\b|true\b|function\b|['"]\w{1,16}['"]\s{0,4}={2,3}|['"]{2}\s{0,4}={2,3})|^[\s)]{0,4}(?:\|\||&&)\s{0,4}['"]\w{0,16}['"]\s{0,4}={2,3}\s{0,4}['"]|^[\w'"]{0,16}\s{0,4}(?:\|\||&&)\s{0,4}\d{1,8}\s{0,4}={2,3}\s{0,4}\d{1,8}(?:\s{0,4}(?:\/\/|$|%00|\0))|;\s{0,4}return\s{1,4}(?:true|1)\s{0,4};?\s{0,4}(?:\}|var\b|$|\/\/)/g,
  ),
  row('nosql/sleep', strong, /(?:^|[;'"(&|{\s])sleep\s{0,4}\(\s{0,4}\d{3,6}\s{0,4}\)/g, isBrokenOut),
  row(
    'nosql/busy-wait',
    certain,
    /\bwhile\s{0,4}\(\s{0,4}\(?\s{0,4}(?:pt|new\s{1,4}Date\s{0,2}\(\s{0,2}\)|Date\.now\(\))\s{0,4}-\s{0,4}\w{1,16}\s{0,4}[<>]\s{0,4}\d|\bit\s{0,4}=\s{0,4}new\s{1,4}Date\(\);\s{0,4}do\s{0,4}\{/g,
  ),
  row(
    'nosql/database-call',
    strong,
    /(?:^|[;'"{\s])db\.(?:\w{1,32}\.)?(?:insert|find|drop|remove|update|mapReduce|group|eval|getCollectionNames|runCommand|adminCommand|dropDatabase|version|stats|getName|listCollections|injection)\w{0,16}\s{0,4}\(/g,
    isBrokenOut,
  ),
  row(
    'nosql/map-reduce',
    strong,
    /\bmapReduce\s{0,4}\(\s{0,4}function|\bemit\s{0,2}\(\s{0,2}\d\s{0,2},\s{0,2}\d|\btojson(?:one)?line?\s{0,2}\(|\btojson\s{0,2}\(\s{0,2}(?:this|db)/g,
    isShort,
  ),
  row(
    'nosql/redis',
    sure,
    /\*\d{1,3}\r?\n\$\d{1,5}\r?\n|[\r\n]\s{0,2}(?:SLAVEOF|REPLICAOF|CONFIG\s{1,2}(?:SET|GET|REWRITE)|FLUSH(?:ALL|DB)|EVAL\s{1,2}["']|MODULE\s{1,2}LOAD|BGSAVE|SCRIPT\s{1,2}LOAD|SET\s{1,2}\S{1,64}\s{1,2}\S|DEL\s{1,2}\S|KEYS\s{1,2}\*|LPUSH\s|RPUSH\s|SAVE\b|SHUTDOWN\b)/g,
    isShort,
  ),
  row(
    'nosql/memcached',
    sure,
    /[\r\n](?:set|add|replace|append|prepend|cas)\s[^\s]{1,250}\s\d{1,10}\s-?\d{1,10}\s\d{1,8}(?:\snoreply)?\r?\n|[\r\n](?:flush_all|stats\s(?:items|slabs|cachedump)|delete\s\S{1,250})\s{0,4}(?:\r|\n|$)/g,
    isShort,
  ),
  row(
    'nosql/elasticsearch',
    likely,
    /["']script(?:_fields)?["']\s{0,4}:\s{0,4}(?:\{|["'])[^\n]{0,64}(?:java\.|Runtime|import\s|new\s|Math\.class)|\b_search\?source=|\/_(?:shutdown|all\/_search|cluster\/settings|snapshot\/|cat\/indices|nodes\/stats)/g,
  ),
  row(
    'nosql/couchdb',
    strong,
    /(?:^|\/)_(?:all_dbs|all_docs|users\/_all_docs|users\/org\.couchdb|config\/query_servers|temp_view|replicate|node\/_local)\b/g,
    (_text, { in: part }) => part === 'path' || part === 'query',
  ),
  row(
    'nosql/cassandra',
    strong,
    /['"]\s{0,4}(?:;|\/\*|--|\bor\b|\band\b|allow)[^\n]{0,64}\bALLOW\s{1,4}FILTERING\b|^['"].{0,64}ALLOW\s{1,4}FILTERING/gi,
  ),
  row(
    'nosql/graphql-introspection',
    [0.6, 0.1, 0],
    /[{\s]__(?:schema\s{0,4}\{|type\s{0,4}\(\s{0,4}name\s{0,4}:)/g,
    isShort,
  ),
  row(
    'nosql/neo4j',
    likely,
    /['"]\s{0,4}\}?\s{0,4}\)?\s{1,4}(?:RETURN|WITH|MATCH|DETACH|CALL\s{1,4}(?:db|apoc|dbms)\.)\s{0,4}[^\n]{0,48}(?:\/\/|LOAD\s{1,4}CSV|DELETE|apoc\.)/gi,
  ),
]

function isShort(text: string): boolean {
  return text.length < 1000
}

/** A piece of a script that comes behind a quote, a semicolon, or first: not one in the middle of a program. */
function isBrokenOut(text: string, hint: Hint, start: number): boolean {
  if (hint.role === 'identifier') return true
  // A body may hold an example; nobody's example throws everything away.
  if (
    hint.in === 'body' &&
    start < 3 &&
    /^\s{0,4}db\.\w{1,32}\.(?:find|insert|update|aggregate|count|distinct)/.test(text)
  )
    return false
  if (text.length > 400 || text.includes('\n\n')) return false
  return (
    start < 3 ||
    /['"]\s{0,4}\)?\s{0,4}(?:[;|&}]{1,2}|$)/.test(text.slice(Math.max(0, start - 24), start + 1)) ||
    /^['"\d\w]{0,16}['"]?\s{0,4}[;|&]/.test(text)
  )
}
