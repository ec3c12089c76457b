// One contestant in a process of its own: reads the rules, answers a sample, and decides for as long as it is told.
import { type Contestant, contestants, type Decider, type Ready } from './contestants.ts'
import { questionsOf, rulesOf, type Shape } from './shapes.ts'

/** What it is started with: the contestant's name, the shape, how many rules, and how many questions to answer first. */
const [name, shape, size, sample] = process.argv.slice(2) as [string, Shape, string, string]
const { file } = contestants.find((one) => one.name === name) as Contestant
const { ready } = (await import(new URL(file, import.meta.url).href)) as { readonly ready: Ready }
const rules = rulesOf(shape, Number(size))
const questions = questionsOf(shape, rules)
const decider = await ready(shape, rules, questions)

const answers: boolean[] = []
for (let at = 0; at < Number(sample); at++) answers.push(await decider.decide(at))
process.send?.({ loadMs: decider.loadMs, answers })

process.on('message', async (ms: number) => {
  process.send?.({ perSecond: await turn(decider, ms) })
})
process.on('disconnect', () => process.exit())

/** Decisions for each second of the processor's, all threads of the process together: other work on the machine counts less. */
async function turn({ decide }: Decider, ms: number): Promise<number> {
  const start = performance.now()
  const used = process.cpuUsage()
  const isLater = typeof decide(0) !== 'boolean'
  let [decided, allowed, at] = [1, 0, 0]
  let batch = 1
  for (;;) {
    const before = performance.now()
    if (isLater) {
      for (let more = batch; more > 0; more--) {
        if (++at === questions.length) at = 0
        if (await decide(at)) allowed++
      }
    } else
      for (let more = batch; more > 0; more--) {
        if (++at === questions.length) at = 0
        if (decide(at) as boolean) allowed++
      }
    decided += batch
    const now = performance.now()
    if (now - start >= ms) {
      if (allowed > decided) throw new Error('more was allowed than was asked')
      const { user, system } = process.cpuUsage(used)
      return (decided / (user + system)) * 1_000_000
    }
    // The clock is looked at about once a millisecond.
    if (now - before < 1) batch *= 2
  }
}
