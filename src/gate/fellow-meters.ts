import { BroadcastChannel } from 'node:worker_threads'

/** The meters of one thread, as they stood when it was asked. */
export type Reading = readonly object[]

/** Reads the meters of all threads of a house. */
export interface FellowMeters {
  /** By the number of the thread, in order; without those that do not answer in time. */
  read(): Promise<ReadonlyMap<number, Reading>>
  close(): void
}

interface FellowMetersParts {
  /** The number of this thread, from 1. */
  readonly number: number
  readonly of: number
  /** Houses of one process are told apart by it. */
  readonly house: string
  readonly own: () => Promise<Reading>
}

/** Every thread asks every other by one channel. */
export function openFellowMeters({ number, of, house, own }: FellowMetersParts): FellowMeters {
  const channel = new BroadcastChannel(`${house} meters`)
  const asked = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  channel.onmessage = (event) => {
    const { data } = event as { readonly data: Question | Answer }
    if (!('reading' in data)) void answer(data)
    else if (data.to === number) asked.get(data.id)?.(data)
  }
  channel.unref()
  let isOpen = true

  return {
    async read() {
      const id = ++lastId
      const readings = new Map<number, Reading>()
      const all = Promise.withResolvers<void>()
      const patience = setTimeout(all.resolve, answerMs)
      asked.set(id, ({ from, reading }) => {
        readings.set(from, reading)
        if (readings.size === of - 1) all.resolve()
      })
      channel.postMessage({ id, from: number } satisfies Question)
      await all.promise
      clearTimeout(patience)
      asked.delete(id)
      readings.set(number, await own())
      return new Map([...readings].toSorted(([a], [b]) => a - b))
    },
    close() {
      isOpen = false
      channel.close()
    },
  }

  /** Whoever cannot answer is silent, and told of as such: one number that cannot be read is no reason to end. */
  async function answer({ id, from }: Question): Promise<void> {
    const reading = await own().catch(() => undefined)
    if (reading === undefined || !isOpen) return
    channel.postMessage({ id, to: from, from: number, reading } satisfies Answer)
  }
}

interface Question {
  readonly id: number
  readonly from: number
}

interface Answer extends Question {
  readonly to: number
  readonly reading: Reading
}

/** How long a thread may take to answer: one that is busy for longer is worth to be told of. */
const answerMs = 1_000
