import type { Question, Rule, Shape } from './shapes.ts'

/** One that decides by rules. */
export interface Contestant {
  readonly name: string
  readonly title: string
  /** The file beside this one that is the contestant; it exports `ready`. */
  readonly file: string
  /** It answers from what it has answered before: every question is asked once before it is timed. */
  readonly remembers?: true
}

/** Reads the rules and prepares what each question is asked with; neither is timed with the decisions. */
export type Ready = (shape: Shape, rules: readonly Rule[], questions: readonly Question[]) => Promise<Decider>

export interface Decider {
  /** How long it took until the rules could be decided by. */
  readonly loadMs: number
  /** The answer to the question of that number. */
  readonly decide: (at: number) => boolean | Promise<boolean>
}

// biome-ignore format: a table
export const contestants: readonly Contestant[] = [
  { name: 'gatehouse',     title: '**Gatehouse**',              file: 'gatehouse.ts' },
  { name: 'casl',          title: '@casl/ability',              file: 'casl.mjs' },
  { name: 'casbin',        title: 'casbin',                     file: 'casbin.mjs' },
  { name: 'casbin-cached', title: 'casbin, each answer cached', file: 'casbin-cached.mjs', remembers: true },
  { name: 'cedar',         title: 'cedar-wasm',                 file: 'cedar.mjs' },
]
