import type { Chart, Figure, Review, Section, Table } from './document.ts'
import { introduction, titleOf } from './words.ts'

/** A review as one HTML file: no script, nothing from elsewhere, readable in the dark and on paper. */
export function reviewHtml(review: Review): string {
  const title = escaped(titleOf(review))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
${introduction(review)
  .map((line) => `<p>${escaped(line)}</p>`)
  .join('\n')}
${review.sections.map(sectionHtml).join('\n')}
</body>
</html>
`
}

function sectionHtml({ id, title, notes, figures, charts, tables }: Section): string {
  return `<section id="${escaped(id)}">
<h2>${escaped(title)}</h2>
${notes.map((note) => `<p class="note">${escaped(note)}</p>`).join('\n')}
${figures.length === 0 ? '' : figuresHtml(figures)}
${charts.map(chartHtml).join('\n')}
${tables.map(tableHtml).join('\n')}
</section>`
}

function figuresHtml(figures: readonly Figure[]): string {
  const compared = figures.some(({ before }) => before !== undefined)
  return rowsHtml(
    ['', 'now', ...(compared ? ['before'] : [])],
    figures.map(({ name, now, before = '' }) => [name, now, ...(compared ? [before] : [])]),
  )
}

function tableHtml({ title, columns, rows, empty }: Table): string {
  return `<h3>${escaped(title)}</h3>\n${rows.length === 0 ? `<p>${escaped(empty)}</p>` : rowsHtml(columns, rows)}`
}

function rowsHtml(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string =>
    typeof value === 'number' ? `<td class="number">${value}</td>` : `<td>${escaped(value)}</td>`
  return `<table>
<thead><tr>${columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}
</tbody>
</table>`
}

const [height, barWidth, gap, base] = [120, 8, 6, 100]

/** Bars for the eye; the numbers stand in a table below them for everybody. */
function chartHtml({ title, labels, series }: Chart): string {
  const most = Math.max(1, ...series.flatMap(({ values }) => values))
  const group = series.length * barWidth + gap
  const bars = labels.flatMap((label, at) =>
    series.map(({ name, values }, which) => {
      const value = values[at] ?? 0
      const tall = Math.round((value / most) * (base - 10) * 10) / 10
      return `<rect class="bar${which}" x="${at * group + which * barWidth}" y="${base - tall}" width="${barWidth - 1}" height="${tall}"><title>${escaped(`${label}, ${name}: ${value}`)}</title></rect>`
    }),
  )
  const width = Math.max(labels.length * group, 200)
  const sums = series.map(({ name, values }) => `${name} ${values.reduce((sum, one) => sum + one, 0)}`).join(', ')
  const told = `${title}: ${sums}; the most in a day ${Math.max(0, ...series.flatMap(({ values }) => values))}`
  return `<figure>
<figcaption>${escaped(title)} ${series.map(({ name }, which) => `<span class="key${which}">${escaped(name)}</span>`).join(' ')}</figcaption>
<svg role="img" aria-label="${escaped(told)}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<line class="axis" x1="0" y1="${base}" x2="${width}" y2="${base}"/>
${bars.join('\n')}
<text x="0" y="${height - 4}">${escaped(labels[0] ?? '')}</text>
<text x="${width}" y="${height - 4}" text-anchor="end">${escaped(labels.at(-1) ?? '')}</text>
</svg>
</figure>
<details><summary>${escaped(title)}, as numbers</summary>
${rowsHtml(
  ['day', ...series.map(({ name }) => name)],
  labels.map((label, at) => [label, ...series.map(({ values }) => values[at] ?? 0)]),
)}
</details>`
}

/** As text and within a quoted attribute; what XML has no place for becomes a mark, and nothing turns the line around. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --one: #1d4ed8; --two: #b45309; --quiet: #57606a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --one: #79a8ff; --two: #f0a860; --quiet: #9198a1 } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
.note { color: var(--quiet) }
table { border-collapse: collapse; margin: .5rem 0 1rem }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0; overflow-x: auto }
svg text { font-size: 10px; fill: var(--quiet) }
.axis { stroke: var(--line) }
.bar0 { fill: var(--one) } .bar1 { fill: var(--two) }
.key0::before, .key1::before { content: '\\25A0 '; } .key0::before { color: var(--one) } .key1::before { color: var(--two) }
@media print { body { margin: 0; max-width: none } section { break-inside: avoid-page } }
`
