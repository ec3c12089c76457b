import { parentPort } from 'node:worker_threads'

/** What a thread is asked. `openOffLoop` asks. */
export interface Question<Plan, Parts> {
  readonly number: number
  /** Told once. */
  readonly plan: Plan | undefined
  readonly parts: Parts
}

/** `ready` comes first, and once: from then on time counts. */
export type Answer<Done> = { readonly ready: true } | { readonly examined: Done } | { readonly error: unknown }

/** Answers whoever has started this thread, each time by what `open` makes of their plan. */
export function answerQuestions<Plan, Parts, Done>(
  open: (plan: Plan) => { examine(parts: Parts): Done | Promise<Done> },
): void {
  const port = parentPort
  if (port === null) throw new Error('expected to run as a thread, got started as a program')
  const examinations = new Map<number, ReturnType<typeof open>>()

  port.on('message', async (question: Question<Plan, Parts>) => {
    port.postMessage(await answerTo(question))
  })
  port.postMessage({ ready: true } satisfies Answer<Done>)

  async function answerTo({ number, plan, parts }: Question<Plan, Parts>): Promise<Answer<Done>> {
    try {
      if (plan !== undefined) examinations.set(number, open(plan))
      return { examined: await (examinations.get(number) as ReturnType<typeof open>).examine(parts) }
    } catch (error) {
      return { error }
    }
  }
}
