/** The one style sheet: fonts of the system, no pictures, nothing from elsewhere. */
export function styleOf(accent: string): string {
  const onAccent = contrast(accent, white) >= contrast(accent, black) ? white : black
  const palette = (background: string, towards: string) => {
    const ink = readable(accent, background, towards)
    return `--accent: ${accent}; --on-accent: ${onAccent}; --ink: ${ink};`
  }
  return `:root { color-scheme: light dark; ${palette('#eef2fb', black)}
  --back: #f4f5f7; --paper: #ffffff; --text: #1b1f27; --quiet: #525b6b; --line: #d5d9e0; --edge: #767f8e;
  --bad: #b3141f; --bad-back: #fdf0f0; --note-back: #eef2fb; --good: #14683c }
@media (prefers-color-scheme: dark) { :root { ${palette('#252b36', white)}
  --back: #12151b; --paper: #1b2029; --text: #e8ebf0; --quiet: #a9b2c0; --line: #363d4a; --edge: #8a94a4;
  --bad: #ff9a94; --bad-back: #35191b; --note-back: #252b36; --good: #7fd6a4 } }
${sheet}`
}

/** The accent, moved step by step towards black or white until a text in it can be read (WCAG 2.2 §1.4.3). */
export function readable(colour: string, background: string, towards: string): string {
  for (let step = 0; step < 20; step++) {
    const mixed = mix(colour, towards, step / 20)
    if (contrast(mixed, background) >= 4.6) return mixed
  }
  return towards
}

/** The ratio of WCAG 2.2, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mix(one: string, other: string, share: number): string {
  const others = channels(other)
  const mixed = channels(one).map((channel, index) => Math.round(channel + ((others[index] ?? 0) - channel) * share))
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}

function channels(colour: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
}

const white = '#ffffff'
const black = '#000000'

const sheet = `* { box-sizing: border-box }
[hidden] { display: none !important }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  background: var(--back); color: var(--text); -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; align-items: center;
  padding: 1.5rem 1rem 1rem; overflow-wrap: break-word }
body > * { width: 100%; max-width: 27rem }
body.wide > * { max-width: 44rem }
.site { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between;
  margin: 0 0 1rem; padding: 0 .25rem; font-weight: 600 }
.site img { display: block; max-height: 2.5rem; max-width: 14rem }
@media (min-height: 44rem) and (min-width: 30rem) { body:not(.wide) { padding-top: 10vh } }
main { background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem }
@media (min-width: 30rem) { main { padding: 2rem } }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; font-weight: 650; text-wrap: balance; hyphens: auto }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 0 0 .5rem; font-weight: 650 }
h3 { font-size: 1rem; margin: 0 0 .25rem; font-weight: 600 }
p { margin: 0 0 1rem }
a { color: var(--ink); text-underline-offset: .15em }
a:hover { text-decoration-thickness: .14em }
:focus-visible, .summary:focus { outline: 3px solid var(--ink); outline-offset: 2px }
form { margin: 0 }
.fields { display: grid; gap: 1.125rem }
.field label, .label { display: block; font-weight: 600; margin-bottom: .25rem }
.field .more { font-weight: 400; color: var(--quiet) }
.hint { color: var(--quiet); font-size: .875rem; margin: 0 0 .375rem }
.wrong { color: var(--bad); font-size: .875rem; font-weight: 600; margin: 0 0 .375rem }
input { font: inherit; color: inherit; width: 100%; min-height: 2.75rem; padding: .5rem .75rem; background: var(--paper);
  border: 1px solid var(--edge); border-radius: .5rem }
input[aria-invalid] { border-color: var(--bad); box-shadow: inset 0 0 0 1px var(--bad) }
input.code { font-variant-numeric: tabular-nums; letter-spacing: .12em; max-width: 14rem }
.button { font: inherit; font-weight: 600; display: inline-flex; align-items: center; justify-content: center; text-align: center;
  width: 100%; min-height: 2.75rem; padding: .5rem 1.125rem; border-radius: .5rem; border: 1px solid var(--ink);
  background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none }
.button:hover { box-shadow: 0 0 0 2px var(--ink) }
.button.second { background: transparent; color: var(--text); border-color: var(--edge) }
.button.second:hover { box-shadow: 0 0 0 1px var(--edge) }
.button.grave { background: transparent; color: var(--bad); border-color: var(--bad) }
.button.grave:hover { box-shadow: 0 0 0 1px var(--bad) }
.button.small { width: auto; min-height: 2.25rem; padding: .25rem .75rem; font-size: .875rem }
.button[aria-disabled=true] { opacity: .6; cursor: progress }
.plain { width: auto; min-height: 1.5rem; padding: 0; border: 0; background: none; color: var(--ink); font: inherit; font-size: .9375rem;
  text-decoration: underline; text-underline-offset: .15em; cursor: pointer }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center }
.row.choice > * { flex: 1 1 9rem }
.stack { display: grid; gap: .75rem }
.stack > *, .fields > *, .row > * { min-width: 0; margin: 0 }
.apart > form + form { border-top: 1px solid var(--line); padding-top: 1.25rem; margin-top: .5rem }
.or { display: flex; align-items: center; gap: .75rem; margin: 1.25rem 0; color: var(--quiet); font-size: .875rem }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
.below { margin: 1.25rem 0 0; font-size: .9375rem }
.below p:last-child { margin: 0 }
.summary, .note { border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1.25rem; border: 1px solid var(--line) }
.summary { background: var(--bad-back); border-color: var(--bad) }
.summary h2 { font-size: 1rem; margin: 0 0 .25rem; color: var(--bad) }
.summary ul { margin: 0; padding-inline-start: 1.125rem }
.summary a { color: inherit }
.summary p, .note p { margin: 0 }
.note { background: var(--note-back) }
.note.grave { background: var(--bad-back); border-color: var(--bad) }
.status { font-size: .875rem; color: var(--quiet); margin: .5rem 0 0 }
.status:empty { display: none }
.quiet { color: var(--quiet) }
.small { font-size: .875rem }
details { border-top: 1px solid var(--line); margin-top: 1.25rem; padding-top: .25rem }
summary { cursor: pointer; padding: .625rem 0; font-weight: 600; color: var(--ink) }
details + details { margin-top: .25rem }
details > form { padding: .25rem 0 1.25rem }
main > :last-child, section > :last-child { margin-bottom: 0 }
section { border-top: 1px solid var(--line); padding-top: 1.5rem; margin-top: 1.75rem }
section details { border: 0; margin: 0; padding: 0 }
.list { list-style: none; margin: 0 0 1rem; padding: 0 }
.list > li { display: flex; flex-wrap: wrap; gap: .5rem 1rem; justify-content: space-between; align-items: center;
  padding: .75rem 0; border-bottom: 1px solid var(--line) }
.list:last-child { margin-bottom: 0 }
.list:last-child > li:last-child { border: 0; padding-bottom: 0 }
.list > li:first-child { padding-top: .25rem }
.list p, .list .scopes { margin: 0 }
.list .scopes li { margin: 0 }
.list .what { flex: 1 1 14rem; min-width: 0 }
.mark { display: inline-block; font-size: .8125rem; font-weight: 600; color: var(--good); border: 1px solid currentcolor; border-radius: 1rem;
  padding: 0 .5rem; margin-inline-start: .375rem }
.facts { margin: 0 0 1rem; display: grid; gap: 0 1rem }
.facts dd { margin: 0 0 .5rem; min-width: 0 }
@media (min-width: 30rem) { .facts { grid-template-columns: minmax(5rem, auto) 1fr } }
.facts dt { color: var(--quiet) }
.scopes { margin: 0 0 1.25rem; padding-inline-start: 1.25rem }
.scopes li { margin-bottom: .5rem }
code, .codes { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", monospace; font-size: .9375rem }
code { overflow-wrap: anywhere }
.codes { list-style: none; margin: 0 0 1.5rem; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; display: grid;
  grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .5rem 1rem }
.shown-code { text-align: center; margin: 0 0 1.25rem }
.shown-code code { font-size: 1.625rem; font-weight: 600; letter-spacing: .12em }
.qr { display: block; width: 13rem; max-width: 100%; height: auto; background: #fff; padding: .5rem; border-radius: .5rem;
  border: 1px solid var(--line); margin: 0 0 1rem }
footer { margin-top: auto; padding: 1.25rem .25rem 0; color: var(--quiet); font-size: .875rem; display: flex; flex-wrap: wrap;
  gap: .25rem 1rem }
footer a { color: inherit }
@media (prefers-reduced-motion: no-preference) { .button { transition: box-shadow .12s } }
@media (forced-colors: active) { .button { border: 1px solid ButtonText } .mark { forced-color-adjust: auto } }
@media print { html, body, main { background: #fff; color: #000; border: 0; padding: 0 } .screen, footer, form { display: none !important } }
`
