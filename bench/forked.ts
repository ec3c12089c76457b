import { type ChildProcess, fork } from 'node:child_process'

/** Starts a program of the bench in a process of its own, which ends with the run. */
export function startForked(path: string, args: readonly string[]): ChildProcess {
  const child = fork(path, args, { env: { ...process.env, NODE_ENV: 'production' } })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

const running = new Set<ChildProcess>()

/** Nothing outlives the run, however it ends. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Hands over a message, where there is one, and waits for the next one that comes back. */
export function ask<T>(name: string, child: ChildProcess, message?: number | object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`${name} ended before it answered`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as T)
    })
    if (message !== undefined) child.send(message)
  })
}
