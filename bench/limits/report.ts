import { join } from 'node:path'
import { machineText } from '../machine.ts'
import { row, verdict, whole, writeSections } from '../readme.ts'
import { median } from '../results.ts'
import type { Cell } from './counting.ts'
import type { FloodResult, SheddingResult, WayResult } from './whole.ts'

export const parts = ['memory', 'redis', 'way', 'flood', 'shedding'] as const
export type Part = (typeof parts)[number]

/** A part of the results: what the terminal shows, and the ratios for README.md. */
export interface Section {
  readonly terminal: readonly string[]
  readonly text: readonly string[]
}

export function countingSection(cells: readonly Cell[]): Section {
  const keys = [...new Set(cells.map((cell) => cell.keys))]
  const rows = cells.filter((cell) => cell.keys === keys[0] && cell.contestant.file !== 'flexible.mjs')
  return {
    terminal: cells.map(
      ({ contestant, algorithm, keys, perSecond, times }) =>
        `  ${contestant.name.padEnd(18)}${algorithm.padEnd(14)}${whole(keys).padStart(8)} keys${whole(perSecond).padStart(12)}/s   ${ratio(times)}`,
    ),
    text: [
      row(['', ...keys.map(callers)]),
      row(['---', ...keys.map(() => '---:')]),
      ...rows.map(({ contestant, algorithm }) =>
        row([
          `${contestant.title}, ${algorithm}`,
          ...keys.map((count) => {
            const cell = cells.find(
              (one) => one.contestant === contestant && one.algorithm === algorithm && one.keys === count,
            )
            return cell === undefined ? '–' : ratio(cell.times)
          }),
        ]),
      ),
      '',
      ...rows
        .filter(({ contestant }) => !contestant.leases)
        .map(({ contestant, algorithm }) => {
          const worst = cells
            .filter((one) => one.contestant === contestant && one.algorithm === algorithm)
            .map(({ keys, times }) => ({ keys, reached: median(times) ?? Number.NaN }))
            .reduce((a, b) => (b.reached < a.reached ? b : a))
          return verdict(
            worst.reached >= 1,
            `${algorithm}, at least as many as rate-limiter-flexible counts in fixed windows, however many callers there are`,
            `${worst.reached.toFixed(2)}, of ${callers(worst.keys)}`,
          )
        }),
    ],
  }
}

function callers(count: number): string {
  return count === 1 ? '1 caller' : `${whole(count)} callers`
}

export function waySection({ requests, cpu, load, upstream }: WayResult): Section {
  const text = [
    row(['', 'with limits, of without']),
    row(['---', '---:']),
    row(['requests a second', ratio(requests, 2)]),
    row(['processor time for a request', ratio(cpu, 2)]),
    '',
    `Upstream: ${upstream}. Load: ${load}.`,
  ]
  return { terminal: text, text }
}

const guards: Readonly<Record<string, string>> = {
  off: 'nothing',
  limits: 'a limit of each address',
  blocks: 'a threshold that blocks the address',
}

export function floodSection(results: readonly FloodResult[], unmeasured: readonly string[]): Section {
  const text = [
    row([
      'what stands against it',
      'the others’ p50',
      'the others’ p99',
      'of the others’ answered',
      'of the one’s answered',
    ]),
    row(['---', '---:', '---:', '---:', '---:']),
    ...results.map(({ guard, p50, p99, served, abuserServed }) =>
      row([guards[guard] ?? guard, ratio(p50), ratio(p99), percent(served), percent(abuserServed)]),
    ),
    '',
    ...results
      .filter(({ guard }) => guard !== 'off')
      .map(({ guard, p99 }) => {
        const reached = median(p99) ?? Number.NaN
        return verdict(
          reached <= 2,
          `with ${guards[guard]}, the others’ p99 at most 2 × what it was`,
          reached.toFixed(2),
        )
      }),
    ...unmeasured.map((what) => `- not measured: ${what}`),
  ]
  return { terminal: text, text }
}

export function sheddingSection(results: readonly SheddingResult[]): Section {
  const text = [
    row(['', 'p50', 'p99', 'answered, of what the upstream can do']),
    row(['---', '---:', '---:', '---:']),
    ...results.map(({ shed, p50, p99, served }) =>
      row([shed ? 'what is too much is refused' : 'all is let through', times(p50), times(p99), percent(served)]),
    ),
    '',
    ...results
      .filter(({ shed }) => shed)
      .flatMap(({ p99, served }) => [
        verdict(p99 <= 3, 'p99 of what is admitted at most 3 × what it was', p99.toFixed(2)),
        verdict(served >= 0.8, '80 % of what the upstream can do', percent(served)),
      ]),
  ]
  return { terminal: text, text }
}

/** Writes sections into README.md, each between its markers: figures for a second belong to one machine, ratios less so. */
export function writeReadme(sections: ReadonlyMap<Part, Section>, setting: string): void {
  const texts = Array.from(
    sections,
    ([part, { text }]) => [part, [...text, '', `${machineText()}. ${setting}`].join('\n')] as const,
  )
  writeSections(join(import.meta.dirname, 'README.md'), new Map(texts))
}

/** The median, and the lowest and the highest round. */
function ratio(values: readonly number[], digits = 1): string {
  const middle = median(values)
  if (middle === undefined || Number.isNaN(middle)) return '–'
  return `${times(middle, digits)} (${times(Math.min(...values), digits)} – ${times(Math.max(...values), digits)})`
}

function times(value: number, digits = 1): string {
  return value < 10 ? value.toFixed(digits) : whole(value)
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`
}
