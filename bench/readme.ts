import { readFileSync, writeFileSync } from 'node:fs'

/** Writes sections into a Markdown file, each between its markers: `<!-- name -->` and `<!-- /name -->` on lines of their own. */
export function writeSections(path: string, sections: ReadonlyMap<string, string>): void {
  let text = readFileSync(path, 'utf8')
  for (const [name, section] of sections) {
    const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
    const [before, rest] = text.split(open)
    const after = rest?.split(close)[1]
    if (before === undefined || after === undefined)
      throw new Error(`expected a line \`${open.trim()}\` and a line \`${close}\` in ${path}`)
    text = `${before}${open}${section}\n${close}${after}`
  }
  writeFileSync(path, text)
}

/** A table: the first column is of names, the others of figures. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n')
}

export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Whether a goal is reached. */
export function verdict(isReached: boolean, goal: string, measured: string): string {
  return `- ${isReached ? 'reached' : 'not reached'}: ${goal}; measured ${measured}`
}

/** `1,234`. */
export function whole(number: number): string {
  return Math.round(number).toLocaleString('en')
}
