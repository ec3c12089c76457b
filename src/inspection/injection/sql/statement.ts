import { kinds, type Tokens } from './tokens.ts'

/**
 * How many tokens the head of a statement takes that begins at a place, or 0 where none does: `drop table`, `insert into t`,
 * `update t set`, `declare @x`. Words like `drop` and `call` are everybody's; what follows them is not. SQL Server needs no `;`
 * before it: of what stands behind none, only what is seldom said.
 */
export function statementHead(text: string, tokens: Tokens, at: number, separated: boolean): number {
  const word = textAt(text, tokens, at)
  if (!separated && !unseparated.has(word)) return 0
  const next = textAt(text, tokens, at + 1)
  const kind = tokens.kind[at + 1]
  const named = kind === kinds.name || kind === kinds.call
  switch (word) {
    case 'insert':
    case 'merge':
    case 'replace':
      return next === 'into' && isName(tokens, at + 2) && tokens.kind[at + 3] !== kinds.name ? 3 : 0
    case 'update':
      return named && textAt(text, tokens, at + 2) === 'set' && isName(tokens, at + 3) ? 4 : 0
    case 'delete':
      return next === 'from' && isName(tokens, at + 2) && tokens.kind[at + 3] !== kinds.name ? 3 : 0
    case 'drop':
    case 'alter':
    case 'create':
      return afterOrReplace(text, tokens, at + 1) - at
    case 'exec':
    case 'execute':
      if (next === 'as' && ['login', 'user', 'caller'].includes(textAt(text, tokens, at + 2))) return 3
      if (kind === kinds.variable || next === 'immediate' || (separated && kind === kinds.string)) return 2
      if (kind === kinds.left) return executesText(tokens, at + 2) ? 1 : 0
      return tokens.word[at + 1]?.trait !== undefined || procedurePrefix.test(next) ? 2 : 0
    case 'declare':
      return kind === kinds.variable ? 2 : named && declaredTypes.has(textAt(text, tokens, at + 2)) ? 3 : 0
    case 'waitfor':
      return (next === 'delay' || next === 'time') && at + 2 < tokens.length ? 3 : 0
    case 'shutdown':
      return at + 1 >= tokens.length || kind === kinds.comment || kind === kinds.semicolon || next === 'with' ? 1 : 0
    case 'begin':
      return kind === kinds.call || tokens.word[at + 1]?.kind === kinds.statement ? 1 : 0
    case 'call':
    case 'do':
      return kind === kinds.call && tokens.start[at + 2] === tokens.end[at + 1] ? 1 : 0
    case 'if':
      return next === 'exists' || (separated && commandBehindBracket(tokens, next === 'not' ? at + 2 : at + 1)) ? 1 : 0
    case 'copy':
      return named && copyWords.has(textAt(text, tokens, at + 2)) ? 3 : kind === kinds.left ? 1 : 0
    case 'grant':
    case 'revoke':
      return grantWords.has(next) ? 2 : 0
    case 'set':
      return kind === kinds.variable || ((next === 'global' || next === 'session') && named) ? 2 : 0
    case 'use':
      return named && endsAt(tokens, at + 2) ? 2 : 0
    case 'show':
      return showWords.has(next) && (endsAt(tokens, at + 2) || tokens.word[at + 2] !== undefined) ? 2 : 0
    case 'handler':
      return named && ['open', 'read'].includes(textAt(text, tokens, at + 2)) ? 3 : 0
    case 'prepare':
      return named && ['from', 'as'].includes(textAt(text, tokens, at + 2)) ? 3 : 0
    case 'kill':
      return kind === kinds.number && endsAt(tokens, at + 2) ? 2 : 0
    case 'goto':
      return named && endsAt(tokens, at + 2) ? 2 : 0
    case 'dbcc':
      return named ? 2 : 0
    case 'with':
      return headOfWith(text, tokens, at + 1) - at
    case 'explain':
      return kind === kinds.select || (next === 'analyze' && tokens.kind[at + 2] === kinds.select) ? 1 : 0
    case 'pragma':
      return kind === kinds.call || (named && (endsAt(tokens, at + 2) || tokens.kind[at + 2] === kinds.compare)) ? 2 : 0
    case 'truncate':
      if (next === 'table') return isName(tokens, at + 2) ? 3 : 0
      return named && endsAt(tokens, at + 2) && isValue(tokens, at - 2) ? 2 : 0
    case 'table':
      return named && endsAt(tokens, at + 2) && isValue(tokens, at - 2) ? 2 : 0
    case 'raiserror':
      return kind === kinds.left && tokens.start[at + 1] === tokens.end[at] ? 1 : 0
    default:
      return seconds[word]?.has(next) === true ? 2 : 0
  }
}

/** Statements that are known by their second word. */
const seconds: Readonly<Record<string, ReadonlySet<string>>> = {
  attach: new Set(['database']),
  backup: new Set(['database', 'log']),
  bulk: new Set(['insert']),
  comment: new Set(['on']),
  detach: new Set(['database']),
  discard: new Set(['all']),
  flush: new Set(['privileges', 'tables', 'logs', 'hosts', 'status']),
  install: new Set(['plugin', 'component']),
  load: new Set(['data', 'xml']),
  lock: new Set(['table', 'tables']),
  optimize: new Set(['table']),
  purge: new Set(['binary', 'master']),
  refresh: new Set(['materialized']),
  rename: new Set(['table']),
  reset: new Set(['master', 'slave', 'replica']),
  restore: new Set(['database', 'log']),
  uninstall: new Set(['plugin', 'component']),
}

const unseparated = new Set(
  'insert update delete drop alter create truncate exec execute declare waitfor shutdown if begin grant revoke goto'.split(
    ' ',
  ),
)

/** The text of a short token in lower case. */
export function textAt(text: string, tokens: Tokens, at: number): string {
  const known = tokens.word[at]?.text
  if (known) return known
  const start = tokens.start[at]
  const end = tokens.end[at]
  return start === undefined || end === undefined || end - start > 24 ? '' : text.slice(start, end).toLowerCase()
}

/** Behind the bracket of `with x as (`, `with recursive x(a) as (`. */
function headOfWith(text: string, tokens: Tokens, from: number): number {
  let at = textAt(text, tokens, from) === 'recursive' ? from + 1 : from
  if (tokens.kind[at] !== kinds.name && tokens.kind[at] !== kinds.call) return from - 1
  at++
  if (tokens.kind[at] === kinds.left) {
    const most = at + 32
    while (at < most && tokens.kind[at] !== kinds.right) at++
    at++
  }
  if (textAt(text, tokens, at) !== 'as') return from - 1
  if (textAt(text, tokens, at + 1) === 'materialized') at++
  return tokens.kind[at + 1] === kinds.left && tokens.kind[at + 2] === kinds.select ? at + 2 : from - 1
}

/** Whether what stands before a `;` ends a value, and no sentence. */
function isValue(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind[at]
  return kind === kinds.number || kind === kinds.string || kind === kinds.right
}

/** `exec(@x)`, `exec('sel' + 'ect')`, `exec(char(…))`: that of a regular expression, and of a shell, takes a name or a string alone. */
function executesText(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind[at]
  if (kind === kinds.string) return tokens.kind[at + 1] === kinds.operator
  return kind === kinds.variable || (kind === kinds.call && tokens.word[at]?.trait !== undefined)
}

/** `if (…) select`: in other languages something else stands there. */
function commandBehindBracket(tokens: Tokens, from: number): boolean {
  let depth = 0
  for (let at = from; at < from + 64; at++) {
    const kind = tokens.kind[at]
    if (kind === kinds.left) depth++
    else if (kind === kinds.right && --depth === 0) {
      const behind = tokens.kind[at + 1]
      return behind === kinds.select || behind === kinds.statement || tokens.word[at + 1]?.text === 'waitfor'
    } else if (depth === 0) return false
  }
  return false
}

function isName(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind[at]
  return kind === kinds.name || kind === kinds.call || kind === kinds.string
}

function endsAt(tokens: Tokens, at: number): boolean {
  const kind = tokens.kind[at]
  return at >= tokens.length || kind === kinds.comment || kind === kinds.semicolon
}

/** Behind the name of what is created, altered or dropped. */
function afterOrReplace(text: string, tokens: Tokens, from: number): number {
  let at = from
  if (textAt(text, tokens, at) === 'or' && ['replace', 'alter'].includes(textAt(text, tokens, at + 1))) at += 2
  for (let word = 0; word < 2 && modifiers.has(textAt(text, tokens, at)); word++) at++
  if (!creatable.has(textAt(text, tokens, at))) return from - 1
  at++
  if (textAt(text, tokens, at) === 'if') while (['if', 'not', 'exists'].includes(textAt(text, tokens, at))) at++
  if (tokens.kind[at] !== kinds.variable && !isName(tokens, at)) return from - 1
  const behind = textAt(text, tokens, at + 1)
  if (tokens.kind[at + 1] === kinds.name ? !behindNames.has(behind) : neverBehindNames.has(behind)) return from - 1
  return at + 1
}

const modifiers = new Set(['temporary', 'temp', 'unique', 'global', 'public', 'materialized', 'definer'])

const creatable = new Set(
  'table database schema user login role function procedure proc trigger view index sequence alias extension language event tablespace system session column server directory library assembly type'.split(
    ' ',
  ),
)

/** What may stand behind the name of what is created or dropped: in prose another word does. */
const behindNames = new Set(
  'cascade restrict add modify rename change purge returns language identified password owner without engine character default enable disable account encoding is for of'.split(
    ' ',
  ),
)

const neverBehindNames = new Set(['by', 'in', 'from', 'where', 'into', 'between', 'and', 'or'])

const declaredTypes = new Set('varchar varchar2 nvarchar char int integer number text cursor record'.split(' '))

const copyWords = new Set(['from', 'to', 'program'])

const grantWords = new Set('all select insert update delete execute dba connect create usage'.split(' '))

const showWords = new Set('tables databases columns grants variables schemas processlist create full fields'.split(' '))

/** How the built-in procedures of SQL Server begin. */
const procedurePrefix = /^(?:sp|xp)_/
