// Jobs in a process of their own: shows that they do what they are there for, and then does them for as long as it is told.
import { type Body, bodiesOf, type Kind, type Size, sizes } from './bodies.ts'
import { type Job, jobs, kindsFor, type Open, type Tool } from './jobs.ts'
import { attempts, orderToModel, type PlantedKind, plantedKinds, plantedSentence } from './planted.ts'
import { Seeded } from './seeded.ts'

/** What a job has shown before anything is timed. */
export interface Shown {
  /** Of what was planted, by kind, the share that it strikes out; nothing where it strikes nothing out. */
  readonly struckOut: Readonly<Record<PlantedKind, number>> | undefined
  /** What it should have found and did not. */
  readonly missed: readonly string[]
}

/** What it is told to do. */
export interface Turn {
  readonly job: string
  readonly kind: Kind
  readonly size: Size
  readonly ms: number
}

/** What came of it, for a body of exactly the size. */
export interface Turned {
  /** Of the processor, all threads of the process together. */
  readonly micros: number
  /** What 99 in a hundred take no longer than, of all rounds so far; where they are timed one by one. */
  readonly p99: number | undefined
  /** Events of a stream. */
  readonly events: number | undefined
}

/** Bodies of this size are timed one by one too: so many of them in a turn, where four times its length is enough for that. */
const timedSize = 4_096
const timedLeast = 200
const timedMost = 10_000
/** By then the compiler has done its work. */
const warmUpMs = 2_000

/** Sentences with a value of each kind. */
const sampleOf = 100

interface Prepared {
  readonly inputs: readonly never[]
  /** Of one, on average. */
  readonly bytes: number
  readonly events: number | undefined
  /** Of those that were timed one by one. */
  readonly times: number[]
}

/** A job that this process does, on bodies that it has prepared. */
interface Ready {
  readonly job: Job
  readonly tool: Tool
  readonly prepared: ReadonlyMap<string, Prepared>
}

const readies = new Map<string, Ready>()
const shown: Record<string, Shown> = {}
for (const name of process.argv.slice(2)) {
  const job = jobs.find((one) => one.name === name) as Job
  const { open } = (await import(new URL(job.file, import.meta.url).href)) as { readonly open: Open }
  const tool = await open(name)
  const prepared = new Map(
    kindsFor(job).flatMap((kind) =>
      sizes.map((size) => [`${kind} ${size}`, prepare(job, tool, bodiesOf(kind, size))] as const),
    ),
  )
  readies.set(name, { job, tool, prepared })
  shown[name] = await show(job, tool)
}
for (const { tool, prepared } of readies.values())
  for (const { inputs } of prepared.values()) await inBatches(tool, inputs, warmUpMs / prepared.size / readies.size)
process.send?.(shown)

process.on('message', async ({ job, kind, size, ms }: Turn) => {
  const ready = readies.get(job) as Ready
  process.send?.(await turn(ready, ready.prepared.get(`${kind} ${size}`) as Prepared, size, ms))
})
process.on('disconnect', () => process.exit())

function prepare({ name }: Job, tool: Tool, bodies: readonly Body[]): Prepared {
  const all = bodies.map((body) => tool.prepare(body))
  return {
    inputs: all.map(({ input }) => input as never),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) / all.length,
    events: name === 'events' ? all.reduce((sum, { input }) => sum + (input as []).length, 0) / all.length : undefined,
    times: [],
  }
}

/** Does it on a sample of which it is known what is in it. */
async function show({ name, table }: Job, { rewrite, finds }: Tool): Promise<Shown> {
  const missed: string[] = []
  if (finds !== undefined) {
    for (const [family, attempt] of Object.entries(attempts)) {
      const isMeant = name === `family ${family}` || name === 'injection' || name === 'everything'
      if (isMeant && !(await finds(attempt))) missed.push(family)
    }
    if ((name === 'prompts' || name === 'everything') && !(await finds(orderToModel))) missed.push('prompt')
  }
  if (rewrite === undefined) return { struckOut: undefined, missed }
  if (table === 'html') {
    const clean = await rewrite('<p onclick="x()">fine</p><script>bad()</script><a href="javascript:x()">x</a>')
    if (!clean.includes('fine') || /onclick|script|bad/.test(clean)) missed.push('markup that runs')
    return { struckOut: undefined, missed }
  }
  const struckOut = {} as Record<PlantedKind, number>
  for (const kind of plantedKinds) {
    let gone = 0
    for (let at = 0; at < sampleOf; at++) {
      const { text, value } = plantedSentence(kind, new Seeded(at))
      if (!(await rewrite(`Hello there. ${text} See you!`)).includes(value)) gone++
    }
    struckOut[kind] = gone / sampleOf
  }
  return { struckOut, missed }
}

async function turn({ job, tool }: Ready, prepared: Prepared, size: Size, ms: number): Promise<Turned> {
  const { inputs, bytes, events, times } = prepared
  const scale = size / bytes
  const micros = (await inBatches(tool, inputs, ms)) * scale
  if (job.table !== 'parts' || size !== timedSize) return { micros, p99: undefined, events: events && events * scale }
  times.push(...(await oneByOne(tool, inputs, ms)))
  return { micros, p99: percentile(times, 0.99) * scale, events: events && events * scale }
}

/** Microseconds of the processor for one, all threads of the process together. The clock is looked at about once a millisecond. */
async function inBatches(tool: Tool, inputs: readonly never[], ms: number): Promise<number> {
  const start = performance.now()
  const used = process.cpuUsage()
  let [came, done, batch] = [0, 0, 1]
  for (;;) {
    const before = performance.now()
    for (const until = done + batch; done < until; done++) {
      const outcome = tool.run(inputs[done % inputs.length] as never)
      came += typeof outcome === 'number' ? outcome : await outcome
    }
    const now = performance.now()
    if (now - start >= ms) {
      if (!Number.isFinite(came)) throw new Error('expected a number of what came of it')
      const { user, system } = process.cpuUsage(used)
      return (user + system) / done
    }
    if (now - before < 1) batch *= 2
  }
}

/** Microseconds that each took, by the clock: systems count the time of one thread in steps that are longer than this. */
async function oneByOne(tool: Tool, inputs: readonly never[], ms: number): Promise<readonly number[]> {
  const times: number[] = []
  const start = performance.now()
  let before = start
  for (let at = 0; times.length < timedMost; at++) {
    await tool.run(inputs[at % inputs.length] as never)
    const now = performance.now()
    times.push((now - before) * 1_000)
    before = now
    if (now - start >= ms && (times.length >= timedLeast || now - start >= 4 * ms)) break
  }
  return times
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}
