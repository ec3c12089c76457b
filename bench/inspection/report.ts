import { join } from 'node:path'
import { machineText } from '../machine.ts'
import { tableText, verdict, whole, writeSections } from '../readme.ts'
import { median } from '../results.ts'
import { type Kind, kindTitles, type Size, sizes } from './bodies.ts'
import type { Shown, Turned } from './child.ts'
import { type Job, kindsFor } from './jobs.ts'
import { plantedKinds } from './planted.ts'

/** What came of one job on bodies of one kind and size, round by round. */
export interface Cell {
  readonly job: Job
  readonly kind: Kind
  readonly size: Size
  readonly turns: readonly Turned[]
}

export interface Measured {
  readonly cells: readonly Cell[]
  readonly shown: ReadonlyMap<Job, Shown>
}

const [small, middle, large] = sizes

/** For whoever ran it: everything that was measured. */
export function terminalText(measured: Measured): string {
  const lines = measured.cells.map((cell) => {
    const { job, kind, size } = cell
    const p99 = cell.turns.at(-1)?.p99
    return [
      job.name.padEnd(22),
      kind.padEnd(9),
      whole(size).padStart(8),
      `${short(microsOf(cell))} µs`.padStart(12),
      `${short(speedOf(cell))} MB/s`.padStart(12),
      p99 === undefined ? '' : `   p99 ${short(p99)} µs`,
    ].join('')
  })
  return [...lines, '', ...goalLines(measured)].join('\n')
}

/** The sections of README.md that a run writes, by their markers. */
export function sectionsOf(measured: Measured, setting: string): ReadonlyMap<string, string> {
  return new Map([
    ['goals', [...goalLines(measured), '', `Machine: ${machineText()}. ${setting}`].join('\n')],
    ['data', comparison(measured, 'data')],
    ['found', foundTable(measured)],
    ['html', comparison(measured, 'html')],
    ['shares', sharesTable(measured)],
    ['costs', costsTables(measured)],
    ['families', familiesTable(measured)],
  ])
}

export function writeReadme(sections: ReadonlyMap<string, string>): void {
  writeSections(join(import.meta.dirname, 'README.md'), sections)
}

const p99MaxMicros = 1_000
/** Of 100 KB against 4 KB, with half as much again for what a body of any size costs. */
const growthMax = (large / middle) * 1.5

function goalLines(measured: Measured): readonly string[] {
  const wholes = measured.cells.filter(({ job }) => job.name === 'everything')
  if (wholes.length === 0) return []
  const slowest = most(
    wholes.filter(({ size }) => size === middle),
    p99Of,
  )
  const steepest = most(
    measured.cells.filter(({ job, size }) => size === large && job.table === 'parts' && job.name !== 'head'),
    (cell) => growthOf(measured, cell),
  )
  const events = measured.cells.filter(({ job, size }) => job.name === 'events' && size === large)
  const perEvent = most(events, (cell) => microsOf(cell) / (figure(cell, (turn) => turn.events) ?? Number.NaN))
  return [
    verdict(
      slowest.value <= p99MaxMicros,
      'everything together takes less than 1 ms for 4 KB, 99 times in a hundred, whatever the kind',
      `${short(slowest.value)} µs, of ${kindTitles[slowest.of.kind]}`,
    ),
    verdict(
      steepest.value <= growthMax,
      `25 times as large takes no more than ${short(growthMax)} times as long, in each part`,
      `${short(steepest.value)}, of ${steepest.of.job.title} on ${kindTitles[steepest.of.kind]}`,
    ),
    `- an event of a stream takes ${short(perEvent.value)} µs at the most (${kindTitles[perEvent.of.kind]}); no goal is set`,
  ]
}

function growthOf(measured: Measured, cell: Cell): number {
  const smaller = cellOf(measured, cell.job.name, cell.kind, middle)
  return smaller === undefined ? Number.NaN : microsOf(cell) / microsOf(smaller)
}

function most(cells: readonly Cell[], of: (cell: Cell) => number): { readonly of: Cell; readonly value: number } {
  return cells.map((cell) => ({ of: cell, value: of(cell) })).reduce((a, b) => (b.value > a.value ? b : a))
}

/** How many times as long theirs takes as ours. */
function comparison(measured: Measured, table: Job['table']): string {
  const theirs = [...measured.shown.keys()].filter((job) => job.table === table && job.against !== undefined)
  const [first] = theirs
  if (first === undefined) return ''
  const kinds = kindsFor(first)
  const rows = theirs.flatMap((job) =>
    sizes.map((size) => [
      `${job.title}, ${sizeText(size)}`,
      ...kinds.map((kind) => {
        const [its, our] = [job.name, job.against ?? ''].map((name) => cellOf(measured, name, kind, size))
        return its === undefined || our === undefined ? '–' : ratioText(ratiosOf(its, our))
      }),
    ]),
  )
  return tableText(['', ...kinds.map((kind) => kindTitles[kind])], rows)
}

/** Theirs by ours, compared within each round. */
function ratiosOf(theirs: Cell, ours: Cell): readonly number[] {
  return theirs.turns.map(({ micros }, round) => micros / (ours.turns[round]?.micros ?? Number.NaN))
}

/** The median; where the two are near each other, the lowest and the highest round too. */
function ratioText(ratios: readonly number[]): string {
  const middle = median(ratios) ?? Number.NaN
  return middle < 5 ? `${short(middle)} (${short(Math.min(...ratios))} – ${short(Math.max(...ratios))})` : short(middle)
}

function foundTable({ shown }: Measured): string {
  const rows = [...shown].flatMap(([job, { struckOut }]) =>
    struckOut === undefined
      ? []
      : [[job.title, ...plantedKinds.map((kind) => (job.looksFor?.includes(kind) ? percent(struckOut[kind]) : '–'))]],
  )
  return tableText(['', ...plantedKinds], rows)
}

/** What a part takes of the time of everything together. */
function sharesTable(measured: Measured): string {
  const parts = partsOf(measured).filter(({ name }) => name !== 'everything')
  const [first] = parts
  const kinds = first === undefined ? [] : kindsFor(first)
  return tableText(
    ['', ...kinds.map((kind) => kindTitles[kind])],
    parts.map((job) => [
      job.title,
      ...kinds.map((kind) => {
        const [its, all] = [job.name, 'everything'].map((name) => cellOf(measured, name, kind, middle))
        return its === undefined || all === undefined ? '–' : short(median(ratiosOf(its, all)) ?? Number.NaN)
      }),
    ]),
  )
}

function costsTables(measured: Measured): string {
  const parts = partsOf(measured)
  const [first] = parts
  if (first === undefined) return ''
  return kindsFor(first)
    .map((kind) => {
      const rows = parts.map((job) => {
        const [one, four, hundred] = [small, middle, large].map((size) => cellOf(measured, job.name, kind, size))
        return [
          job.title,
          cellText(one, microsOf),
          cellText(four, microsOf),
          cellText(four, p99Of),
          cellText(hundred, microsOf),
          cellText(hundred, speedOf),
        ]
      })
      const head = ['', '1 KB, µs', '4 KB, µs', '4 KB, p99 µs', '100 KB, µs', 'MB/s at 100 KB']
      return `${capital(kindTitles[kind])}:\n\n${tableText(head, rows)}`
    })
    .join('\n\n')
}

function familiesTable(measured: Measured): string {
  const jobs = [...measured.shown.keys()].filter(({ table }) => table === 'families')
  const [first] = jobs
  if (first === undefined) return ''
  const kinds = kindsFor(first)
  const rows = jobs.map((job) => [
    job.title,
    ...[small, middle, large].map((size) => {
      const micros = kinds.flatMap((kind) => {
        const cell = cellOf(measured, job.name, kind, size)
        return cell === undefined ? [] : [microsOf(cell)]
      })
      return short(Math.max(...micros))
    }),
    ...kinds.map((kind) => cellText(cellOf(measured, job.name, kind, large), speedOf)),
  ])
  const head = ['', '1 KB, µs', '4 KB, µs', '100 KB, µs', ...kinds.map((kind) => `MB/s, ${kindTitles[kind]}`)]
  return tableText(head, rows)
}

function partsOf({ shown }: Measured): readonly Job[] {
  return [...shown.keys()].filter(({ table }) => table === 'parts')
}

function cellOf({ cells }: Measured, name: string, kind: Kind, size: Size): Cell | undefined {
  return cells.find((cell) => cell.job.name === name && cell.kind === kind && cell.size === size)
}

function cellText(cell: Cell | undefined, of: (cell: Cell) => number): string {
  return cell === undefined ? '–' : short(of(cell))
}

function microsOf(cell: Cell): number {
  return figure(cell, ({ micros }) => micros) ?? Number.NaN
}

/** Of all rounds. */
function p99Of({ turns }: Cell): number {
  return turns.at(-1)?.p99 ?? Number.NaN
}

/** Bytes in a millionth of a second are MB in a second. */
function speedOf(cell: Cell): number {
  return cell.size / microsOf(cell)
}

function figure({ turns }: Cell, of: (turn: Turned) => number | undefined): number | undefined {
  return median(turns.flatMap((turn) => of(turn) ?? []))
}

function sizeText(size: Size): string {
  return `${size / 1_024} KB`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Two digits that matter, or all before the point. */
function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? whole(value) : value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2)
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`
}
