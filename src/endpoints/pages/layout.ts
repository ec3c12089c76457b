import type { FieldErrors } from '../../kernel/error.ts'
import { type FieldName, worded } from './form.ts'
import { Html, html } from './html.ts'
import type { Page } from './stationery.ts'

export interface Sheet {
  readonly title: string
  /** The heading, where it says more than the title. */
  readonly heading?: string | Html
  /** One sentence about the whole form. */
  readonly error?: string | undefined
  /** What is wrong with which field. */
  readonly errors?: FieldErrors | undefined
  /** Fields of this page by their names, so that the summary can lead to them. */
  readonly fields?: readonly FieldName[]
  readonly body: Html | readonly (Html | undefined | false)[]
  /** Whether the page has something that only a script can do. */
  readonly script?: boolean
  readonly wide?: boolean
  /** Where to go at once. */
  readonly refresh?: string
  /** Beside the site's name. */
  readonly corner?: Html | undefined
}

/** A whole document: one heading, one main landmark, and what is wrong before everything else. */
export function layout(page: Page, sheet: Sheet): Html {
  const { texts, options } = page
  const wrong = sheet.error !== undefined || (sheet.errors !== undefined && Object.keys(sheet.errors).length > 0)
  const title = `${sheet.title} – ${options.name}`
  const logo =
    options.logo === undefined
      ? html`<span>${options.name}</span>`
      : html`<img src="${options.logo}" alt="${options.name}">`
  return html`<!doctype html>
<html lang="${texts.language}" dir="${rightToLeft.test(texts.language) ? 'rtl' : 'ltr'}">
<head>
<meta charset="utf-8">
<title>${wrong ? texts.say('errorTitle', { title }) : title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${sheet.refresh !== undefined && html`<meta http-equiv="refresh" content="0;url=${sheet.refresh}">\n`}<link rel="stylesheet" href="${page.style.path}">
<link rel="icon" href="data:,">
${sheet.script === true && html`<script src="${page.script.path}" defer></script>\n`}</head>
<body${sheet.wide === true && Html.of(' class="wide"')}>
<header class="site">${logo}${sheet.corner}</header>
<main>
${wrong && summary(page, sheet)}<h1>${sheet.heading ?? sheet.title}</h1>
${sheet.body}</main>
${footer(page)}</body>
</html>
`
}

const rightToLeft = /^(?:ar|dv|fa|he|ku|ps|sd|ug|ur|yi)\b/

/** Read out when the page opens, and the first to have the focus: each line leads to the field that it speaks of. */
function summary(page: Page, { error, errors = {}, fields = [] }: Sheet): Html {
  const lines = Object.entries(errors).flatMap(([name, messages]) => {
    const field = fields.find((one) => one.name === name)
    return messages.map((message) => {
      const said = worded(page, message)
      if (field === undefined) return html`<li>${name}: ${said}</li>`
      return html`<li><a href="#${field.id}">${field.label}: ${said}</a></li>`
    })
  })
  return html`<div class="summary" role="alert" tabindex="-1" autofocus aria-labelledby="summary-heading">
<h2 id="summary-heading">${page.texts.say('errorSummary')}</h2>
${error !== undefined && html`<p>${error}</p>\n`}${lines.length > 0 && html`<ul>${lines}</ul>\n`}</div>
`
}

function footer({ texts, options: { links } }: Page): Html | undefined {
  // biome-ignore format: a table
  const shown = [
    { href: links.terms, text: texts.say('terms') },
    { href: links.privacy, text: texts.say('privacy') },
    { href: links.support, text: texts.say('support') },
  ].filter(({ href }) => href !== undefined)
  if (shown.length === 0) return undefined
  return html`<footer>${shown.map(({ href, text }) => html`<a href="${href}">${text}</a>\n`)}</footer>\n`
}
