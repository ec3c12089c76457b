import { Worker } from 'node:worker_threads'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import type { Answer, Question } from './answer-questions.ts'

/** Looks into large bodies beside the requests: nobody else waits for them. */
export interface OffLoop<Plan extends object, Parts, Done extends object> {
  /**
   * By a plan that is always the same object. What takes longer than `deadlineMs` is given up, and refused; and so is what waits as
   * long for its turn.
   */
  examine(plan: Plan, parts: Parts, deadlineMs: number): Promise<Done | Refusal>
  close(): Promise<void>
}

/** Who looks, and what is said where they cannot. */
export interface OffLoopKind {
  /** The file of the thread: it answers by `answerQuestions`. */
  readonly thread: URL
  readonly name: string
  late(deadlineMs: number): Refusal
  readonly crowded: Refusal
}

/** Bodies that may wait to be looked into: one more is refused. */
const waitingMax = 64
/** A thread that has not begun by then will not: it reads its own code first, which takes a second or two where much else goes on. */
const startMs = 30_000
/** Plans that a thread keeps. Each configuration brings new ones: a thread that knows too many makes room for another. */
const plansMax = 512

/** A thread that is started with the first large body, and again when one was given up. */
export function openOffLoop<Plan extends object, Parts, Done extends object>(
  kind: OffLoopKind,
): OffLoop<Plan, Parts, Done> {
  const waiting: Waiting<Plan, Parts, Done>[] = []
  const numbers = new WeakMap<Plan, number>()
  let lastNumber = 0
  let known = new Set<number>()
  let ready = false
  let worker: Worker | undefined
  let deadline: NodeJS.Timeout | undefined
  let closed = false

  return {
    examine(plan, parts, deadlineMs) {
      if (closed) return Promise.resolve(refuse('draining', { retryAfterMs: 1000 }))
      if (waiting.length >= waitingMax) return Promise.resolve(kind.crowded)
      const answered = Promise.withResolvers<Done | Refusal>()
      const one: Waiting<Plan, Parts, Done> = { plan, parts, deadlineMs, answered, patience: undefined }
      waiting.push(one)
      if (waiting.length === 1) next()
      else one.patience = setTimeout(() => giveUp(one), deadlineMs + (ready ? 0 : startMs))
      return answered.promise
    },
    async close() {
      closed = true
      clearTimeout(deadline)
      for (const { answered, patience } of waiting.splice(0)) {
        clearTimeout(patience)
        answered.resolve(refuse('draining', { retryAfterMs: 1000 }))
      }
      await stop()
    },
  }

  function next(): void {
    const [first] = waiting
    if (first === undefined) return worker?.unref()
    clearTimeout(first.patience)
    if (known.size >= plansMax) void stop()
    worker ??= start()
    worker.ref()
    const number = numberOf(first.plan)
    const question: Question<Plan, Parts> = {
      number,
      plan: known.has(number) ? undefined : first.plan,
      parts: first.parts,
    }
    known.add(number)
    deadline = setTimeout(late, ready ? first.deadlineMs : startMs)
    worker.postMessage(question)
  }

  function hear(answer: Answer<Done>): void {
    clearTimeout(deadline)
    if ('ready' in answer) {
      ready = true
      const [first] = waiting
      if (first !== undefined) deadline = setTimeout(late, first.deadlineMs)
      return
    }
    const { answered } = waiting.shift() as Waiting<Plan, Parts, Done>
    if ('examined' in answer) answered.resolve(answer.examined)
    else answered.reject(new Fault('internal', 'a body could not be looked into', answer.error))
    next()
  }

  /** Only the body that took too long is refused: what waits behind it has a thread of its own to wait for. */
  function late(): void {
    const { answered, deadlineMs } = waiting.shift() as Waiting<Plan, Parts, Done>
    answered.resolve(kind.late(deadlineMs))
    void stop()
    next()
  }

  /** Its turn did not come in time. */
  function giveUp(one: Waiting<Plan, Parts, Done>): void {
    waiting.splice(waiting.indexOf(one), 1)
    one.answered.resolve(kind.crowded)
  }

  function start(): Worker {
    ready = false
    const started = new Worker(kind.thread, { name: kind.name })
    started.on('message', (answer: Answer<Done>) => {
      if (started === worker) hear(answer)
    })
    const ended = (error: unknown): void => {
      if (started !== worker) return
      worker = undefined
      known = new Set()
      clearTimeout(deadline)
      waiting.shift()?.answered.reject(new Fault('internal', 'the thread that looks into bodies ended', error))
      next()
    }
    started.on('error', ended)
    started.on('exit', ended)
    return started
  }

  async function stop(): Promise<void> {
    const stopped = worker
    worker = undefined
    known = new Set()
    stopped?.unref()
    await stopped?.terminate()
  }

  function numberOf(plan: Plan): number {
    let number = numbers.get(plan)
    if (number === undefined) numbers.set(plan, (number = ++lastNumber))
    return number
  }
}

interface Waiting<Plan, Parts, Done> {
  readonly plan: Plan
  readonly parts: Parts
  readonly deadlineMs: number
  readonly answered: PromiseWithResolvers<Done | Refusal>
  /** Ends the waiting for its turn. */
  patience: NodeJS.Timeout | undefined
}
