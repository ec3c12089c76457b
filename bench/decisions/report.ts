import { join } from 'node:path'
import { machineText } from '../machine.ts'
import { row, whole, writeSections } from '../readme.ts'
import { median } from '../results.ts'
import type { Contestant } from './contestants.ts'
import { type Shape, shapes, shapeTitles } from './shapes.ts'

/** What came of one shape with as many rules. */
export interface Cell {
  readonly shape: Shape
  readonly size: number
  readonly results: readonly Result[]
}

export interface Result {
  readonly contestant: Contestant
  readonly loadMs: number
  /** Decisions a second, round by round. */
  readonly rates: readonly number[]
  readonly median: number
}

/** For whoever ran it, decisions a second included. */
export function terminalText({ shape, size, results }: Cell): string {
  const [ours] = results
  const figures = results.map((result) => {
    const { contestant, median, loadMs } = result
    const ratio = ours === undefined || result === ours ? '' : `, ${ratioText(ratiosOf(ours, result))}`
    return `  ${contestant.name.padEnd(14)}${whole(median).padStart(12)}/s   loaded in ${whole(loadMs)} ms${ratio}`
  })
  return [`${shape}, ${size} rules`, ...figures].join('\n')
}

/** Writes the ratios into README.md, between its markers: decisions a second belong to one machine. */
export function writeReadme(cells: readonly Cell[], rounds: string): void {
  const text = [
    ...shapes.flatMap((shape) => [
      ...table(
        shape,
        cells.filter((cell) => cell.shape === shape),
      ),
      '',
    ]),
    `Machine: ${machineText()}. ${rounds}, median of the rounds.`,
  ].join('\n')
  writeSections(join(import.meta.dirname, 'README.md'), new Map([['results', text]]))
}

function table(shape: Shape, cells: readonly Cell[]): readonly string[] {
  const [first] = cells
  const others = first?.results.slice(1) ?? []
  return [
    `Rules ${shapeTitles[shape]}.`,
    '',
    row(['rules', ...others.map(({ contestant }) => contestant.title), 'loaded by Gatehouse in']),
    row(['---:', ...others.map(() => '---:'), '---:']),
    ...cells.map(({ size, results: [ours, ...theirs] }) =>
      row([
        whole(size),
        ...theirs.map((result) => (ours === undefined ? '–' : ratioText(ratiosOf(ours, result)))),
        `${whole(ours?.loadMs ?? Number.NaN)} ms`,
      ]),
    ),
  ]
}

/** Ours by theirs, compared within each round. */
function ratiosOf(ours: Result, theirs: Result): readonly number[] {
  return ours.rates.map((rate, round) => rate / (theirs.rates[round] ?? Number.NaN))
}

/** The median; where the two are near each other, the lowest and the highest round too. */
function ratioText(ratios: readonly number[]): string {
  const middle = median(ratios) ?? Number.NaN
  const text = `${times(middle)} ×`
  return middle < 5 ? `${text} (${times(Math.min(...ratios))} – ${times(Math.max(...ratios))})` : text
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : whole(Number(ratio.toPrecision(2)))
}
