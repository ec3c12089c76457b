import { withoutReferences } from '../../decode/html.ts'
import type { Sign } from '../detector.ts'
import { handlerWeight } from './handler.ts'
import { clobbered, elements, frameworkAttribute, rawTextElements } from './names.ts'
import { scriptSign } from './script.ts'
import { quotedShare, type Setting } from './setting.ts'
import { styleWeight } from './style.ts'
import type { Attribute, Tag } from './tag.ts'
import { activeAddress } from './url.ts'

/** What is known of the text around a tag. */
export interface Surroundings extends Setting {
  /** Whether a script that does harm stands anywhere in the text. */
  readonly script: boolean
  /** Elements that were opened before. */
  readonly opened: ReadonlySet<string>
}

/** What a tag tells: by its name, and by what each attribute has a browser do. */
export function* tagSigns(tag: Tag, around: Surroundings): Generator<Sign> {
  const { name, closing, start, end } = tag
  const sign = signer(around, start, end)
  if (closing) {
    if (rawTextElements.has(name) && !around.opened.has(name)) yield* sign('xss/raw-text-end', 0.7, 0.2)
    return
  }
  if (name.startsWith('script')) yield* scriptElement(tag, around, sign)
  else {
    const weight = elements.get(name)
    if (weight !== undefined) yield* sign('xss/element', weight.alone, weight.among)
  }
  for (const attribute of tag.attributes) yield* attributeSigns(tag, attribute, around, sign)
  yield* together(tag, sign)
}

type Signer = (rule: string, alone: number, among: number) => Generator<Sign>

function signer({ among, quoted }: Surroundings, start: number, end: number): Signer {
  return function* (rule, alone, amongWeight) {
    yield { rule, confidence: among ? amongWeight * (quoted(start) ? quotedShare : 1) : alone, start, end }
  }
}

function* scriptElement({ name, attributes }: Tag, { script }: Surroundings, sign: Signer): Generator<Sign> {
  const compiled = attributes.some(
    ({ name: attribute, value }) => attribute === 'setup' || (attribute === 'lang' && value.length <= 4),
  )
  if (name !== 'script' && !/^script[^a-z:-]/.test(name)) return
  if (compiled) yield* sign('xss/script', 0.3, 0.1)
  else yield* sign('xss/script', 0.95, script ? 0.8 : 0.35)
}

function* attributeSigns(tag: Tag, attribute: Attribute, around: Surroundings, sign: Signer): Generator<Sign> {
  const { name, value, dangling } = attribute
  const handler = handlerWeight(attribute, tag.name, around.among)
  if (handler !== undefined) yield* sign('xss/event-handler', handler, handler)
  if (name === 'style') {
    const weight = styleWeight(withoutReferences(value.slice(0, valueMax)))
    if (weight !== undefined) yield* sign('xss/style', weight.alone, weight.among)
    return
  }
  if (!plain.has(name)) {
    const active = activeAddress(name === 'content' ? value.replace(/^[^=]{0,40}=/, '') : value)
    if (active === 'script')
      yield* empty.test(value) ? sign('xss/script-address', 0.55, 0.1) : sign('xss/script-address', 0.95, 0.75)
    else if (active === 'document')
      yield* loads.has(tag.name) ? sign('xss/data-address', 0.88, 0.5) : sign('xss/data-address', 0.6, 0.3)
    else if (brokenScheme.test(value)) yield* sign('xss/script-address', 0.6, 0.3)
  }
  if (dangling && external.test(value) && !around.among) yield* sign('xss/dangling-markup', 0.65, 0.1)
  if (name === 'srcdoc' && value !== '') yield* sign('xss/srcdoc', 0.88, 0.5)
  if ((name === 'attributename' || name === 'attribute') && animated.test(value))
    yield* sign('xss/animation', 0.85, 0.5)
  if (name === 'ev:event' || (name === 'event' && tag.name === 'handler')) yield* sign('xss/event-handler', 0.85, 0.4)
  if (name === 'implementation' || (name === 'ns' && value.includes('microsoft-com:time')))
    yield* sign('xss/element', 0.7, 0.4)
  if ((name === 'id' || name === 'name') && clobbers.has(tag.name) && clobbered.has(value.toLowerCase()))
    yield* sign('xss/clobbering', 0.6, 0.15)
  if (frameworkAttribute.test(name) && /[(`=]/.test(value)) {
    const script = (scriptSign(value.slice(0, valueMax))?.alone ?? 0) >= 0.5
    yield* script ? sign('xss/framework', 0.85, 0.3) : sign('xss/framework', 0.35, 0.05)
  }
}

const valueMax = 4_096

/** Attributes whose values nobody follows. */
const plain: ReadonlySet<string> = new Set([
  'alt',
  'title',
  'placeholder',
  'class',
  'id',
  'name',
  'aria-label',
  'description',
  'label',
  'summary',
  'srcdoc',
])

/** A link that leads nowhere. */
const empty = /^\s{0,8}javascript:\s{0,4}(?:void\s{0,2}\(?\s?0?\s?\)?|\/\/|return false)?\s{0,4};?\s{0,4}$/i

const brokenScheme = /^\W{0,8}(?:javascript|vbscript)[^\w\s/.-]/i

/** Elements that show or run what they are given. */
const loads: ReadonlySet<string> = new Set([
  'a',
  'iframe',
  'frame',
  'object',
  'embed',
  'script',
  'link',
  'meta',
  'base',
  'form',
  'button',
  'input',
  'use',
  'animate',
  'set',
  'applet',
  'xml',
])

const external = /^\s{0,8}(?:https?:)?[/\\]{2}/i
const animated = /^\s{0,8}(?:on|href|xlink:href|src|innerhtml|values|to|from|by|style)/i
const clobbers: ReadonlySet<string> = new Set([
  'form',
  'input',
  'button',
  'a',
  'img',
  'object',
  'iframe',
  'embed',
  'output',
  'fieldset',
  'select',
  'textarea',
])

/** What only the attributes of a tag together tell. */
function* together({ name, attributes }: Tag, sign: Signer): Generator<Sign> {
  const of = (wanted: string) => attributes.find((attribute) => attribute.name === wanted)?.value
  const href = of('href') ?? of('xlink:href')
  switch (name) {
    case 'meta': {
      const equiv = of('http-equiv')?.toLowerCase()
      if (equiv === 'refresh') yield* sign('xss/refresh', 0.8, 0.25)
      else yield* equiv === undefined ? sign('xss/element', 0.35, 0.05) : sign('xss/element', 0.6, 0.15)
      return
    }
    case 'base':
      yield* href === undefined ? sign('xss/base', 0.4, 0.1) : sign('xss/base', 0.88, 0.25)
      return
    case 'link': {
      const rel = of('rel')?.toLowerCase() ?? ''
      if (rel.includes('import') || rel.includes('serviceworker')) yield* sign('xss/link', 0.85, 0.4)
      else if (rel.includes('stylesheet') && href !== undefined) yield* sign('xss/link', 0.7, 0.15)
      else yield* sign('xss/link', 0.35, 0.05)
      return
    }
    case 'object':
      if ((of('data') ?? of('classid') ?? of('codebase')) !== undefined) yield* sign('xss/element', 0.8, 0.25)
      return
    case 'svg':
    case 'math': // a picture says how large it is, a formula how it is shown; what only opens the door says nothing
      yield* attributes.some(({ name: given }) => drawn.has(given))
        ? sign('xss/element', 0.3, 0.05)
        : sign('xss/element', 0.52, 0.1)
      return
    case 'use':
      if (href !== undefined && (external.test(href) || href.startsWith('data:'))) yield* sign('xss/element', 0.7, 0.3)
      return
    case 'form':
    case 'button':
    case 'input': {
      const target = of('formaction') ?? of('action')
      if (target !== undefined && external.test(target)) yield* sign('xss/form-target', 0.6, 0.15)
      return
    }
  }
}

const drawn: ReadonlySet<string> = new Set([
  'viewbox',
  'width',
  'height',
  'fill',
  'stroke',
  'display',
  'xmlns',
  'xmlns:m',
])
