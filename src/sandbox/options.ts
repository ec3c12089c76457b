import { z } from 'zod'
import { duration, size } from '../kernel/shape.ts'
import { languages } from './run.ts'
import { walls } from './walls/wall.ts'

/** What Python's own library offers that reaches nothing outside: what user code may import where nothing is said. */
export const usualImports = [
  'datetime',
  'time',
  'json',
  're',
  'math',
  'statistics',
  'collections',
  'itertools',
] as const

const moduleName = z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'expected the name of a module such as `math`')
const inputSize = size.refine((bytes) => bytes >= 1 && bytes <= 64 * 1024 ** 2, 'expected `64mb` at most')
const runTime = duration.refine((ms) => ms >= 10 && ms <= 600_000, 'expected `10ms` to `10m`')
const runMemory = size.refine((bytes) => bytes >= 16 * 1024 ** 2 && bytes <= 4 * 1024 ** 3, 'expected `16mb` to `4gb`')

/** Code that users and models write, run where it reaches nothing. */
export const sandboxOptions = z.strictObject({
  enabled: z.boolean().default(false),
  languages: z
    .array(z.enum(languages))
    .min(1)
    .default([...languages]),
  python: z
    .strictObject({
      imports: z
        .array(moduleName)
        .max(64)
        .default([...usualImports]),
    })
    .prefault({}),
  /** What a run may use where its caller says nothing. */
  limits: z
    .strictObject({
      time: runTime.default(5_000),
      memory: runMemory.default(1024 ** 3),
      output: size.refine((bytes) => bytes <= 16 * 1024 ** 2, 'expected `16mb` at most').default(64 * 1024),
      result: size.refine((bytes) => bytes <= 16 * 1024 ** 2, 'expected `16mb` at most').default(1024 ** 2),
    })
    .prefault({}),
  /** The most that a caller may ask for; what is usual, where nothing is said. */
  most: z.strictObject({ time: runTime.optional(), memory: runMemory.optional() }).prefault({}),
  /** The largest code, and the largest input as JSON. */
  codeMax: inputSize.default(256 * 1024),
  inputMax: inputSize.default(1024 ** 2),
  /** Walls without which the house does not start. */
  require: z.array(z.enum(walls)).default([]),
  /** Walls without which code is run all the same. Whoever names one here answers for what the code reaches. */
  without: z.array(z.enum(walls)).default([]),
  pool: z
    .strictObject({
      /** Children that wait for their first run, for each language. */
      warm: z.int().min(0).max(16).default(1),
      /** Children at once, of all languages. */
      children: z.int().min(1).max(64).default(4),
      /** Runs that wait for a child; one more is refused. */
      waiting: z.int().min(0).max(10_000).default(64),
      /** How long one waits at most. */
      patience: duration.default(10_000),
      /** Runs of one tenant that a child takes before it is thrown away; 1 gives every run a child of its own. */
      runsPerChild: z.int().min(1).max(10_000).default(100),
      /** A tenant's child that has had nothing to do for so long is thrown away. */
      idle: duration.default(60_000),
    })
    .prefault({}),
})

export type SandboxOptions = z.output<typeof sandboxOptions>

/** What a request may hold that brings code and its input, as JSON, with its escapes. */
export function codeBodyBytes({ codeMax, inputMax }: Pick<SandboxOptions, 'codeMax' | 'inputMax'>): number {
  return (codeMax + inputMax) * 2 + 64 * 1024
}
