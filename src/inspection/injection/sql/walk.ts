import { Condition } from './condition.ts'
import { type Evidence, noEvidence, noteCall, noteName } from './evidence.ts'
import {
  afterTop,
  clauses,
  comparesWith,
  comparesWithAnything,
  comparesWithItself,
  goesOn,
  isDisguise,
  isGap,
  isTruth,
  negatable,
  seconds,
  selectsRows,
  selectsSomething,
} from './lookahead.ts'
import { statementHead, textAt } from './statement.ts'
import { kinds, type Tokens } from './tokens.ts'

export interface Walk {
  readonly evidence: Evidence
  /** The first token that does not follow. */
  readonly stop: number
  /** The comment that it came to, or −1. */
  readonly comment: number
}

/**
 * Goes from a token on as long as each may follow the one before in some dialect, and notes what it meets. SQL alternates between
 * operands and what joins them; prose puts name behind name, and stops it at once.
 */
export function walk(text: string, tokens: Tokens, from: number, operandFirst: boolean, literalBefore: boolean): Walk {
  const walker = new Walker(text, tokens, from, operandFirst, literalBefore)
  walker.run(Math.min(tokens.length, from + stepsMax))
  return { evidence: walker.evidence, stop: Math.max(walker.at, from + 1), comment: walker.comment }
}

/** Beyond so many it is what it is. */
const stepsMax = 1024

class Walker {
  readonly evidence: Evidence = noEvidence()
  at: number
  comment = -1
  readonly #text: string
  readonly #tokens: Tokens
  readonly #from: number
  #operand: boolean
  /** Whether what was read last may be given another name: behind `from`, and behind a closing bracket. */
  #aliases = false
  #sinceFrom = false
  #depth = 0
  #over = false
  /** A statement of which only the head is known: whatever follows. */
  #loose = false
  #looseNames = 0
  readonly #condition: Condition

  constructor(text: string, tokens: Tokens, from: number, operandFirst: boolean, literalBefore: boolean) {
    this.#text = text
    this.#tokens = tokens
    this.#from = from
    this.at = from
    this.#operand = operandFirst
    this.#condition = new Condition(this.evidence, literalBefore, operandFirst)
  }

  run(most: number): void {
    const { evidence } = this
    while (this.at < most && this.#step()) evidence.steps++
    this.#condition.end()
    if (!this.#over && this.at >= most) this.#end(most === this.#tokens.length ? 'text' : 'bound')
    evidence.dangling = this.#over && evidence.end !== 'quote' && this.#operand && !this.#loose
  }

  #step(): boolean {
    if (this.#over) return false
    if (this.#loose) return this.#stepLoosely()
    return this.#operand ? this.#stepOperand() : this.#stepOperator()
  }

  #stepOperand(): boolean {
    const { evidence, at } = this
    const word = this.#tokens.word[at]
    switch (this.#tokens.kind[at]) {
      case kinds.number:
        evidence.numbers++
        if (this.#secondCode() === 0x78) evidence.hex++
        return this.#take(true, true)
      case kinds.string:
        return this.#takeString()
      case kinds.open:
        this.#takeString()
        return this.#end('quote')
      case kinds.variable:
        if (this.#secondCode() === 0x40) evidence.systemVariables++
        return this.#take(false)
      case kinds.literal:
        evidence.nulls++
        return this.#take(true, true)
      case kinds.name:
        noteName(evidence, word?.trait)
        evidence.names++
        return this.#take(false)
      case kinds.call:
        return this.#takeCall()
      case kinds.left:
        this.#depth++
        // `{x 1}`: an escape of ODBC, which MySQL reads over
        if (this.#text[this.#tokens.start[at] ?? 0] === '{' && this.#tokens.kind[at + 1] === kinds.name) this.at++
        return this.#skip()
      case kinds.right:
        if (this.#tokens.kind[at - 1] !== kinds.left) return false // only `f()` holds nothing
        this.#depth--
        this.#operand = false
        return this.#skip()
      case kinds.operator:
        if (word?.text === '*') return this.#star()
        return word !== undefined && '+-~%'.includes(word.text) && this.#skip()
      case kinds.not:
      case kinds.prefix:
        return this.#skip()
      case kinds.select:
        if (this.#tokens.kind[at - 1] === kinds.left) evidence.subselect++
        return this.#select()
      case kinds.branch:
        if (word?.text !== 'case' && word?.text !== 'when') return false
        evidence.branch++
        return this.#skip()
      case kinds.set: // `or union select`: in no dialect, but what attackers send
        return this.#union()
      case kinds.clause:
        return (word?.text === 'values' || word?.text === 'top') && this.#skip()
      case kinds.statement:
        if (at === this.#from && this.#firstStatement()) return true
        if (this.#tokens.kind[at + 1] !== kinds.left && this.#tokens.kind[at - 1] !== kinds.comma) return false
        evidence.names++
        return this.#take(false)
      case kinds.comment:
        return this.#end('comment')
      default:
        return false
    }
  }

  #stepOperator(): boolean {
    const { evidence, at } = this
    const word = this.#tokens.word[at]
    switch (this.#tokens.kind[at]) {
      case kinds.operator:
        if (word?.text === '::') return this.#cast()
        evidence.arithmetic++
        return this.#join()
      case kinds.compare:
        return this.#compare(word?.text ?? '')
      case kinds.logic:
        this.#condition.end(true)
        evidence.logic++
        if (word?.text === '||') evidence.arithmetic++
        return this.#join()
      case kinds.not:
        return word?.text === 'not' && negatable.has(this.#tokens.word[at + 1]?.text ?? '') && this.#skip()
      case kinds.right:
        this.#depth--
        if (this.#depth < 0) {
          evidence.closes++
          this.#condition.end()
          this.#condition.cloud() // of the bracket that it closes, nobody knows what it holds
        }
        this.#aliases = true
        return this.#skip()
      case kinds.left:
        if (isDisguise(this.#text, this.#tokens, at - 1)) evidence.disguise++
        else if (at !== this.#from || this.#tokens.kind[at + 1] !== kinds.select) return false
        return this.#join()
      case kinds.comma:
        this.#condition.end()
        this.#aliases = this.#sinceFrom
        return this.#join()
      case kinds.semicolon:
        return this.#nextStatement()
      case kinds.set:
        return this.#union()
      case kinds.clause:
        return this.#clause(word?.text ?? '')
      case kinds.branch:
        if (word?.text === 'case') return false
        if (word?.text === 'end') return this.#skip()
        this.#condition.end()
        return this.#join()
      case kinds.statement:
      case kinds.call:
      case kinds.name:
      case kinds.open:
      case kinds.string:
      case kinds.variable:
        return this.#alias() || this.#statement(at, false)
      case kinds.comment:
        return this.#end('comment')
      default:
        return false
    }
  }

  #skip(): true {
    this.at++
    return true
  }

  #join(): true {
    this.#operand = true
    return this.#skip()
  }

  #take(constant: boolean, truth = false): true {
    this.#condition.operand(constant, truth)
    this.#operand = false
    this.#aliases = this.#sinceFrom
    return this.#skip()
  }

  #takeString(): true {
    this.evidence.strings++
    if (isGap(this.#text, this.#tokens, this.at)) this.evidence.gaps++
    return this.#take(true, isTruth(this.#text, this.#tokens, this.at))
  }

  #takeCall(): true {
    const trait = this.#tokens.word[this.at]?.trait
    noteCall(this.evidence, trait)
    this.#condition.operand(trait !== undefined, false) // what a function of no database answers nobody knows
    this.evidence.calls++
    this.at++
    if (this.#tokens.kind[this.at] === kinds.left) {
      this.#depth++
      this.at++
    }
    return true
  }

  #end(how: Evidence['end']): true {
    this.evidence.end = how
    this.#over = true
    if (how === 'comment') this.comment = this.at++
    return true
  }

  #secondCode(): number {
    return this.#text.charCodeAt((this.#tokens.start[this.at] ?? 0) + 1)
  }

  #star(): boolean {
    const before = this.#tokens.kind[this.at - 1]
    if (before === kinds.right || before === kinds.number) return false
    this.evidence.star++
    this.#condition.cloud()
    this.#operand = false
    return this.#skip()
  }

  /** `'1'::int` is as constant as `'1'`. */
  #cast(): boolean {
    const kind = this.#tokens.kind[this.at + 1]
    if (kind !== kinds.name && kind !== kinds.call) return false
    this.at += 2
    return true
  }

  #compare(text: string): boolean {
    if (!comparesWith(this.#text, this.#tokens, this.at, text)) return false
    if (text === 'in' && this.#tokens.kind[this.at + 1] !== kinds.left) {
      if (textAt(this.#text, this.#tokens, this.at + 2) !== 'mode') return false
      this.at += 3 // `in boolean mode`, behind `match … against (`
      return true
    }
    this.evidence.compare++
    this.#condition.compare()
    const { at } = this
    if (this.#condition.behindLogic && comparesWithItself(this.#text, this.#tokens, at)) this.evidence.constantCompare++
    if (comparesWithAnything(this.#text, this.#tokens, at)) this.evidence.constantCompare++
    if (text === 'isnull' || text === 'notnull') return this.#skip()
    if (text === 'sounds') this.at++
    return this.#join()
  }

  #select(): true {
    this.#condition.end()
    this.evidence.select++
    this.#operand = true
    this.#sinceFrom = false
    this.#aliases = false
    this.at = afterTop(this.#tokens, this.at + 1)
    return true
  }

  #union(): boolean {
    let next = this.at + 1
    const word = this.#tokens.word[next]?.text
    if (word === 'all' || word === 'distinct' || word === 'distinctrow') next++
    let brackets = 0
    while (brackets < bracketsMax) {
      if (this.#tokens.kind[next] === kinds.left) brackets++
      else if (this.#tokens.kind[next] !== kinds.operator) break
      next++
    }
    if (!selectsRows(this.#text, this.#tokens, next)) return false
    this.#condition.end()
    this.evidence.union++
    this.#depth += brackets
    this.at = next
    return this.#select()
  }

  #nextStatement(): boolean {
    this.#condition.end()
    const next = this.at + 1
    const last = next >= this.#tokens.length
    if (last || this.#tokens.kind[next] === kinds.comment) {
      this.at = next
      return this.#end(last ? 'text' : 'comment')
    }
    let first = next
    while (this.#tokens.kind[first] === kinds.left && first < next + 4) first++
    if (this.#tokens.kind[first] === kinds.select) {
      if (!selectsSomething(this.#tokens, first)) return false
      this.evidence.stacked++
      this.#depth = first - next
      this.at = first
      return this.#select()
    }
    if (this.#statement(next, true)) return true
    if (this.at - this.#from < 2 || this.evidence.logic === 0) return false
    this.at = next
    return this.#end('text') // whatever stands behind it, the condition is whole
  }

  #firstStatement(): boolean {
    if (!this.#statement(this.at, true)) return false
    this.evidence.stacked--
    this.evidence.head++
    return true
  }

  #statement(at: number, separated: boolean): boolean {
    const head = statementHead(this.#text, this.#tokens, at, separated)
    if (head === 0) return false
    this.#condition.end()
    for (let i = at; i < at + head; i++) noteName(this.evidence, this.#tokens.word[i]?.trait)
    if (this.#tokens.word[at]?.text === 'waitfor') this.evidence.time++
    if (separated || noSeparator.has(this.#tokens.word[at]?.text ?? '')) this.evidence.stacked++
    else this.evidence.bare++
    this.at = at + head
    this.#loose = true
    this.#looseNames = 0
    return true
  }

  #stepLoosely(): boolean {
    const kind = this.#tokens.kind[this.at]
    if (kind === kinds.comment) return this.#end('comment')
    if (kind === kinds.semicolon) {
      this.#loose = false
      if (this.#nextStatement()) return true
      this.#loose = true
    }
    this.#looseNames = kind === kinds.name || kind === kinds.other ? this.#looseNames + 1 : 0
    if (this.#looseNames > looseNamesMax) return false
    if (kind === kinds.select) this.evidence.select++
    if (kind === kinds.call) this.evidence.calls++
    if (kind === kinds.call) noteCall(this.evidence, this.#tokens.word[this.at]?.trait)
    else noteName(this.evidence, this.#tokens.word[this.at]?.trait)
    this.at++
    return kind === kinds.open ? this.#end('quote') : true
  }

  #clause(text: string): boolean {
    const after = clauses[text]
    if (after === undefined) return false
    const next = textAt(this.#text, this.#tokens, this.at + 1)
    if (after === 'by') return next === 'by' && this.#by(text)
    if (after === 'operator') return this.#skip()
    if (text === 'waitfor') return this.#statement(this.at, false)
    if (text === 'as') return this.#as()
    if (seconds[text]?.has(next) === false) return false
    if (text === 'into' && (next === 'outfile' || next === 'dumpfile')) {
      this.evidence.file++
      this.at++
    } else if (text === 'for' && next === '1') {
      this.at += 2 // `substring(x from 1 for 1)`
      return true
    } else if (text === 'for' || text === 'with') {
      this.#loose = text === 'for'
      this.at += 2
      return true
    } else if (text === 'from' || text === 'join') {
      if (text === 'from') this.evidence.from++
      this.#sinceFrom = true
    } else if (text === 'where' || text === 'having' || text === 'on') {
      this.evidence.clause++
      this.#sinceFrom = false
      this.#condition.end(true)
    } else if (text === 'limit' || text === 'offset') {
      if (this.#tokens.kind[this.at + 1] === kinds.number) this.evidence.clause++
      this.#condition.end()
    }
    this.#aliases = false
    return this.#join()
  }

  #by(text: string): true {
    this.#condition.end()
    this.evidence.clause++
    if (text === 'order' && this.#tokens.kind[this.at + 2] === kinds.number) this.evidence.orderNumber++
    this.at++
    return this.#join()
  }

  #as(): boolean {
    const kind = this.#tokens.kind[this.at + 1]
    if (kind !== kinds.name && kind !== kinds.call && kind !== kinds.string && kind !== kinds.statement) return false
    this.at++
    if (kind === kinds.call) return this.#takeCall()
    this.#aliases = false
    return this.#skip()
  }

  #alias(): boolean {
    const kind = this.#tokens.kind[this.at]
    if (kind === kinds.string && this.#tokens.kind[this.at - 1] === kinds.string && this.at > this.#from)
      return this.#skip()
    const { select } = this.evidence
    if (kind === kinds.open && select > 0) {
      this.at++
      return this.#end('quote')
    }
    const listed = select > 0 && (kind === kinds.name || kind === kinds.string) && goesOn(this.#tokens, this.at + 1)
    if (!listed && !(kind === kinds.name && this.#aliases)) return false
    this.#aliases = false
    return this.#skip()
  }
}

/** What SQL Server takes without a `;`, and nobody says. */
const noSeparator = new Set(['exec', 'execute', 'waitfor', 'declare', 'if', 'shutdown'])

const bracketsMax = 64
/** So many names in a row are prose, in any statement. */
const looseNamesMax = 3
