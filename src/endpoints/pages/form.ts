import type { FieldErrors } from '../../kernel/error.ts'
import { type Html, html } from './html.ts'
import type { Page } from './stationery.ts'
import type { Texts } from './texts.ts'

export interface FieldName {
  readonly name: string
  readonly id: string
  readonly label: string
}

export interface Field extends FieldName {
  readonly type?: 'text' | 'email' | 'password'
  /** What browsers and password managers fill in (HTML §4.10.18.7). */
  readonly autocomplete: string
  readonly value?: string | undefined
  readonly hint?: string
  readonly optional?: boolean
  readonly kind?: 'code'
  /** Letters on the keyboard of a telephone. */
  readonly inputmode?: 'numeric' | 'email' | 'text'
}

/** An input with its label, its hint and what is wrong with it, each bound to it. */
export function field(page: Page, errors: FieldErrors | undefined, one: Field): Html {
  const wrong = errors !== undefined && Object.hasOwn(errors, one.name) ? (errors[one.name] ?? []) : []
  const about = [one.hint !== undefined && `${one.id}-hint`, wrong.length > 0 && `${one.id}-wrong`].filter(
    (id) => id !== false,
  )
  const more = one.optional === true && html` <span class="more">(${page.texts.say('optional')})</span>`
  const attributes = [
    one.kind === 'code' && html` class="code"`,
    one.value !== undefined && html` value="${one.value}"`,
    one.optional !== true && html` required`,
    one.inputmode !== undefined && html` inputmode="${one.inputmode}"`,
    about.length > 0 && html` aria-describedby="${about.join(' ')}"`,
    wrong.length > 0 && html` aria-invalid="true"`,
    // A name is not a sentence: nothing corrects it, and no capital is put before it.
    one.type !== 'password' && one.name !== 'name' && html` autocapitalize="none" spellcheck="false"`,
  ]
  return html`<div class="field">
<label for="${one.id}">${one.label}${more}</label>
${one.hint !== undefined && html`<p class="hint" id="${one.id}-hint">${one.hint}</p>\n`}${
  wrong.length > 0 &&
  html`<p class="wrong" id="${one.id}-wrong">${wrong.map((message) => worded(page, message)).join('; ')}</p>\n`
}<input id="${one.id}" name="${one.name}" type="${one.type ?? 'text'}" autocomplete="${one.autocomplete}"${attributes}>
</div>
`
}

/** What a form carries along unseen. A value that is not there has no field. */
export function hidden(values: Readonly<Record<string, string | undefined>>): Html {
  return html`${Object.entries(values).map(
    ([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">\n`,
  )}`
}

export type Look = 'second' | 'grave' | 'second small' | 'grave small'

/** A button that sends its form, with a value of its own where a form has two. */
export function button(
  label: string | Html,
  look?: Look,
  value?: { readonly name: string; readonly value: string },
): Html {
  const said = value !== undefined && html` name="${value.name}" value="${value.value}"`
  return html`<button class="button${look !== undefined && ` ${look}`}" type="submit"${said}>${label}</button>\n`
}

export interface Form {
  readonly action: string
  readonly hidden?: Readonly<Record<string, string | undefined>> | undefined
  readonly fields?: readonly Field[]
  readonly errors?: FieldErrors | undefined
  /** Whose password it asks for. */
  readonly owner?: string | undefined
  readonly button: Html
  /** Before the button. */
  readonly remark?: Html | undefined
}

/** A form that is sent by POST, its fields above one another. */
export function form(page: Page, one: Form): Html {
  return html`<form class="fields" method="post" action="${one.action}">
${hidden(one.hidden ?? {})}${passwordOwner(one.owner)}${one.fields?.map((each) => field(page, one.errors, each))}${one.remark}${one.button}</form>
`
}

export interface PasskeyBlock {
  readonly kind: 'get' | 'create'
  readonly action: string
  /** Where the script gets the options from, and what it sends there. */
  readonly optionsPath: string
  readonly optionsBody?: Readonly<Record<string, string | undefined>>
  readonly hidden?: Readonly<Record<string, string | undefined>>
  readonly fields?: readonly Field[]
  readonly errors?: FieldErrors | undefined
  readonly label: string
  readonly look?: Look
  /** Offers passkeys in the browser's own list too. */
  readonly autofill?: boolean
  readonly before?: Html
}

/** What a person does with a passkey. The script shows it, where the browser can. */
export function passkeyBlock(page: Page, block: PasskeyBlock): Html {
  const { texts } = page
  const body = block.optionsBody !== undefined && html` data-body="${JSON.stringify(block.optionsBody)}"`
  return html`<div hidden data-passkey="${block.kind}" data-options="${block.optionsPath}"${body}${
    block.autofill === true && html` data-autofill`
  } data-waiting="${texts.say('passkeyWaiting')}" data-failed="${texts.say('passkeyFailed')}" data-known="${texts.say('passkeyKnown')}" data-unreachable="${texts.say('passkeyUnreachable')}" data-stale="${texts.say('passkeyStale')}">
${block.before}${form(page, {
  action: block.action,
  hidden: { ...block.hidden, challenge: '', credential: '' },
  fields: block.fields ?? [],
  errors: block.errors,
  button: button(block.label, block.look),
})}<p class="status" role="status"></p>
</div>
`
}

/**
 * A text from strangers in the midst of ours: on one line, unable to turn the letters around it, and without what takes up no
 * room and so tells two names apart that look alike.
 */
export function tame(text: string): string {
  return text
    .replace(/[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

export function note(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<div class="note" role="status"><p>${text}</p></div>\n`
}

/** Tells a password manager whose password the next form is about. Nobody sees it, and nothing sends it. */
function passwordOwner(account: string | undefined): Html | undefined {
  if (account === undefined) return undefined
  return html`<input type="text" autocomplete="username" value="${account}" readonly hidden aria-hidden="true" tabindex="-1">\n`
}

export function returnQuery(returnTo: string | undefined): string {
  return returnTo === undefined ? '' : `?return_to=${pathPart(returnTo)}`
}

/** Encoded for an address. Halves of characters would be an exception there. */
export function pathPart(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

/** A moment as people write it. The zone is said: a page without a script does not know theirs. */
export function momentText({ texts }: Page, at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '–'
  const said = new Intl.DateTimeFormat(texts.language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  return `${said.format(date)} UTC`
}

/** What a check says of a value, in the language of the page; in its own words where nobody translated them. */
export function worded({ texts }: Page, message: string): string {
  for (const [pattern, say] of wordings) {
    const found = pattern.exec(message)
    if (found !== null) return say(texts, found.groups ?? {})
  }
  return message
}

type Wording = readonly [RegExp, (texts: Texts, facts: Readonly<Record<string, string>>) => string]

// biome-ignore format: a table
const wordings: readonly Wording[] = [
  [/^is required|^Invalid input: expected string, received undefined$|^Too small: expected string to have >=1 /, (texts) => texts.say('mustBePresent')],
  [/^must have at least (?<min>\d+) characters, and has (?<length>\d+)$/, (texts, { min = '', length = '' }) => texts.say('mustBeLonger', { min, length })],
  [/^must have at most (?<max>\d+) characters, and has \d+$/,             (texts, { max = '' }) => texts.say('mustBeShorter', { max })],
  [/^Too big: expected string to have <=(?<max>\d+) characters$/,         (texts, { max = '' }) => texts.say('mustBeShorter', { max })],
  [/^is among the passwords that are guessed first$/,                     (texts) => texts.say('mustBeUncommon')],
  [/^has been seen in a breach$/,                                        (texts) => texts.say('mustBeUnseen')],
  [/^is little more than words that everybody thinks of here$/,          (texts) => texts.say('mustBeUncommon')],
  [/^is not the password of this account$|^is not the one that was chosen$/, (texts) => texts.say('mustBeRight')],
  [/^is not the code that the app shows now$/,                           (texts) => texts.say('mustBeCode')],
  [/^repeats the same few characters$/,                                   (texts) => texts.say('mustVary')],
  [/^is little more than the name or the address of the account$/,        (texts) => texts.say('mustDiffer')],
  [/^must have 3 to 20 letters, digits, `_` and `-`$/,                    (texts) => texts.say('mustBeUsername')],
  [/^must be an e-mail address$|^Invalid email/,                          (texts) => texts.say('mustBeAddress')],
  [/^must be text, and holds half of a character$/,                       (texts) => texts.say('mustBeText')],
  [/^is not right$|^Invalid |^Too small/,                                                (texts) => texts.say('mustBeRight')],
]
