import type { Field, Role } from '../field.ts'
import type { Place } from '../place.ts'
import { roleOf } from './role.ts'

/** How much of one message is looked at; beyond, it is a problem. */
export interface FieldBounds {
  readonly fieldsMax: number
  /** UTF-16 units of all its texts together, those that are read a second time among them. */
  readonly textMax: number
}

/** The fields of one message as they are found. Once a bound is passed there is a problem, and nothing is taken any more. */
export class FieldList {
  readonly fields: Field[] = []
  readonly #bounds: FieldBounds
  readonly #names = new Set<string>()
  #units = 0
  #problem: string | undefined

  constructor(bounds: FieldBounds) {
    this.#bounds = bounds
  }

  get problem(): string | undefined {
    return this.#problem
  }

  /** A text under its name. */
  value(part: Place['in'], at: string, name: string, text: string, role: Role = roleOf(name, text)): void {
    this.#add({ place: { in: part, at: shown(at) }, name: known(name), text, role })
  }

  /** A text that is JSON, of which the fields come next. */
  json(part: Place['in'], at: string, name: string, text: string, role: Role = roleOf(name, text)): void {
    this.#add({ place: { in: part, at: shown(at) }, name: known(name), text, role, json: true })
  }

  /**
   * The name of a member or a parameter. A plain word that comes again says nothing new, nor does any name among items of one list;
   * elsewhere it may not be allowed.
   */
  name(part: Place['in'], at: string, name: string): void {
    if (name === '') return
    const once = word.test(name) && !reaching.has(name) ? name : `${part} ${at.replaceAll(indices, '*')} ${name}`
    if (this.#names.has(once)) return
    this.#names.add(once)
    this.#add({ place: { in: part, at: shown(at) }, name: known(name), text: name, role: 'name' })
  }

  fail(problem: string): void {
    this.#problem ??= problem
  }

  #add(field: Field): void {
    if (this.#problem !== undefined || field.text === '') return
    const { fieldsMax, textMax } = this.#bounds
    this.#units += field.text.length
    if (this.fields.length === fieldsMax) this.fail(`expected at most ${fieldsMax} fields, got more`)
    else if (this.#units > textMax) this.fail(`expected at most ${textMax} characters of text, got more`)
    else this.fields.push(field)
  }
}

const word = /^[A-Za-z][\w-]{0,63}$/
/** Names that their place makes others: what stands there reaches all objects (CWE-1321). */
const reaching: ReadonlySet<string> = new Set(['constructor', 'prototype'])
/** Of a list of JSON, and of elements of one name. */
const indices = /(?<=\/)\d{1,9}(?=\/|$)|(?<=\[)\d{1,9}(?=\])/g

/**
 * A pointer and one more token (RFC 6901 §3). What is too long to be shown does not get longer: a name of many characters above
 * many members would take the product of both.
 */
export function step(pointer: string, token: string): string {
  if (pointer.length > shownMax) return pointer
  const written = token.length > shownMax ? token.slice(0, shownMax + 1) : token
  const escapes = written.includes('~') || written.includes('/')
  return `${pointer}/${escapes ? written.replaceAll('~', '~0').replaceAll('/', '~1') : written}`
}

/** Names are compared with short ones: one that is longer may stand above thousands of values, and is not copied for each. */
function known(name: string): string {
  return (name.length > shownMax ? name.slice(0, shownMax) : name).toLowerCase()
}

/** A name as it may stand in a log: whoever sends it chooses it, and could put there what is not to be repeated. */
function shown(at: string): string {
  if (at.length <= shownMax && usual.test(at)) return at
  const cut = at.length > shownMax ? `${at.slice(0, shownMax).toWellFormed()}…` : at
  return cut.replace(unusual, '\ufffd')
}

const shownMax = 200
const usual = /^[\w.$@:[\]/~#*, +-]*$/
const unusual = /[^\p{L}\p{M}\p{N}_.$@:[\]/~#*, +…-]/gu
