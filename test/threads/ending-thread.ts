// Preloaded into a gatehouse: on SIGUSR2 the thread that was started last ends, as if it had run out of memory.
import type { Worker } from 'node:worker_threads'

let last: Worker | undefined
process.on('worker', (worker) => {
  last = worker
})
process.on('SIGUSR2', () => void last?.terminate())
