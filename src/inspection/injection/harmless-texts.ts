import { GenerationCache } from '../../kernel/cache.ts'
import type { Field } from '../field.ts'

/**
 * Texts that were looked through and hold nothing, of those that come with every message: names of members and values of headers.
 * What they are known by has to be all that a verdict may depend on, else one that is harmless in one place would pass in another.
 */
export class HarmlessTexts {
  readonly #known = new GenerationCache<string, true>(knownMax)

  has(field: Field): boolean {
    const key = keyOf(field)
    return key !== undefined && this.#known.get(key) === true
  }

  add(field: Field): void {
    const key = keyOf(field)
    if (key !== undefined) this.#known.set(key, true)
  }
}

const knownMax = 2_048
const headerMax = 256

/** Undefined where the text is looked at each time. Of a plain name, only what is made after `constructor` depends on its place. */
function keyOf({ text, role, name, place }: Field): string | undefined {
  if (role === 'name') return plainName.test(text) && text !== 'prototype' ? `${place.in} ${text}` : undefined
  return place.in === 'header' && text.length <= headerMax ? `${role} ${name} ${place.at} ${text}` : undefined
}

const plainName = /^[A-Za-z0-9_-]{1,48}$/
