// Makes src/inspection/prompts/weights.ts, what words weigh in the detection of orders to a model:
//   node scripts/train/prompts.ts HONEST.jsonl …
// The orders, and honest texts that sound like them, are written here by grammars. The files are honest texts of the world, one
// JSON object a line with `payload` and `meta.src`; no file of attacks is read, so that sets of attacks measure what was learned.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Channel } from '../../src/inspection/prompts/sign.ts'
import { attackStarts, attacks } from './attacks.ts'
import { type Grammar, pick, seeded, write } from './grammar.ts'
import { honest, honestDataStarts, honestStarts } from './honest.ts'
import { type Regression, regress, type Sample } from './regression.ts'
import { records, toolOrderStarts, toolOrders } from './tool-orders.ts'
import { type Names, windowsOf } from './windows.ts'

/** One text, for one channel. */
interface Example {
  readonly windows: readonly Int32Array[]
  readonly isAttack: boolean
  /** Texts of one source are learned from together, or measured with. */
  readonly source: string
  readonly weight: number
}

const seed = 20_26
const strengths = { sparseness: 1.8, restraint: 1.5, epochs: 5 }
/** Of honest texts whose source was held out, so many may be taken for orders. */
const falseAlarms: Readonly<Record<Channel, number>> = { ask: 0.006, 'tool-result': 0.006 }
const folds = 4
/** A feature has to stand in so many texts, or it may tell whose text it is. */
const textsMin = 4

function main(paths: readonly string[]): void {
  if (paths.length === 0) throw new Error('expected the paths of files of honest texts')
  const world = paths.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Honest => {
        const { payload, meta } = JSON.parse(line) as { payload: string; meta: { src: string } }
        return { text: payload, source: meta.src, file: basename(path) }
      }),
  )
  const out = {
    ask: learn('ask', world),
    'tool-result': learn('tool-result', world),
  }
  const path = new URL('../../src/inspection/prompts/weights.ts', import.meta.url)
  const text = `/** What words weigh in hundredths of the logarithm of the odds; made by \`scripts/train/prompts.ts\`. */
export const weights = {
  ask: '${out.ask}',
  'tool-result':
    '${out['tool-result']}',
} as const
`
  writeFileSync(path, text)
  process.stdout.write(`${path.pathname}: ${text.length} bytes\n`)
}

interface Honest {
  readonly text: string
  readonly source: string
  readonly file: string
}

function learn(channel: Channel, world: readonly Honest[]): string {
  const random = seeded(seed)
  const names: Names = new Map()
  const own = channel === 'ask' ? written(random, names) : writtenData(random, names)
  const real = world
    .filter(({ file }) => channel === 'ask' || !file.includes('chat'))
    .map(({ text, source }) => ({ windows: windowsOf(text, names), isAttack: false, source, weight: 1 }))
  const seen = countTexts([...own, ...real])
  const fits = (feature: number): boolean => (seen.get(feature) ?? 0) >= textsMin && names.has(feature)
  // Honest texts of a source that was not learned from say how sure an order has to be.
  const scores: number[] = []
  for (let fold = 0; fold < folds; fold++) {
    const isHeldOut = ({ source }: Example): boolean => foldOf(source) === fold
    const model = fit([...own, ...real.filter((one) => !isHeldOut(one))], fits)
    for (const one of real.filter(isHeldOut)) scores.push(scoreOf(model, one))
  }
  scores.sort((a, b) => b - a)
  const model = fit([...own, ...real], fits)
  const limit = scores[Math.floor(scores.length * falseAlarms[channel])] as number
  const found = own.filter((one) => one.isAttack && scoreOf(model, one) > limit).length
  const wrong = own.filter((one) => !one.isAttack && scoreOf(model, one) > limit).length
  process.stdout.write(
    `${channel}: ${own.length} written, ${real.length} of the world; limit ${limit.toFixed(2)}; of its own ${found} of ${own.filter((one) => one.isAttack).length} found, ${wrong} false; ${model.weights.size} weights\n`,
  )
  return textOf(model, limit, names)
}

function fit(examples: readonly Example[], fits: (feature: number) => boolean): Regression {
  const samples: Sample[] = examples.flatMap(({ windows, isAttack, weight }) =>
    windows.map((features) => ({ features: features.filter(fits), isAttack, weight })),
  )
  return regress(samples, strengths, seeded(seed + 1))
}

function scoreOf({ bias, weights }: Regression, { windows }: Example): number {
  let best = Number.NEGATIVE_INFINITY
  for (const features of windows) {
    let sum = bias
    for (const feature of features) sum += weights.get(feature) ?? 0
    best = Math.max(best, sum)
  }
  return best
}

/** With the limit at even odds. */
function textOf({ bias, weights }: Regression, limit: number, names: Names): string {
  const entries = [...weights]
    .map(([feature, weight]): [string, number] => [names.get(feature) ?? '', Math.round(weight * 100)])
    .filter(([name, weight]) => name !== '' && Math.abs(weight) >= 6)
    .sort((a, b) => (a[0] < b[0] ? -1 : 1))
  return [`bias=${Math.round((bias - limit) * 100)}`, ...entries.map(([name, weight]) => `${name}=${weight}`)].join(',')
}

function written(random: () => number, names: Names): Example[] {
  const of = (
    grammar: Grammar,
    starts: readonly string[],
    isAttack: boolean,
    times: number,
    weight: number,
  ): Example[] =>
    Array.from({ length: times }, (_, at) => {
      const text = write(grammar, pick(starts, random), random)
      return { windows: windowsOf(dressed(text, random), names), isAttack, source: `written ${at % 10}`, weight }
    })
  return [
    ...of(attacks, attackStarts, true, 9_000, 1),
    ...of(honest, honestStarts, false, 9_000, 1),
    ...of(honest, honestDataStarts, false, 3_000, 1),
  ]
}

function writtenData(random: () => number, names: Names): Example[] {
  const shells = ['record', 'record', 'record', 'mailText', 'mailText', 'table', 'page', 'bare']
  const of = (grammar: Grammar, starts: readonly string[], isAttack: boolean, times: number): Example[] =>
    Array.from({ length: times }, (_, at) => {
      const core = dressed(write(grammar, pick(starts, random), random), random)
      const shell = pick(shells, random)
      const around = shell === 'bare' ? 'CORE' : write(records, shell, random)
      const place = around.indexOf('CORE')
      const text = around.slice(0, place) + core + around.slice(place + 4)
      const windows = isAttack ? windowsOf(text, names, place, place + core.length) : windowsOf(text, names)
      return { windows, isAttack, source: `written ${at % 10}`, weight: 1 }
    })
  return [
    ...of(toolOrders, toolOrderStarts, true, 8_000),
    ...of(attacks, attackStarts, true, 4_000),
    ...of(honest, honestDataStarts, false, 10_000),
    ...of(records, ['plain'], false, 3_000),
  ]
}

/** People write in capitals, forget the last mark, and begin small. */
function dressed(text: string, random: () => number): string {
  const chance = random()
  if (chance < 0.04) return text.toUpperCase()
  if (chance < 0.2) return text.toLowerCase()
  if (chance < 0.4) return text.replace(/[.!?]+$/, '')
  return text
}

function countTexts(examples: readonly Example[]): Map<number, number> {
  const seen = new Map<number, number>()
  for (const { windows } of examples)
    for (const feature of new Set(windows.flatMap((features) => [...features])))
      seen.set(feature, (seen.get(feature) ?? 0) + 1)
  return seen
}

function foldOf(source: string): number {
  let sum = 0
  for (const character of source) sum = (sum * 31 + character.charCodeAt(0)) % 9_973
  return sum % folds
}

main(process.argv.slice(2))
