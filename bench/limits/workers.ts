// An API that can do so much and no more: eight at a time, forty milliseconds each, the rest wait in line.
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type Child, startChild, untilItAnswers } from '../child.ts'

export const workers = 8
export const workMs = 40
/** Requests a second. */
export const capacity = (workers * 1_000) / workMs

export async function startWorkers(port: number, core: number | undefined): Promise<Child> {
  const child = startChild('the workers', [process.execPath, join(import.meta.dirname, 'workers.ts'), String(port)], {
    core,
  })
  await untilItAnswers('the workers', `http://127.0.0.1:${port}/`, child)
  return child
}

if (import.meta.main) {
  const line: ServerResponse[] = []
  let busy = 0
  const work = (): void => {
    while (busy < workers) {
      const response = line.shift()
      if (response === undefined) return
      busy++
      setTimeout(() => {
        response.end('done\n')
        busy--
        work()
      }, workMs)
    }
  }
  createServer({ keepAliveTimeout: 600_000 }, (_request, response) => {
    line.push(response)
    work()
  }).listen(Number(process.argv[2]), '127.0.0.1')
}
