import { markUnshowable } from '../../kernel/one-line.ts'
import type { Figure, Review, Section, Table } from './document.ts'
import { introduction, titleOf } from './words.ts'

/** A review as Markdown (CommonMark, with tables as GitHub has them). What others chose to be called is text in it, and nothing more. */
export function reviewMarkdown(review: Review): string {
  return [
    `# ${text(titleOf(review))}`,
    ...introduction(review).map(text),
    ...review.sections.map(sectionText),
    '',
  ].join('\n\n')
}

function sectionText({ title, notes, figures, charts, tables }: Section): string {
  return [
    `## ${text(title)}`,
    ...notes.map((note) => `*${text(note)}*`),
    ...(figures.length === 0 ? [] : [figuresText(figures)]),
    ...charts.map(({ title, labels, series }) =>
      tableText({
        title,
        columns: ['day', ...series.map(({ name }) => name)],
        rows: labels.map((label, index) => [label, ...series.map(({ values }) => values[index] ?? 0)]),
        empty: 'None.',
      }),
    ),
    ...tables.map(tableText),
  ].join('\n\n')
}

function figuresText(figures: readonly Figure[]): string {
  const compared = figures.some(({ before }) => before !== undefined)
  return rowsText(
    ['', 'now', ...(compared ? ['before'] : [])],
    figures.map(({ name, now, before = '' }) => [name, now, ...(compared ? [before] : [])]),
  )
}

function tableText({ title, columns, rows, empty }: Table): string {
  return `### ${text(title)}\n\n${rows.length === 0 ? text(empty) : rowsText(columns, rows)}`
}

function rowsText(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => text(String(cell))).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

/** On one line, and without what would be markup, a link, an address that becomes one, or HTML. */
function text(raw: string): string {
  return markUnshowable(raw, ' ')
    .replace(/[\\`*_[\]<>#|~&$]/g, (character) => `\\${character}`)
    .replace(/:\/\//g, ':\\//')
    .replace(/\bwww\./gi, (start) => `${start.slice(0, 3)}\\.`)
    .replaceAll('@', '\\@')
}
