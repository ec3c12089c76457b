// One contestant in a process of its own: shows that its limit holds, and then counts for as long as it is told.
import { type Contestant, contestants, type Decider, five, type Ready, type Trial } from './contestants.ts'

/** So many wait for an answer at once, where counting is somewhere else. */
const callers = 64

/** What it is started with: the contestant's name, and a trial as JSON. */
const [name, text = ''] = process.argv.slice(2)
const trial = JSON.parse(text) as Trial
const contestant = contestants.find((one) => one.name === name) as Contestant
const { ready } = (await import(new URL(contestant.file, import.meta.url).href)) as { readonly ready: Ready }
const decider = await ready(trial, contestant)

const answers: boolean[] = []
for (let at = 0; at <= five; at++) answers.push(await decider.take('five', 0))
for (let caller = 0; caller < trial.keys; caller++) await decider.take('ample', caller) // nobody is new when it is timed
process.send?.({ answers })

process.on('message', async (ms: number) => {
  process.send?.({ perSecond: await (trial.store === 'redis' ? overRedis(decider, ms) : inProcess(decider, ms)) })
})
process.on('disconnect', async () => {
  await decider.close()
  process.exit()
})

/** Takes for each second of the processor's, all threads of the process together: other work on the machine counts less. */
async function inProcess({ take }: Decider, ms: number): Promise<number> {
  const { keys } = trial
  const isLater = typeof take('ample', 0) !== 'boolean'
  const start = performance.now()
  const used = process.cpuUsage()
  let [taken, refused, caller, batch] = [0, 0, 0, 1]
  for (;;) {
    const before = performance.now()
    for (let more = batch; more > 0; more--) {
      // Callers in no order that a cache of the processor's would know.
      caller = (caller + 7_919) % keys
      const allowed = isLater ? await take('ample', caller) : take('ample', caller)
      if (allowed === false) refused++
    }
    taken += batch
    const now = performance.now()
    if (now - start >= ms) {
      if (refused > 0) throw new Error(`${refused} of ${taken} were refused by a limit that nobody reaches`)
      const { user, system } = process.cpuUsage(used)
      return (taken / (user + system)) * 1_000_000
    }
    if (now - before < 1) batch *= 2
  }
}

/** Takes a second by the clock: most of the time is spent in Redis and on the way there. */
async function overRedis({ take }: Decider, ms: number): Promise<number> {
  const start = performance.now()
  let taken = 0
  const call = async (first: number): Promise<void> => {
    let caller = first
    while (performance.now() - start < ms) {
      caller = (caller + 7_919) % trial.keys
      if (!(await take('ample', caller))) throw new Error('refused by a limit that nobody reaches')
      taken++
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller % trial.keys)))
  return (taken / (performance.now() - start)) * 1_000
}
