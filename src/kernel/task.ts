import type { Log } from './log.ts'

/** Something that is done again and again beside the requests. */
export interface Task {
  /** No further turns; settles when the one under way has ended. */
  stop(): Promise<void>
}

/** Does `work` with `pauseMs` between one turn and the next. A turn that fails is told, and the next one comes all the same. */
export function repeat(name: string, pauseMs: number, log: Log, work: () => Promise<void>): Task {
  let stopped = false
  let underWay = Promise.resolve()
  let timer = setTimeout(turn, pauseMs).unref()

  return {
    stop() {
      stopped = true
      clearTimeout(timer)
      return underWay
    },
  }

  function turn(): void {
    underWay = work()
      .catch((error: unknown) => log.warn({ task: name, err: error }, 'a task failed; it is tried again'))
      .then(() => {
        if (!stopped) timer = setTimeout(turn, pauseMs).unref()
      })
  }
}
