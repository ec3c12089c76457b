import { _, type CodeKeywordDefinition, Name } from 'ajv/dist/2020.js'
import { Overrun } from './effort.ts'

/**
 * A keyword that gives up once there are more errors than anybody reads: where a value breaks each of twenty forms in each of its
 * items, a few kilobytes of it leave a million.
 */
export function errorsBound(keyword: string): CodeKeywordDefinition {
  return {
    keyword,
    code({ gen }) {
      const giveUp = gen.scopeValue('func', { ref: overrun })
      gen.if(_`${errors} > ${errorsMax}`, () => gen.code(_`${giveUp}()`))
    },
  }
}

const errorsMax = 4096

/** How many errors there are so far, in the code that Ajv writes. */
const errors = new Name('errors')

function overrun(): never {
  throw new Overrun('expected a value with fewer mistakes')
}
