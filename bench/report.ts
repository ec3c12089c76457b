import { join } from 'node:path'
import { offeredPerSecond } from './pace.ts'
import { row, writeSections } from './readme.ts'
import { goalLines, median, medianOf, type Result, ratios, type Turn } from './results.ts'

/** What was measured with, as sentences. */
export interface Setting {
  readonly machine: string
  readonly cores: string
  readonly upstream: string
  readonly load: string
  readonly rounds: string
  readonly command: string
  /** Contestants that are not installed here. */
  readonly absent: readonly string[]
}

/** The results for whoever ran it, requests per second included. */
export function terminalTable(results: readonly Result[]): string {
  const head = ['', 'req/s', 'of bare', 'of Fastify', 'µs CPU/req', 'core busy', 'p50 ms', 'p99 ms']
  const rows = results.map((result) => [
    result.contestant.name,
    number(medianOf(result, perSecond), 0),
    number(median(ratios(result, results, 'bare'))),
    number(median(ratios(result, results, 'fastify'))),
    number(medianOf(result, cpuMicros), 1),
    percent(medianOf(result, busy)),
    number(medianOf(result, p50Ms)),
    number(medianOf(result, p99Ms)),
  ])
  const width = (column: number): number => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0))
  const line = ([name = '', ...cells]: readonly string[]): string =>
    [name.padEnd(width(0)), ...cells.map((cell, index) => cell.padStart(width(index + 1)))].join('  ')
  return [head, ...rows].map(line).join('\n')
}

/**
 * Writes the ratios into bench/README.md, between its markers. Requests per second belong to one machine; what one
 * contestant makes of another's is nearly the same on the next.
 */
export function writeReadme(results: readonly Result[], setting: Setting): void {
  writeSections(join(import.meta.dirname, 'README.md'), new Map([['results', resultsText(results, setting)]]))
}

function resultsText(results: readonly Result[], setting: Setting): string {
  const bare = results.find(({ contestant }) => contestant.name === 'bare')
  const against = (result: Result, figure: (turn: Turn) => number | undefined): [number, number] => [
    medianOf(result, figure) ?? Number.NaN,
    (bare && medianOf(bare, figure)) ?? Number.NaN,
  ]
  const rows = results.map((result) => {
    const [cpu, bareCpu] = against(result, cpuMicros)
    const [[p50, bareP50], [p99, bareP99]] = [against(result, p50Ms), against(result, p99Ms)]
    const ofBare = ratios(result, results, 'bare')
    return row([
      result.contestant.title,
      number(median(ofBare)),
      `${number(Math.min(...ofBare))} – ${number(Math.max(...ofBare))}`,
      number(median(ratios(result, results, 'fastify'))),
      number(cpu / bareCpu),
      percent(medianOf(result, busy)),
      `${number(p50 - bareP50)} / ${number(p99 - bareP99)}`,
    ])
  })
  return [
    row([
      '',
      'requests/s, of bare',
      'from – to',
      'of Fastify',
      'CPU a request, of bare',
      'core busy',
      'later than bare, p50 / p99 ms',
    ]),
    row(['---', ...Array(6).fill('---:')]),
    ...rows,
    '',
    ...goalLines(results).map((line) => `- ${line}`),
    '',
    `Machine: ${setting.machine}. ${setting.cores}`,
    `Upstream: ${setting.upstream}. Load: ${setting.load}. ${setting.rounds} Latency at ${offeredPerSecond} requests/s.`,
    ...setting.absent.map((title) => `Not measured, since it is not installed here: ${title}.`),
    `Made by \`${setting.command}\`.`,
  ].join('\n')
}

const perSecond = (turn: Turn): number => turn.perSecond
const cpuMicros = (turn: Turn): number | undefined => turn.cpuMicros
const busy = (turn: Turn): number | undefined => turn.busy
const p50Ms = (turn: Turn): number => turn.latency.p50Ms
const p99Ms = (turn: Turn): number => turn.latency.p99Ms

function percent(value: number | undefined): string {
  return value === undefined ? '–' : `${Math.round(value * 100)} %`
}

function number(value: number | undefined, digits = 2): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits)
}
